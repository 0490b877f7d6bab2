/** How long to wait between attempts that fail. */
export interface BackoffOptions {
  /** The shortest wait; 500 unless said otherwise. */
  readonly minMs?: number;
  /** The longest wait; 30,000 unless said otherwise. */
  readonly maxMs?: number;
  /** From 0 up to 1. */
  readonly random?: () => number;
}

/**
 * Waits that grow with each failure. Each is drawn from the whole of `minMs` to a bound that doubles up to `maxMs`, so that
 * those who failed together do not come back together.
 */
export class Backoff {
  private readonly minMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;
  private count = 0;

  constructor({ minMs = 500, maxMs = 30_000, random = Math.random }: BackoffOptions = {}) {
    this.minMs = minMs;
    this.maxMs = Math.max(minMs, maxMs);
    this.random = random;
  }

  /** How many failures there were in a row. */
  get failures(): number {
    return this.count;
  }

  /** Counts a failure. @returns how long to wait now, in milliseconds */
  next(): number {
    this.count += 1;
    const bound = Math.min(this.maxMs, this.minMs * 2 ** Math.min(this.count, 30));
    return this.minMs + this.random() * (bound - this.minMs);
  }

  /** Something worked, if only for a moment: it counts as so many failures at most. */
  ease(failures: number): void {
    this.count = Math.min(this.count, failures);
  }

  /** Something worked. */
  reset(): void {
    this.count = 0;
  }
}
