import { Injectable } from '@nestjs/common';
import { CACHED_READS } from '../flags/cached-reads.interceptor.js';
import { Cache, type CacheStats } from '../platform/cache/cache.js';
import type { HeldSnapshot } from './held-snapshot.js';
import { SnapshotStore } from './snapshot-store.js';
import { SnapshotsService } from './snapshots.service.js';

export interface CacheReport {
  readonly shared: CacheStats;
  readonly snapshots: ReadonlyMap<string, HeldSnapshot>;
}

/** Tells how the caches do, and empties them on request. */
@Injectable()
export class CachesService {
  constructor(
    private readonly cache: Cache,
    private readonly store: SnapshotStore,
    private readonly snapshots: SnapshotsService,
  ) {}

  async stats(): Promise<CacheReport> {
    return { shared: await this.cache.stats(), snapshots: this.store.all() };
  }

  /** Lists speak of many flags, so what is cached of one flag is dropped with the lists it may be in. */
  async drop(): Promise<void> {
    await this.cache.deleteByPrefix(CACHED_READS);
    await this.snapshots.reload();
  }
}
