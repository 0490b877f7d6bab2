import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { EnvironmentRemoved, EnvironmentRevised } from '../environments/environment.events.js';
import type { EnvironmentRevision } from '../environments/environment.js';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import {
  documentOf,
  FlagSnapshotReader,
  type SnapshotDocument,
  type SnapshotParts,
} from '../flags/flag-snapshot.reader.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DatabaseConnected } from '../platform/database/database.js';
import { withoutDeadline } from '../platform/database/deadline.js';
import { NotificationReceived, NotificationsResumed } from '../platform/database/notifications.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Paced } from '../platform/events/paced.js';
import { Repeating } from '../platform/events/repeating.js';
import { SnapshotArchive } from './snapshot-archive.js';
import type { HeldSnapshot } from './held-snapshot.js';
import { SnapshotStore } from './snapshot-store.js';

const RESTORE_AGAIN_MS = 500;
/** Anybody can claim to have a state that is not known here; however many do, the database is asked no more often. */
const CATCH_UP_EVERY_MS = 250;
/** How often what Redis should have is looked after, in case it was flushed or has forgotten. */
const SHARE_AGAIN_MS = 60_000;

/** Says that an environment is in another state. */
interface News {
  /** Whether the change was made here. */
  readonly isOurs: boolean;
  /** Of the state just before, where that is known. */
  readonly previousStamp?: string | undefined;
}

/**
 * Keeps the snapshots in memory at the revision that the database has: at once for changes made here, on a hint for
 * changes made elsewhere, and by comparing revisions every few seconds in case a hint was lost.
 * Redis → Postgres; Redis and disk for a start without Postgres.
 */
@Injectable()
export class SnapshotsService implements OnApplicationShutdown {
  private readonly loading = new Map<string, Promise<void>>();
  private readonly repeating: readonly Repeating[];
  private restoreTimer: NodeJS.Timeout | undefined;
  private readonly catchingUp = new Paced(CATCH_UP_EVERY_MS, () => this.compare());
  private isClosed = false;

  constructor(
    private readonly store: SnapshotStore,
    private readonly reader: FlagSnapshotReader,
    private readonly revisions: EnvironmentRevisions,
    private readonly archive: SnapshotArchive,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    events.on(EnvironmentRevised, (change) => this.onOurs(change));
    events.on(EnvironmentRemoved, (gone) => this.remove(gone));
    events.on(NotificationReceived, ({ topic, detail }) =>
      topic === 'environment' ? this.onHint(detail) : undefined,
    );
    events.on(NotificationsResumed, () => this.compare());
    events.on(DatabaseConnected, () => this.compare());
    this.repeating = [
      new Repeating(config.revisionPollSeconds * 1000, () => this.compare()),
      new Repeating(SHARE_AGAIN_MS, () => this.shareAgain()),
    ];
  }

  /**
   * For a start without a database: what Redis remembers or the disk holds, whichever is further. Goes on looking while
   * there is nothing, since Redis may be a moment later than we are. Replaced as soon as the database answers.
   */
  async restore(): Promise<void> {
    if (this.store.isReady() || this.isClosed) return;
    const restored = await this.archive.restore();
    // The database may have answered meanwhile, and knows best.
    if (this.store.isReady()) return;
    for (const { document, source, confirmedAt } of restored) this.hold(document, source, confirmedAt);
    if (!this.store.isReady()) {
      this.restoreTimer = setTimeout(() => void this.restore(), RESTORE_AGAIN_MS).unref();
    }
  }

  /** Reads every environment anew from the database, whatever its revision. */
  async reload(): Promise<void> {
    for (const environment of await this.revisions.current())
      await this.load(environment, { isForced: true });
  }

  /**
   * Brings everything to where the database is, asked after this call, and at most a few times a second for all who call.
   * @throws when the database does not answer
   */
  async catchUp(): Promise<void> {
    // Others wait for it, too: it must not end with the request that happened to begin it.
    await withoutDeadline(() => this.catchingUp.run());
  }

  /** Compares what is held with what the database has, and fetches what differs. */
  private async compare(): Promise<void> {
    const before = new Map(this.store.all());
    const current = await this.revisions.current();
    for (const [key, { environmentId: id }] of before) {
      // Only what was held before the question was asked: an environment may have been made since.
      if (!current.some((environment) => environment.key === key)) await this.remove({ id, key });
    }
    const failures: unknown[] = [];
    for (const environment of current) {
      // One that cannot be fetched must not keep the others from being.
      await this.align(environment, before.get(environment.key)).catch((error: unknown) =>
        failures.push(error),
      );
    }
    const now = Date.now();
    for (const environment of current) this.store.confirm(environment, now);
    if (failures.length > 0) throw failures[0];
    this.store.markComplete();
  }

  private async align(environment: EnvironmentRevision, before: HeldSnapshot | undefined): Promise<void> {
    // Held before the question was asked, and beyond the answer: the database was put back to an earlier state.
    const wentBack = (before?.revision ?? 0) > environment.revision;
    if (wentBack) await this.load(environment, { isForced: true });
    else await this.bring(environment, { isOurs: false });
  }

  private async onOurs({ now, previousStamp }: EnvironmentRevised): Promise<void> {
    await this.bring(now, { isOurs: true, previousStamp });
    const held = this.store.get(now.key);
    const { id, revision } = now;
    const before =
      previousStamp === undefined ? undefined : { id, revision: revision - 1, stamp: previousStamp };
    if (held?.environmentId === id) this.archive.shareSoon(held, before);
    this.archive.shareListSoon(this.store.revisions());
  }

  private async onHint({
    id,
    key,
    revision,
    stamp,
    ...more
  }: Readonly<Record<string, unknown>>): Promise<void> {
    if (typeof id !== 'string' || typeof key !== 'string') return;
    if (typeof revision !== 'number' || typeof stamp !== 'string') await this.compare();
    else {
      const { previousStamp: before } = more;
      const previousStamp = typeof before === 'string' ? before : undefined;
      await this.bring({ id, key, revision, stamp }, { isOurs: false, previousStamp });
    }
  }

  /** Fetches an environment unless it is held in this state already, or beyond when the news may be old. */
  private async bring(environment: EnvironmentRevision, news: News): Promise<void> {
    for (;;) {
      if (isAtLeast(this.store.get(environment.key), environment)) return;
      const running = this.loading.get(environment.key);
      if (running) {
        // It may have begun before this change, or fail; look again when it is done.
        await running.catch(() => undefined);
        continue;
      }
      await this.inTurn(environment.key, async () => {
        if (!(await this.follow(environment, news))) await this.fetch(environment, { isForced: news.isOurs });
      });
      return;
    }
  }

  private load(environment: EnvironmentRevision, options: { isForced: boolean }): Promise<void> {
    return this.inTurn(environment.key, () => this.fetch(environment, options));
  }

  /** Lets go of an environment, unless another has taken its key. */
  private remove({ id, key }: Pick<EnvironmentRevision, 'id' | 'key'>): Promise<void> {
    return this.inTurn(key, () => {
      if (this.store.get(key)?.environmentId === id) this.drop(key);
    });
  }

  /** One after the other for each environment, so that what was read earlier never replaces what was read later. */
  private async inTurn(key: string, work: () => Promise<void> | void): Promise<void> {
    const before = this.loading.get(key) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(work);
    this.loading.set(key, mine);
    try {
      await mine;
    } finally {
      if (this.loading.get(key) === mine) this.loading.delete(key);
    }
  }

  /** Reads what is different only, where what is held is the state just before. @returns whether it is served now */
  private async follow(
    { id, key, revision, stamp }: EnvironmentRevision,
    { previousStamp }: News,
  ): Promise<boolean> {
    const held = this.store.get(key);
    // Another stamp is another history, of which the marks of the rows say nothing.
    const isBefore =
      held?.environmentId === id && held.revision === revision - 1 && held.stamp === previousStamp;
    if (!isBefore || held.source === 'disk') return false;
    const change = await this.reader.readSince(id, held.revision);
    const isThere = change !== undefined && change.revision >= revision;
    if (!isThere || (change.revision === revision && change.stamp !== stamp)) return false;
    if (!this.store.holdChange(held, change, Date.now())) return false;
    const now = this.store.get(key);
    if (now) this.archive.save(now, now.confirmedAt);
    this.archive.shareListSoon(this.store.revisions());
    return true;
  }

  private async fetch(environment: EnvironmentRevision, { isForced }: { isForced: boolean }): Promise<void> {
    const shared = isForced ? undefined : await this.archive.shared(environment);
    if (shared && this.hold(shared, 'redis', Date.now())) return;
    const parts = await this.reader.read(environment.key);
    if (!parts) this.drop(environment.key);
    else if (this.holdParts(parts)) this.share(environment.key);
  }

  /** Serves what the database has, and keeps it. @returns whether it could be read */
  private holdParts(parts: SnapshotParts): boolean {
    const previous = this.store.get(parts.environmentKey);
    const now = Date.now();
    if (!this.store.holdParts(parts, now)) return this.hold(documentOf(parts), 'postgres', now);
    this.keep(parts.environmentKey, previous);
    return true;
  }

  /** Serves a snapshot, and keeps it. @returns whether it could be read */
  private hold(document: SnapshotDocument, source: HeldSnapshot['source'], confirmedAt: number): boolean {
    const key = document.ruleset.environment_key;
    const previous = this.store.get(key);
    if (!this.store.hold(document, source, confirmedAt)) return false;
    this.keep(key, previous);
    return true;
  }

  /** Puts what is served now where a start without a database finds it, and takes away what was served before. */
  private keep(key: string, previous: HeldSnapshot | undefined): void {
    const now = this.store.get(key);
    if (!now) return;
    // Deleted and made anew under the same key.
    if (previous && previous.environmentId !== now.environmentId) this.archive.remove(previous.environmentId);
    if (now.source === 'disk') return;
    this.archive.save(now, now.confirmedAt);
    if (previous && (previous.revision !== now.revision || previous.stamp !== now.stamp))
      this.archive.unshare(stateOf(previous));
    this.archive.shareList(this.store.revisions());
  }

  private share(key: string): void {
    const held = this.store.get(key);
    if (held) this.archive.share(held);
  }

  private drop(key: string): void {
    const held = this.store.drop(key);
    if (!held) return;
    this.archive.remove(held.environmentId);
    this.archive.unshare(stateOf(held));
    this.archive.shareList(this.store.revisions());
  }

  /** Puts everything into Redis again, when Redis lacks it. */
  async shareAgain(): Promise<void> {
    if (!(await this.archive.needsSharing())) return;
    for (const held of this.store.all().values()) if (held.source !== 'disk') this.archive.share(held);
    this.archive.shareList(this.store.revisions());
  }

  onApplicationShutdown(): void {
    this.isClosed = true;
    for (const task of this.repeating) task.stop();
    clearTimeout(this.restoreTimer);
  }
}

/** Whether what is held is this state of the environment, or a later one. What came from disk may be a guess. */
function isAtLeast(held: HeldSnapshot | undefined, { id, revision, stamp }: EnvironmentRevision): boolean {
  if (held?.environmentId !== id || held.source === 'disk') return false;
  return held.revision > revision || (held.revision === revision && held.stamp === stamp);
}

const stateOf = ({ environmentId, revision, stamp }: HeldSnapshot) => ({
  id: environmentId,
  revision,
  stamp,
});
