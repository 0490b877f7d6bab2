import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { Invalid } from '../errors/errors.js';
import { readInput } from './input-problems.js';

/** Checks every body, query and path parameter against its schema, and lists each mistake with its place. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  async transform(input: unknown, { schema, ...source }: ArgumentMetadata): Promise<unknown> {
    if (!schema) return input;
    const read = await readInput(schema, input, source);
    if ('problems' in read) throw new Invalid(read.problems);
    return read.value;
  }
}
