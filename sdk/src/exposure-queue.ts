import { Backoff } from './backoff.js';
import { pause } from './deferred.js';
import { ValidationError } from './errors.js';
import { exposureFlaws } from './exposure-options.js';
import type {
  Drop,
  DropReason,
  Exposure,
  ExposureCounts,
  ExposureOptions,
  ExposureSink,
  MetricEvent,
  TrackedEvent,
} from './exposures.js';
import { unref } from './sse.js';

const HOUR_MS = 3_600_000;
/** Beyond this many (flag, variant, unit) in an hour, remembering begins anew: an exposure may then be told twice. */
const MOST_REMEMBERED = 100_000;
/** The longest wait between attempts while it is being closed. */
const CLOSING_WAIT_MS = 1_000;

export interface QueueSurroundings {
  /** Called when events are given up: at once for the first, then at most once per flush interval. */
  readonly onDrop?: (drop: Drop) => void;
  readonly now?: () => number;
  /** As `Math.random`. */
  readonly random?: () => number;
}

/**
 * Holds events until they are delivered. Bounded: what does not fit is given up, counted and reported, and never held against
 * the caller, who does not wait for anything. An exposure is told once per flag, variant, unit and hour.
 */
export class ExposureQueue {
  private readonly sink: ExposureSink;
  private readonly capacity: number;
  private readonly batchSize: number;
  private readonly flushIntervalMs: number;
  private readonly sendTimeoutMs: number;
  private readonly onDrop: (drop: Drop) => void;
  private readonly now: () => number;
  private readonly backoff: Backoff;

  private waiting: TrackedEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | undefined;
  /** Set after a failure, until something was delivered. */
  private waitMs: number | undefined;
  private isClosed = false;
  private closing: Promise<void> | undefined;

  private hour = 0;
  private remembered = 0;
  private readonly seen = new Map<string, Map<string, Set<string>>>();

  private recorded = 0;
  private repeated = 0;
  private delivered = 0;
  private dropped = 0;
  private readonly unreported = new Map<DropReason, number>();
  private lastReportAt = Number.NEGATIVE_INFINITY;

  /** @throws ValidationError that names every option that cannot be */
  constructor(options: ExposureOptions, { onDrop, now, random }: QueueSurroundings = {}) {
    const problems = exposureFlaws(options);
    if (problems.length > 0) {
      const said = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
      throw new ValidationError(`Exposures cannot be collected: ${said}`, problems);
    }
    this.sink = options.sink;
    this.capacity = options.capacity ?? 10_000;
    this.batchSize = Math.min(options.batchSize ?? 500, this.capacity);
    this.flushIntervalMs = options.flushIntervalMs ?? 10_000;
    this.sendTimeoutMs = options.sendTimeoutMs ?? 10_000;
    this.onDrop = onDrop ?? (() => undefined);
    this.now = now ?? Date.now;
    this.backoff = new Backoff(random ? { random } : {});
  }

  get counts(): ExposureCounts {
    const { recorded, repeated, delivered, dropped } = this;
    return { recorded, repeated, delivered, dropped, queued: this.waiting.length };
  }

  expose(exposure: Omit<Exposure, 'type' | 'id' | 'at'>): void {
    const at = this.now();
    const units = this.unitsOf(exposure.flagKey, exposure.variant, at);
    if (units.has(exposure.unit)) {
      this.repeated += 1;
      return;
    }
    // What finds no place is not remembered, so that it is told when it happens again.
    if (!this.add({ type: 'exposure', id: newId(), at, ...exposure })) return;
    units.add(exposure.unit);
    this.remembered += 1;
  }

  track(event: Omit<MetricEvent, 'type' | 'id' | 'at'>): void {
    this.add({ type: 'metric', id: newId(), at: this.now(), ...event });
  }

  /** Sends what is waiting, without waiting for a better moment. Resolves when all is delivered or one `send` has failed. */
  async flush(): Promise<void> {
    this.stopTimer();
    while (this.waiting.length > 0 && (await this.sendBatch()));
    if (this.waiting.length > 0) this.schedule();
  }

  /**
   * Sends what is waiting, again and again where it fails, and takes nothing more. What is not delivered within `timeoutMs` is given
   * up and reported.
   * @param timeoutMs in milliseconds; of the first call
   */
  close(timeoutMs = 5_000): Promise<void> {
    this.closing ??= this.end(timeoutMs);
    return this.closing;
  }

  private async end(timeoutMs: number): Promise<void> {
    this.isClosed = true;
    const late = new AbortController();
    await within(this.flushUntil(late.signal), timeoutMs);
    late.abort();
    this.stopTimer();
    const left = this.waiting.length;
    this.waiting = [];
    if (left > 0) this.giveUp('closed', left);
    this.report();
  }

  private async flushUntil(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.flush();
      if (this.waiting.length === 0 || signal.aborted) return;
      await pause(Math.min(this.waitMs ?? 0, CLOSING_WAIT_MS), signal);
    }
  }

  private add(event: TrackedEvent): boolean {
    if (this.isClosed || this.waiting.length >= this.capacity) {
      this.giveUp(this.isClosed ? 'closed' : 'full', 1);
      return false;
    }
    this.waiting.push(event);
    this.recorded += 1;
    const isFull = this.waiting.length >= this.batchSize && this.waitMs === undefined;
    if (isFull && this.sending === undefined) void this.flush();
    else this.schedule();
    return true;
  }

  private schedule(): void {
    if (this.timer !== undefined || this.isClosed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.report();
      void this.flush();
    }, this.waitMs ?? this.flushIntervalMs);
    unref(this.timer);
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** One at a time. @returns whether there is any use in sending more now */
  private async sendBatch(): Promise<boolean> {
    this.sending ??= this.deliver(this.waiting.slice(0, this.batchSize));
    await this.sending;
    return this.waitMs === undefined;
  }

  private async deliver(batch: readonly TrackedEvent[]): Promise<void> {
    try {
      await inTime(this.sink.send(batch), this.sendTimeoutMs);
      this.onTaken();
      if (!this.isStillWaiting(batch)) return;
      this.delivered += batch.length;
      this.waiting.splice(0, batch.length);
    } catch (error) {
      if (!this.isStillWaiting(batch)) return;
      if ((error as { retryable?: unknown } | undefined)?.retryable === false) {
        this.onTaken();
        this.waiting.splice(0, batch.length);
        this.giveUp('refused', batch.length);
      } else this.waitMs = this.backoff.next();
    } finally {
      this.sending = undefined;
    }
  }

  private onTaken(): void {
    this.backoff.reset();
    this.waitMs = undefined;
  }

  /** Not after `close` has given up on it. */
  private isStillWaiting(batch: readonly TrackedEvent[]): boolean {
    return this.waiting[0] === batch[0];
  }

  private giveUp(reason: DropReason, events: number): void {
    this.dropped += events;
    this.unreported.set(reason, (this.unreported.get(reason) ?? 0) + events);
    if (this.now() - this.lastReportAt >= this.flushIntervalMs) this.report();
    else this.schedule();
  }

  /** What was given up since the last time, for each reason. */
  private report(): void {
    const drops = [...this.unreported];
    if (drops.length === 0) return;
    this.unreported.clear();
    this.lastReportAt = this.now();
    for (const [reason, events] of drops) this.onDrop({ reason, events, total: this.dropped });
  }

  private unitsOf(flagKey: string, variant: string, at: number): Set<string> {
    const hour = Math.floor(at / HOUR_MS);
    if (hour !== this.hour || this.remembered >= MOST_REMEMBERED) {
      this.hour = hour;
      this.remembered = 0;
      this.seen.clear();
    }
    let variants = this.seen.get(flagKey);
    if (!variants) {
      variants = new Map<string, Set<string>>();
      this.seen.set(flagKey, variants);
    }
    let units = variants.get(variant);
    if (!units) {
      units = new Set<string>();
      variants.set(variant, units);
    }
    return units;
  }
}

/** A random UUID, also in pages without TLS, where `randomUUID` is not to be had. */
function newId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Resolves with it or after the time, whichever is first. */
async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    }),
  ]);
  clearTimeout(timer);
}

async function inTime(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`The sink did not answer within ${timeoutMs} ms.`)),
          timeoutMs,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
