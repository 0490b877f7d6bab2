import { TimeoutError } from './errors.js';

export interface ReadyOptions {
  /** How long to wait, in milliseconds; 10,000 unless said otherwise. */
  readonly timeoutMs?: number;
}

/** @throws TimeoutError; what the work throws */
export async function readyInTime(work: Promise<void>, { timeoutMs = 10_000 }: ReadyOptions): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new TimeoutError(`The service has not answered within ${timeoutMs} ms`);
    timer = setTimeout(() => reject(error), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
