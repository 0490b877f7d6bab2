/** What leaves a client besides questions: who saw which variant, and what they did afterwards. */

/** Somebody was given a variant. */
export interface Exposure {
  readonly type: 'exposure';
  /** Made here, so that an event which arrives twice is counted once. */
  readonly id: string;
  /** When it was first seen, in epoch milliseconds. */
  readonly at: number;
  readonly flagKey: string;
  readonly variant: string;
  /** The `targetingKey` of the context. */
  readonly unit: string;
  readonly flagVersion: number | undefined;
  /** The environment's revision that decided, where the client knows it. */
  readonly revision: number | undefined;
}

/** Something happened that a variant may have led to: a purchase, a page seen. */
export interface MetricEvent {
  readonly type: 'metric';
  readonly id: string;
  /** In epoch milliseconds. */
  readonly at: number;
  readonly name: string;
  /** The `targetingKey` of the context. */
  readonly unit: string | undefined;
  readonly value: number | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export type TrackedEvent = Exposure | MetricEvent;

/**
 * Takes events out of the process. What it resolves for, with whatever, is delivered; what it rejects comes again with the same ids, unless
 * the error says `retryable: false`.
 */
export interface ExposureSink {
  send(events: readonly TrackedEvent[]): Promise<unknown>;
}

/** Nobody is interested: clients do not even collect. */
export const NO_SINK: ExposureSink = { send: () => Promise.resolve() };

/** Why events were given up. */
export type DropReason = 'full' | 'refused' | 'closed';

export interface Drop {
  readonly reason: DropReason;
  /** How many events this report is about. */
  readonly events: number;
  /** How many were given up so far, for whatever reason. */
  readonly total: number;
}

export interface ExposureCounts {
  /** Events that were taken into the queue. */
  readonly recorded: number;
  /** Exposures that had been recorded in the same hour. */
  readonly repeated: number;
  readonly delivered: number;
  readonly dropped: number;
  /** Now waiting. */
  readonly queued: number;
}

export interface ExposureOptions {
  /** Where events go; without one nothing is collected. */
  readonly sink: ExposureSink;
  /** How many may wait. 10,000 unless said otherwise. */
  readonly capacity?: number;
  /** How many go in one `send`. 500 unless said otherwise. */
  readonly batchSize?: number;
  /** How long an event waits for others, in milliseconds. 10,000 unless said otherwise. */
  readonly flushIntervalMs?: number;
  /** How long one `send` may take, in milliseconds. 10,000 unless said otherwise. */
  readonly sendTimeoutMs?: number;
}
