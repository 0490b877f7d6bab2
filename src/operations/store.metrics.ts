import { Injectable } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Cache } from '../platform/cache/cache.js';
import { Database } from '../platform/database/database.js';
import { Metrics } from '../platform/metrics/metrics.js';

/** Figures of the stores that this instance uses. */
@Injectable()
export class StoreMetrics {
  constructor({ registry }: Metrics, database: Database, cache: Cache) {
    new Gauge({
      name: 'vexil_database_connections',
      help: 'Connections of this instance to the database by state, and requests waiting for one.',
      labelNames: ['state'],
      registers: [registry],
      collect() {
        const { total, idle, waiting } = database.pool();
        this.set({ state: 'busy' }, total - idle);
        this.set({ state: 'idle' }, idle);
        this.set({ state: 'waiting' }, waiting);
      },
    });
    new Gauge({
      name: 'vexil_cache_reads',
      help: 'Reads of the cache by this instance since it started, by outcome.',
      labelNames: ['outcome'],
      registers: [registry],
      collect() {
        const { hits, misses, errors, timeouts } = cache.counters();
        for (const [outcome, count] of Object.entries({ hits, misses, errors, timeouts }))
          this.set({ outcome }, count);
      },
    });
    new Gauge({
      name: 'vexil_cache_up',
      help: '1 while the cache answers.',
      registers: [registry],
      collect() {
        this.set(cache.counters().state === 'up' ? 1 : 0);
      },
    });
  }
}
