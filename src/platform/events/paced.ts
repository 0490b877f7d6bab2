import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Does something when it is asked for, but not more often than once in an interval, and never twice at once. Those who ask
 * while it is being done, or is not due yet, share the next time: what is under way may have begun too early for them.
 */
export class Paced {
  private running: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  private begunAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly intervalMs: number,
    private readonly task: () => Promise<void>,
  ) {}

  /** Resolves when it was done from beginning to end after this call. @throws what the task throws */
  run(): Promise<void> {
    this.next ??= this.begin();
    return this.next;
  }

  private async begin(): Promise<void> {
    await this.running.catch(() => undefined);
    const leftMs = this.begunAt + this.intervalMs - performance.now();
    if (leftMs > 0) await sleep(leftMs, undefined, { ref: false });
    this.next = undefined;
    this.begunAt = performance.now();
    this.running = this.task();
    await this.running;
  }
}
