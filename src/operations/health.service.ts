import { Injectable } from '@nestjs/common';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import { Cache } from '../platform/cache/cache.js';
import { within } from '../platform/cache/time-limit.js';
import { Database } from '../platform/database/database.js';
import { Readiness } from './readiness.js';

export interface EnvironmentHealth {
  readonly key: string;
  readonly revision: number;
  readonly source: string;
  readonly ageSeconds: number;
  readonly isStale: boolean;
}

export interface Health {
  /** Whether this instance should be sent requests. */
  readonly isReady: boolean;
  /** What does not answer, or is stale, while the service goes on without it. */
  readonly degraded: readonly ('database' | 'redis' | 'snapshots')[];
  readonly database: 'connected' | 'disconnected';
  readonly cache: 'connected' | 'disconnected' | 'memory';
  readonly environments: readonly EnvironmentHealth[];
}

/** Probes give up after a second, often, and a database that is frozen must not look like a service that is. */
const PATIENCE_MS = 700;

/** Asks every part for a sign of life, each for a moment only. */
@Injectable()
export class HealthService {
  private asking: Promise<void> | undefined;

  constructor(
    private readonly database: Database,
    private readonly cache: Cache,
    private readonly snapshots: SnapshotStore,
    private readonly readiness: Readiness,
  ) {}

  async check(): Promise<Health> {
    const isConnected = await this.hasDatabase();
    const { backend, state } = this.cache.counters();
    const now = Date.now();
    const environments = [...this.snapshots.all()].map(([key, held]) => ({
      key,
      revision: held.revision,
      source: held.source,
      ageSeconds: Math.max(0, Math.round((now - held.confirmedAt) / 1000)),
      isStale: this.snapshots.isStale(held, now),
    }));
    return {
      isReady: this.snapshots.isReady() && !this.readiness.isClosing,
      degraded: [
        ...(isConnected ? [] : (['database'] as const)),
        ...(backend === 'redis' && state === 'down' ? (['redis'] as const) : []),
        ...(environments.some(({ isStale }) => isStale) ? (['snapshots'] as const) : []),
      ],
      database: isConnected ? 'connected' : 'disconnected',
      cache: backend === 'memory' ? 'memory' : state === 'up' ? 'connected' : 'disconnected',
      environments,
    };
  }

  /** Those who ask at the same time share one question, which a frozen database may keep open for longer. */
  private async hasDatabase(): Promise<boolean> {
    this.asking ??= this.database.ping().finally(() => {
      this.asking = undefined;
    });
    return within(PATIENCE_MS, this.asking).then(
      () => true,
      () => false,
    );
  }
}
