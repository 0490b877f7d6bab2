import { TimeoutError, ValidationError } from './errors.js';
import { MOST_MS } from './option-flaws.js';

export interface ReadyOptions {
  /** How long to wait, in milliseconds; 10,000 unless said otherwise. `Infinity` for as long as it takes. */
  readonly timeoutMs?: number;
}

/**
 * How long a timer is to run for a time to wait; `Infinity` is as long as one can.
 * @throws ValidationError when it is no time
 */
export function waitMs(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs >= 0) return Math.min(timeoutMs, MOST_MS);
  const problem = { path: 'timeoutMs', message: 'must be a number, 0 or more' };
  throw new ValidationError(`${problem.path} ${problem.message}`, [problem]);
}

/** @throws TimeoutError; ValidationError when it is no time; what the work throws */
export async function readyInTime(
  work: () => Promise<void>,
  { timeoutMs = 10_000 }: ReadyOptions,
): Promise<void> {
  const ms = waitMs(timeoutMs);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new TimeoutError(`The service has not answered within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(error), ms);
  });
  return Promise.race([work(), late]).finally(() => clearTimeout(timer));
}
