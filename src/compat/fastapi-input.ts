import type { PipeTransform } from '@nestjs/common';
import { z } from 'zod';
import { flawOfKey } from '../flags/flag-key.js';
import { Invalid } from '../platform/errors/errors.js';
import { isStorable, NOT_STORABLE } from '../platform/http/schema.js';

/** One mistake in the input, as FastAPI tells it. */
export interface FastApiError {
  readonly type: string;
  /** `['body', 'key']` */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  /** What was sent. */
  readonly input: unknown;
  readonly ctx?: object;
}

/** The input is wrong; `errors` are the mistakes in the words of the dialect. */
export class WrongInput extends Invalid {
  constructor(readonly errors: readonly FastApiError[]) {
    super(errors.map(({ loc, msg }) => ({ path: loc.join('.'), message: msg })));
  }
}

/** What is wrong with one value, as Pydantic says it. */
export class Fault {
  constructor(
    readonly type: string,
    readonly msg: string,
    readonly ctx?: object,
  ) {}
}

/** As Pydantic tells of what a system checks by itself. */
export const valueError = (message: string): Fault =>
  new Fault('value_error', `Value error, ${message}`, { error: {} });

/** What a field takes, for the document of the dialect. */
type JsonSchema = Readonly<Record<string, string | number>>;

const MISSING = new Fault('missing', 'Field required');

/** A field whose text, number or truth is read as leniently as Pydantic does: `"50"` is a number, `"yes"` is true. */
export const field = <T>(shape: JsonSchema, read: (input: unknown) => T | Fault) =>
  z
    .unknown()
    .meta(shape)
    .transform((input, context): T => {
      const value = input === undefined ? MISSING : read(input);
      if (!(value instanceof Fault)) return value;
      context.addIssue({ code: 'custom', message: value.msg, params: { fault: value } });
      return z.NEVER;
    });

export const text = (min: number, max: number) =>
  field({ type: 'string', minLength: min, maxLength: max }, (input) => readText(input, min, max));

export function readText(input: unknown, min: number, max: number): string | Fault {
  if (typeof input !== 'string') return new Fault('string_type', 'Input should be a valid string');
  const length = Array.from(input).length;
  if (length < min)
    return new Fault('string_too_short', `String should have at least ${counted(min)}`, { min_length: min });
  if (length > max)
    return new Fault('string_too_long', `String should have at most ${counted(max)}`, { max_length: max });
  return isStorable(input) ? input : valueError(NOT_STORABLE);
}

const counted = (characters: number): string => `${characters} character${characters === 1 ? '' : 's'}`;

const TRUE = ['1', 'on', 't', 'true', 'y', 'yes'];
const FALSE = ['0', 'off', 'f', 'false', 'n', 'no'];

export const truth = () =>
  field({ type: 'boolean' }, (input): boolean | Fault => {
    if (typeof input === 'boolean') return input;
    if (typeof input !== 'string' && typeof input !== 'number')
      return new Fault('bool_type', 'Input should be a valid boolean');
    const word = String(input).toLowerCase();
    if (TRUE.includes(word)) return true;
    if (FALSE.includes(word)) return false;
    return new Fault('bool_parsing', 'Input should be a valid boolean, unable to interpret input');
  });

/** A number of per cent, in basis points: in steps of 0.01, rounded to them, or refused unless whole. */
export const percent = (steps: 'hundredths' | 'whole') =>
  field(
    { type: steps === 'whole' ? 'integer' : 'number', minimum: 0, maximum: 100 },
    (input): number | Fault => {
      const value = steps === 'whole' ? readInteger(input, 0, 100) : readNumber(input, 0, 100);
      return value instanceof Fault ? value : Math.round(value * 100);
    },
  );

/** A whole number in a query. */
export const integer = (min: number, max: number) =>
  field({ type: 'integer', minimum: min, maximum: max }, (input) => readInteger(input, min, max));

function readInteger(input: unknown, min: number, max: number): number | Fault {
  if (typeof input === 'string' && !/^\s*[-+]?\d+(\.0+)?\s*$/.test(input))
    return new Fault('int_parsing', 'Input should be a valid integer, unable to parse string as an integer');
  const value = numberIn(input);
  if (value === undefined) return new Fault('int_type', 'Input should be a valid integer');
  if (!Number.isInteger(value))
    return new Fault(
      'int_from_float',
      'Input should be a valid integer, got a number with a fractional part',
    );
  return within(value, min, max);
}

function readNumber(input: unknown, min: number, max: number): number | Fault {
  if (typeof input === 'string' && !/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(input))
    return new Fault('float_parsing', 'Input should be a valid number, unable to parse string as a number');
  const value = numberIn(input);
  return value === undefined
    ? new Fault('float_type', 'Input should be a valid number')
    : within(value, min, max);
}

function numberIn(input: unknown): number | undefined {
  return ['number', 'string', 'boolean'].includes(typeof input) ? Number(input) : undefined;
}

function within(value: number, ge: number, le: number): number | Fault {
  if (value < ge)
    return new Fault('greater_than_equal', `Input should be greater than or equal to ${ge}`, { ge });
  return value > le
    ? new Fault('less_than_equal', `Input should be less than or equal to ${le}`, { le })
    : value;
}

/** The name of a new flag: its key here, and what its users are placed by, which is the name as it was said. */
export interface NewName {
  readonly key: string;
  readonly salt: string;
}

/** The name of a new flag, lower-cased and trimmed. Whatever cannot be a key after that is refused, never altered. */
export const newName = (max: number) =>
  field({ type: 'string', minLength: 1, maxLength: max }, (input): NewName | Fault => {
    const name = readText(input, 1, max);
    if (name instanceof Fault) return name;
    const key = keyIn(name);
    const flaw = flawOfKey(key);
    return flaw === undefined ? { key, salt: name.trim() } : valueError(flaw);
  });

/** What a name is as a key. */
export const keyIn = (name: string): string => name.trim().toLowerCase();

/** Who is asking. As long as the native API takes them. */
export const userId = () => text(0, 1024);

type Place = 'body' | 'query';

/** Reads a body or a query as FastAPI does. What a schema does not know is passed over. */
export class FastApiInput<Schema extends z.ZodType> implements PipeTransform {
  constructor(
    readonly place: Place,
    readonly schema: Schema,
  ) {}

  /** @throws WrongInput */
  transform(input: unknown): z.output<Schema> {
    const given = this.place === 'query' ? lastOfEach(input) : asObject(input);
    const read = this.schema.safeParse(given);
    if (read.success) return read.data;
    throw new WrongInput(read.error.issues.map((issue) => this.told(issue, given)));
  }

  private told(issue: z.core.$ZodIssue, given: unknown): FastApiError {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)));
    const found = issue.code === 'custom' ? (issue.params?.['fault'] as unknown) : undefined;
    const { type, msg, ctx } = found instanceof Fault ? found : valueError(issue.message);
    const whole = this.place === 'body' ? given : null;
    const input = type === 'missing' ? whole : (given as Record<string, unknown>)[String(path[0])];
    return { type, loc: [this.place, ...path], msg, input, ...(ctx ? { ctx } : {}) };
  }
}

/** Reads one parameter of the path. */
export class FastApiParameter<T> implements PipeTransform {
  constructor(
    private readonly name: string,
    private readonly schema: z.ZodType<T>,
  ) {}

  /** @throws WrongInput */
  transform(input: unknown): T {
    const read = this.schema.safeParse(input);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const found = issue?.code === 'custom' ? (issue.params?.['fault'] as unknown) : undefined;
    const { type, msg, ctx } = found instanceof Fault ? found : valueError(issue?.message ?? 'is wrong');
    throw new WrongInput([{ type, loc: ['path', this.name], msg, input, ...(ctx ? { ctx } : {}) }]);
  }
}

function asObject(input: unknown): object {
  if (input === undefined)
    throw new WrongInput([{ type: MISSING.type, loc: ['body'], msg: MISSING.msg, input: null }]);
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input;
  throw new WrongInput([NO_OBJECT(input)]);
}

/** Of a body that is no JSON object. */
export const NO_OBJECT = (input: unknown): FastApiError => ({
  type: 'model_attributes_type',
  loc: ['body'],
  msg: 'Input should be a valid dictionary or object to extract fields from',
  input,
});

/** Of what a query says twice the last one counts. */
function lastOfEach(query: unknown): object {
  const entries = Object.entries((query ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? (value.at(-1) as unknown) : value]),
  );
}
