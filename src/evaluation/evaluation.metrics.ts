import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import type { Decision } from '../core/index.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Tally, type Count } from '../platform/metrics/tally.js';
import { SnapshotDropped, SnapshotSwapped } from './evaluation.events.js';
import { SnapshotStore } from './snapshot-store.js';

/** How often the service answered with a variant of a flag. */
export interface Answers {
  readonly environmentKey: string;
  readonly flagKey: string;
  /** `null`: no value, so the caller's default. */
  readonly variant: string | null;
  readonly count: number;
}

/** What answers about flags that exist nowhere are counted under; neither can be the key of a flag or a variant. */
const UNKNOWN = '(unknown)';
const NO_VARIANT = '(none)';

/** Counts answers by flag and variant, and tells how fresh the snapshots are. */
@Injectable()
export class EvaluationMetrics {
  private readonly evaluations: Tally<'environment' | 'flag' | 'variant' | 'reason'>;

  private mayHaveGone = false;

  constructor(
    { registry }: Metrics,
    private readonly snapshots: SnapshotStore,
    events: EventBus,
  ) {
    for (const event of [SnapshotSwapped, SnapshotDropped])
      events.on<object>(event, () => void (this.mayHaveGone = true));
    this.evaluations = new Tally(registry, {
      name: 'vexil_evaluations_total',
      help: 'Answers given, by environment, flag, variant and reason. Unknown flags are counted together.',
      labels: ['environment', 'flag', 'variant', 'reason'],
      by: 'flag',
    });
    new Gauge({
      name: 'vexil_snapshot_age_seconds',
      help: 'Seconds since the snapshot of an environment was last known to be what the database has.',
      labelNames: ['environment'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, held] of snapshots.all())
          this.set({ environment: key }, (Date.now() - held.confirmedAt) / 1000);
      },
    });
    new Gauge({
      name: 'vexil_snapshot_revision',
      help: 'Revision of the snapshot that answers in an environment.',
      labelNames: ['environment'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, held] of snapshots.all()) this.set({ environment: key }, held.revision);
      },
    });
    new Gauge({
      name: 'vexil_unreadable_flags',
      help: 'Flags that could not be read and answer ERROR.',
      labelNames: ['environment'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, held] of snapshots.all()) this.set({ environment: key }, held.unreadable.length);
      },
    });
  }

  count(environment: string, decision: Decision): void {
    this.countOf(environment, decision).count += 1;
  }

  /** Where decisions like this one are counted. */
  countOf(environment: string, { flagKey, variant, reason, errorCode }: Decision): Count {
    // A key that exists nowhere may be anything, so it must not become a label.
    const flag = errorCode === 'FLAG_NOT_FOUND' ? UNKNOWN : flagKey;
    return this.evaluations.of([environment, flag, variant ?? NO_VARIANT, reason]);
  }

  /**
   * The answers about flags that exist since this was asked last, whatever their reasons; for one reader. What is counted
   * of flags and environments that are gone is forgotten, here and in the figures: it costs a look at all of it, so not at
   * every change.
   */
  takeAnswers(): Answers[] {
    if (this.mayHaveGone) this.evaluations.keepOnly((values) => this.isThere(values));
    this.mayHaveGone = false;
    return this.evaluations
      .takeNew()
      .flatMap(({ values: [environmentKey, flagKey, variant], count }) =>
        environmentKey === undefined || flagKey === undefined || variant === undefined || flagKey === UNKNOWN
          ? []
          : { environmentKey, flagKey, variant: variant === NO_VARIANT ? null : variant, count },
      );
  }

  private isThere([environment = '', flag = '']: readonly string[]): boolean {
    const held = this.snapshots.get(environment);
    return held !== undefined && (flag === UNKNOWN || held.compiled.flags.has(flag));
  }
}
