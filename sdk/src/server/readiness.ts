import { TimeoutError, VexilError } from '../errors.js';
import { waitMs } from '../ready-in-time.js';

/** Whether there is something to decide by, for those who wait for it. */
export class Readiness {
  private isReady = false;
  private isClosed = false;
  private last: { readonly failure: VexilError; readonly isFinal: boolean } | undefined;
  private readonly waiting = new Set<(failure?: VexilError) => void>();

  /** @param hasStored whether there is something to decide by, though it may be old: who has no more time goes on with that */
  constructor(private readonly hasStored: () => boolean) {}

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
    const ms = waitMs(timeoutMs);
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
      const timer = setTimeout(() => settle(this.hasStored() ? undefined : this.late(timeoutMs)), ms);
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
