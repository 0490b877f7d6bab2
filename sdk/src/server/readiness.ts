import { TimeoutError, ValidationError, VexilError } from '../errors.js';

/** What a timer can count. */
const MAX_MS = 2 ** 31 - 1;

/** Whether there is something to decide by, for those who wait for it. */
export class Readiness {
  private isReady = false;
  private isClosed = false;
  private last: { readonly failure: VexilError; readonly isFinal: boolean } | undefined;
  private readonly waiting = new Set<(failure?: VexilError) => void>();

  succeed(): void {
    this.isReady = true;
    for (const settle of [...this.waiting]) settle();
  }

  /** @param isFinal whether waiting is of no use: nobody waits on, and nobody begins to until something succeeds */
  fail(failure: VexilError, isFinal: boolean): void {
    this.last = { failure, isFinal };
    if (isFinal) for (const settle of [...this.waiting]) settle(failure);
  }

  /**
   * @param timeoutMs 0 or more; `Infinity` for as long as it takes
   * @throws VexilError as it was told, or because it is closed; TimeoutError; ValidationError when it is no time
   */
  async wait(timeoutMs: number): Promise<void> {
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      const problem = { path: 'timeoutMs', message: 'must be a number, 0 or more' };
      throw new ValidationError(`${problem.path} ${problem.message}`, [problem]);
    }
    if (this.isReady) return;
    if (this.isClosed) throw closed();
    if (this.last?.isFinal) throw this.last.failure;
    await new Promise<void>((resolve, reject) => {
      const settle = (failure?: VexilError): void => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        if (failure) reject(failure);
        else resolve();
      };
      // This one keeps the process alive: who waits is not to be ended because nothing else is left to do.
      const timer = setTimeout(() => settle(this.late(timeoutMs)), Math.min(timeoutMs, MAX_MS));
      this.waiting.add(settle);
    });
  }

  close(): void {
    this.isClosed = true;
    for (const settle of [...this.waiting]) settle(closed());
  }

  private late(timeoutMs: number): TimeoutError {
    const why = this.last ? `: ${this.last.failure.message}` : '';
    return new TimeoutError(`There was nothing to decide by within ${timeoutMs} ms${why}`);
  }
}

const closed = (): VexilError => new VexilError('closed', 'The client is closed');
