import { TimedOut, within } from './time-limit.js';

export interface BreakerOptions {
  /** How long one call may take, in milliseconds. Default 100. */
  readonly timeoutMs?: number | undefined;
  /** How long nothing is tried after a failure, in milliseconds. Default 500. */
  readonly restMs?: number | undefined;
  /** True for an error that is itself an answer of the other side, so that it says nothing against trying again. */
  readonly isAnswer?: ((error: unknown) => boolean) | undefined;
}

export interface BreakerStats {
  /** Calls that failed; time-outs are not among them. */
  readonly errors: number;
  readonly timeouts: number;
  /** How often trying was given up; a failed trial call continues the same opening. */
  readonly openings: number;
}

/**
 * Runs calls that may fail or hang, and answers with the caller's fallback when they do: never an error, never later
 * than `timeoutMs`. After a failure or a time-out it is open: everything gets the fallback at once for `restMs`, then a
 * single trial call decides whether it closes or rests again.
 */
export class Breaker {
  private readonly timeoutMs: number;
  private readonly restMs: number;
  private readonly isAnswer: (error: unknown) => boolean;
  /** When the next trial may start, on the monotonic clock; undefined while closed. */
  private retryAtMs: number | undefined;
  private isTrying = false;
  private errors = 0;
  private timeouts = 0;
  private openings = 0;

  constructor(options: BreakerOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? 100;
    this.restMs = options.restMs ?? 500;
    this.isAnswer = options.isAnswer ?? (() => false);
  }

  get isOpen(): boolean {
    return this.retryAtMs !== undefined;
  }

  /** Whether everything gets the fallback now. After its rest it stays open, but only whoever tries finds out whether it must. */
  get isResting(): boolean {
    return this.retryAtMs !== undefined && performance.now() < this.retryAtMs;
  }

  async run<T>(operation: () => Promise<T>, fallback: T): Promise<T> {
    const isTrial = this.isOpen;
    if (isTrial && !this.mayTry()) return fallback;
    this.isTrying = isTrial;
    try {
      const result = await within(this.timeoutMs, operation());
      this.answered(isTrial);
      return result;
    } catch (error) {
      if (error instanceof TimedOut) this.timeouts += 1;
      else this.errors += 1;
      if (this.isAnswer(error)) this.answered(isTrial);
      else this.failed(isTrial);
      return fallback;
    }
  }

  stats(): BreakerStats {
    return { errors: this.errors, timeouts: this.timeouts, openings: this.openings };
  }

  private mayTry(): boolean {
    return !this.isTrying && !this.isResting;
  }

  /** A late answer to a call from before the opening says nothing about now: only the trial closes. */
  private answered(isTrial: boolean): void {
    if (!isTrial) return;
    this.retryAtMs = undefined;
    this.isTrying = false;
  }

  private failed(isTrial: boolean): void {
    if (this.isOpen && !isTrial) return;
    if (!isTrial) this.openings += 1;
    this.retryAtMs = performance.now() + this.restMs;
    this.isTrying = false;
  }
}
