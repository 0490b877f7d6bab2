import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import type { Decision } from '../core/index.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { Tally } from '../platform/metrics/tally.js';
import { SnapshotStore } from './snapshot-store.js';

/** Counts answers by flag and variant, and tells how fresh the snapshots are. */
@Injectable()
export class EvaluationMetrics {
  private readonly evaluations: Tally<'environment' | 'flag' | 'variant' | 'reason'>;

  constructor({ registry }: Metrics, snapshots: SnapshotStore) {
    this.evaluations = new Tally(registry, {
      name: 'vexil_evaluations_total',
      help: 'Answers given, by environment, flag, variant and reason. Unknown flags are counted together.',
      labels: ['environment', 'flag', 'variant', 'reason'],
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

  count(environment: string, { flagKey, variant, reason, errorCode }: Decision): void {
    // A key that exists nowhere may be anything, so it must not become a label.
    const flag = errorCode === 'FLAG_NOT_FOUND' ? '(unknown)' : flagKey;
    this.evaluations.add(environment, flag, variant ?? '(none)', reason);
  }
}
