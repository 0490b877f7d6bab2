import { unref } from '../sse.js';

/** Whether what is known may be old, by when the service was last in reach. Counted by timers, which no change of the clock moves. */
export class Freshness {
  private stale = true;
  /** What was told last; nothing at first. */
  private told: boolean | undefined;
  private isOpen = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly staleAfterMs: number,
    /** Told of every change, and of how it is at first as soon as that is known. */
    private readonly onChange: (isStale: boolean) => void,
  ) {
    // Who begins in an outage is told of it too.
    this.arm(staleAfterMs);
  }

  get isStale(): boolean {
    return this.stale;
  }

  /** What is known is what the service has, for as long as the stream is open or for a time in milliseconds. */
  confirm(goodFor: number | 'while open'): void {
    clearTimeout(this.timer);
    this.isOpen = goodFor === 'while open';
    if (goodFor !== 'while open') this.arm(goodFor + this.staleAfterMs);
    this.set(false);
  }

  /** The stream is open no more. */
  lose(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.arm(this.staleAfterMs);
  }

  /** Nobody looks any more: what is known gets old from now on. Not told. */
  stop(): void {
    clearTimeout(this.timer);
    this.stale = true;
  }

  private arm(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.set(true), ms);
    unref(this.timer);
  }

  private set(isStale: boolean): void {
    this.stale = isStale;
    if (this.told === isStale) return;
    this.told = isStale;
    this.onChange(isStale);
  }
}
