import { Inject, Injectable } from '@nestjs/common';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { NotReady } from '../evaluation/evaluation.errors.js';
import { SnapshotDropped, SnapshotSwapped } from '../evaluation/evaluation.events.js';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import { SnapshotsService } from '../evaluation/snapshots.service.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { EventBus } from '../platform/events/event-bus.js';
import { EnvironmentFeed } from './environment-feed.js';
import { BehindClient } from './stream.errors.js';
import { revisionIn } from './stream-id.js';

/** A ruleset as it is served now. */
export interface ServedRuleset {
  readonly id: string;
  readonly json: Buffer;
  /** Whether it is long since it was known to be what the database has. */
  readonly isStale: boolean;
}

/** Keeps a feed for every environment that this instance serves, from one snapshot to the next. */
@Injectable()
export class FeedsService {
  private readonly feeds = new Map<string, EnvironmentFeed>();

  constructor(
    private readonly store: SnapshotStore,
    private readonly snapshots: SnapshotsService,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    const limits = { changes: config.streamHistoryChanges, bytes: config.streamHistoryBytes };
    events.on(SnapshotSwapped, ({ held }) => {
      const key = held.ruleset.environmentKey;
      const feed = this.feeds.get(key);
      if (feed) feed.move(held);
      else this.feeds.set(key, new EnvironmentFeed(held, limits));
    });
    events.on(SnapshotDropped, ({ environmentKey: key }) => {
      this.feeds.get(key)?.close();
      this.feeds.delete(key);
    });
  }

  /**
   * The feed for a client that has the state of this id, or none. What is not known here is asked of the database first:
   * another instance may have been faster, and nobody is to be taken back.
   * @throws EnvironmentNotFound, NotReady; BehindClient when the database cannot be asked and the client seems to be ahead
   */
  async feedFor(environmentKey: string, id: string | undefined): Promise<EnvironmentFeed> {
    const feed = this.feed(environmentKey);
    const revision = id === undefined ? undefined : revisionIn(id);
    if (id === undefined || revision === undefined || feed.positionOf(id)) return feed;
    try {
      await this.snapshots.catchUp();
    } catch {
      if (revision >= feed.revision && !feed.positionOf(id)) throw new BehindClient();
    }
    return this.feed(environmentKey);
  }

  /** Names the state that is served. @throws EnvironmentNotFound, NotReady */
  idOf(environmentKey: string): string {
    return this.feed(environmentKey).id;
  }

  /**
   * Sees to it that what is served is not before the state of this id, as far as that can be: somebody heard of it from another instance.
   * @throws EnvironmentNotFound, NotReady
   */
  async reach(environmentKey: string, id: string): Promise<void> {
    await this.feedFor(environmentKey, id).catch((error: unknown) => {
      if (!(error instanceof BehindClient)) throw error;
    });
  }

  /** @throws EnvironmentNotFound, NotReady */
  async ruleset(environmentKey: string, id: string | undefined): Promise<ServedRuleset> {
    const feed = await this.feedFor(environmentKey, id).catch((error: unknown) => {
      // What is here is better than nothing for those who only ask now and then.
      if (error instanceof BehindClient) return this.feed(environmentKey);
      throw error;
    });
    const held = this.store.get(environmentKey);
    return { id: feed.id, json: feed.rulesetJson(), isStale: !held || this.store.isStale(held) };
  }

  private feed(environmentKey: string): EnvironmentFeed {
    const feed = this.feeds.get(environmentKey);
    if (feed) return feed;
    if (!this.store.knowsAll) throw new NotReady();
    throw new EnvironmentNotFound(environmentKey);
  }
}
