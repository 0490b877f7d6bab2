import { z } from 'zod';
import { Refused as RefusedRequest } from '../platform/errors/errors.js';
import type { Portable, PortableFlag, PortableSegment, Remark } from './portable.js';

/** A document that is not of the system it is said to be from. */
export class UnreadableDocument extends RefusedRequest {
  readonly code = 'unreadable_document';
}

/** Why one flag or segment cannot be carried over, while the others can. */
export class NotPortable extends Error {}

/** Tells what of a flag means something else from now on. */
export type Note = (message: string) => void;

/** Collects what a document becomes, thing by thing: what cannot be carried over is told by name, and does no harm to the rest. */
export class Conversion implements Portable {
  readonly segments: PortableSegment[] = [];
  readonly flags: PortableFlag[] = [];
  readonly notes: Remark[] = [];
  readonly refused: Remark[] = [];

  flag(name: string, convert: (note: Note) => PortableFlag): void {
    this.attempt(`flag '${name}'`, (note) => this.flags.push(convert(note)));
  }

  segment(name: string, convert: (note: Note) => PortableSegment): void {
    this.attempt(`segment '${name}'`, (note) => this.segments.push(convert(note)));
  }

  note(subject: string, message: string): void {
    this.notes.push({ subject, message });
  }

  private attempt(subject: string, convert: (note: Note) => void): void {
    const messages = new Set<string>();
    try {
      convert((message) => messages.add(message));
      for (const message of messages) this.note(subject, message);
    } catch (error) {
      if (!(error instanceof NotPortable || error instanceof z.ZodError)) throw error;
      this.refused.push({ subject, message: reasonOf(error) });
    }
  }
}

/** Reads the outer shape of a document. @throws UnreadableDocument, saying of what @param kind it is not */
export function readDocument<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
  kind: string,
): z.output<Schema> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw new UnreadableDocument(`This is not ${kind}: ${reasonOf(result.error)}`);
}

/** What a thing in a list is called, for messages about it; its place where it has no name. */
export function nameIn(item: unknown, fields: readonly string[], index: number): string {
  for (const field of fields) {
    const name =
      typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[field] : undefined;
    if (typeof name === 'string' && name !== '') return name;
  }
  return `number ${index + 1}`;
}

/** A key of ours from a name of theirs. Programs have to ask by it, so a change is told. */
export function keyFrom(name: string, note: Note): string {
  const key = name.trim().toLowerCase();
  if (key !== name) note(`is '${key}' here: keys are lower case, and programs ask by them`);
  return key;
}

function reasonOf(error: Error): string {
  if (!(error instanceof z.ZodError)) return error.message;
  const shown = error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`);
  return shown.join('; ') + (error.issues.length > shown.length ? '; …' : '');
}

/** As much of a name as can be kept. */
export function titleOf(name: string): string {
  const points = Array.from(name.trim());
  return points.length > 200 ? points.slice(0, 200).join('').trim() : points.join('');
}
