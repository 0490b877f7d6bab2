import { ValidationError, type InvalidField } from './errors.js';
import { baseUrlFlaw } from './http.js';
import type { Logger } from './types.js';

/** What a timer can count, in milliseconds. */
export const MOST_MS = 2 ** 31 - 1;

/**
 * Whether a text can stand in a header as it is. Of one that cannot `fetch` shows all, which would take a key into a log.
 */
export const isVisibleAscii = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

export const MUST_BE_VISIBLE = 'must be of visible ASCII letters';

/** Collects what is wrong with options, so that all of it is said at once. */
export class OptionFlaws {
  private readonly problems: InvalidField[] = [];

  add(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  baseUrl(value: unknown): void {
    const flaw = baseUrlFlaw(value);
    if (flaw !== undefined) this.add('baseUrl', flaw);
  }

  /** @param range what may be given, both ends included; nothing may be left out */
  number(path: string, value: unknown, [least, most]: readonly [number, number]): void {
    if (value === undefined || (typeof value === 'number' && value >= least && value <= most)) return;
    this.add(path, `must be a number from ${least} ${most === Infinity ? 'on' : `to ${most}`}`);
  }

  whole(path: string, value: unknown, [least, most]: readonly [number, number]): void {
    if (value === undefined || (Number.isInteger(value) && Number(value) >= least && Number(value) <= most))
      return;
    this.add(path, `must be a whole number from ${least} to ${most}`);
  }

  /** What every client may be given. */
  shared({ logger, fetch, streaming, exposures }: Fields): void {
    if (logger !== undefined && !has(logger, 'warn', 'error'))
      this.add('logger', 'must have the methods warn and error');
    if (fetch !== undefined && typeof fetch !== 'function') this.add('fetch', 'must be a function');
    if (streaming !== undefined && typeof streaming !== 'boolean')
      this.add('streaming', 'must be true or false');
    if (exposures === undefined) return;
    const { sink, capacity, batchSize, flushIntervalMs, sendTimeoutMs } = (exposures ?? {}) as Fields;
    if (!has(sink, 'send')) this.add('exposures.sink', 'must have the method send');
    this.whole('exposures.capacity', capacity, [1, MOST_MS]);
    this.whole('exposures.batchSize', batchSize, [1, MOST_MS]);
    this.number('exposures.flushIntervalMs', flushIntervalMs, [1, MOST_MS]);
    this.number('exposures.sendTimeoutMs', sendTimeoutMs, [1, MOST_MS]);
  }

  /** @throws ValidationError that names every one, if there is any */
  refuse(): void {
    if (this.problems.length === 0) return;
    const said = this.problems.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new ValidationError(`The client cannot be made: ${said}`, this.problems);
  }
}

/** Options as a program without types may give them. */
export type Fields = Readonly<Record<string, unknown>>;

function has(value: unknown, ...methods: readonly string[]): boolean {
  const fields = (value ?? {}) as Fields;
  return methods.every((name) => typeof fields[name] === 'function');
}

/** The same, but for what it throws: whoever has something to say goes on. */
export function harmless(logger: Logger): Logger {
  const guarded =
    (name: 'warn' | 'error') =>
    (message: string): void => {
      try {
        logger[name](message);
      } catch {
        // There is nobody else to tell.
      }
    };
  return { warn: guarded('warn'), error: guarded('error') };
}
