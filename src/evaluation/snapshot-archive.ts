import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { join } from 'node:path';
import { parseSnapshot, SPEC_VERSION } from '../core/index.js';
import type { EnvironmentRevision } from '../environments/environment.js';
import type { SnapshotDocument } from '../flags/flag-snapshot.reader.js';
import type { ServedState } from './ruleset-text.js';
import { cacheKey, type CacheKey } from '../platform/cache/cache-key.js';
import { Cache } from '../platform/cache/cache.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { isStored, SnapshotFiles, type StoredSnapshot } from './snapshot-file.js';

/** A snapshot from where it was left for a start without a database. */
export interface RestoredSnapshot {
  readonly document: SnapshotDocument;
  readonly source: 'redis' | 'disk';
  /** When it was known to be what the database has, in milliseconds since 1970. */
  readonly confirmedAt: number;
}

const IN_REDIS_SECONDS = 24 * 60 * 60;
/** Well before the first of them is forgotten. */
const SHARE_ALL_AGAIN_MS = 12 * 60 * 60 * 1000;
const DELAY_MS = 200;
/**
 * Counts what was added to the documents within a version of theirs, here `client_visible`. An older release beside this one
 * writes documents without it, and they must not be taken for those of the same state that have it.
 */
export const WRITTEN = `${SPEC_VERSION}.2`;
// With the version of the documents, since the next release may write others beside this one.
const LIST_OF_ENVIRONMENTS = cacheKey('snapshots', WRITTEN);
type SharedState = Omit<EnvironmentRevision, 'key'>;

const keyOf = ({ id, revision, stamp }: SharedState) => cacheKey('snapshot', WRITTEN, id, revision, stamp);

/**
 * Keeps snapshots outside this process: in Redis, by state, for the other instances and for the next start; and the
 * last of each environment on disk. Nothing here is waited for by a change, and no failure of it reaches one.
 */
@Injectable()
export class SnapshotArchive implements OnApplicationShutdown {
  private readonly logger = new Logger(SnapshotArchive.name);
  private readonly files: SnapshotFiles;
  private readonly unsaved = new Map<string, { state: ServedState; at: number }>();
  private readonly unshared = new Map<string, { state: ServedState; supersedes: readonly SharedState[] }>();
  private unlisted: readonly EnvironmentRevision[] | undefined;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private allSharedAt = Date.now();

  constructor(
    private readonly cache: Cache,
    @Inject(CONFIG) config: Config,
  ) {
    this.files = new SnapshotFiles(join(config.dataDir, 'snapshots'), (ruleset) => parseSnapshot(ruleset).ok);
  }

  /** What another instance has put into Redis for exactly this state. */
  async shared(environment: EnvironmentRevision): Promise<SnapshotDocument | undefined> {
    const stored = this.cache.isShared ? await this.cache.get(keyOf(environment)) : undefined;
    return isStored(stored) ? stored : undefined;
  }

  /** Puts a snapshot into Redis. What it supersedes is to be forgotten with `unshare`. */
  share(state: ServedState): void {
    if (!this.cache.isShared) return;
    const ruleset = JSON.parse(state.ruleset.json()) as SnapshotDocument['ruleset'];
    const { environmentId, stamp } = state;
    const stored: StoredSnapshot = { environmentId, stamp, ruleset, savedAt: new Date().toISOString() };
    this.put(keyOf({ id: environmentId, revision: ruleset.revision, stamp }), stored);
  }

  unshare(environment: SharedState): void {
    if (this.cache.isShared) void this.cache.delete(keyOf(environment));
  }

  /**
   * Says in Redis which snapshots are the present ones: a start without a database knows no revisions. Every instance
   * says it whenever it moved on, so that whoever speaks last speaks of the last state.
   */
  shareList(environments: readonly EnvironmentRevision[]): void {
    this.put(LIST_OF_ENVIRONMENTS, environments);
  }

  /** Whether Redis, which answers, was flushed or began anew, or will soon forget: then everything is to be put there again. */
  async needsSharing(): Promise<boolean> {
    if (!this.cache.isShared || this.cache.counters().state === 'down') return false;
    const isOld = Date.now() - this.allSharedAt > SHARE_ALL_AGAIN_MS;
    const isNeeded = isOld || (await this.cache.get(LIST_OF_ENVIRONMENTS)) === undefined;
    if (isNeeded) this.allSharedAt = Date.now();
    return isNeeded;
  }

  /** Writes a snapshot to disk, soon; of several for one environment the last. */
  save(state: ServedState, confirmedAt: number): void {
    this.unsaved.set(state.environmentId, { state, at: confirmedAt });
    this.writeSoon();
  }

  /** Puts a snapshot into Redis, soon, in the place of an earlier one; of several for one environment the last. */
  shareSoon(state: ServedState, supersedes: SharedState | undefined): void {
    if (!this.cache.isShared) return;
    const waiting = this.unshared.get(state.environmentId)?.supersedes ?? [];
    this.unshared.set(state.environmentId, {
      state,
      supersedes: supersedes ? [...waiting, supersedes] : waiting,
    });
    this.writeSoon();
  }

  /** `shareList`, once what waits to be shared is. */
  shareListSoon(environments: readonly EnvironmentRevision[]): void {
    this.unlisted = environments;
    this.writeSoon();
  }

  private writeSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.writing = this.writing.then(() => this.writeAll());
    }, DELAY_MS).unref();
  }

  /** Removes the file of an environment that is gone. */
  remove(environmentId: string): void {
    this.unsaved.delete(environmentId);
    this.unshared.delete(environmentId);
    this.writing = this.writing.then(() => this.files.remove(environmentId)).catch(() => undefined);
  }

  /** The furthest snapshot of each environment that Redis remembers or the disk holds. */
  async restore(): Promise<RestoredSnapshot[]> {
    const furthest = new Map<string, RestoredSnapshot>();
    for (const candidate of [...(await this.inRedis()), ...(await this.onDisk())]) {
      const { environmentId, ruleset } = candidate.document;
      const known = furthest.get(ruleset.environment_key)?.document;
      // Redis comes first, and knows better which of two environments with the same key is the present one.
      const isFurther =
        known === undefined ||
        (known.environmentId === environmentId && known.ruleset.revision < ruleset.revision);
      if (isFurther) furthest.set(ruleset.environment_key, candidate);
    }
    return [...furthest.values()];
  }

  private async inRedis(): Promise<RestoredSnapshot[]> {
    const list = this.cache.isShared ? await this.cache.get(LIST_OF_ENVIRONMENTS) : undefined;
    const found: RestoredSnapshot[] = [];
    for (const environment of Array.isArray(list) ? (list as EnvironmentRevision[]) : []) {
      const stored = await this.cache.get(keyOf(environment));
      if (isStored(stored)) found.push(restored(stored, 'redis'));
    }
    return found;
  }

  /** Into memory of this process it would be a copy of what is held already. */
  private put(key: CacheKey, value: unknown): void {
    if (this.cache.isShared) void this.cache.set(key, value, IN_REDIS_SECONDS);
  }

  private async onDisk(): Promise<RestoredSnapshot[]> {
    const { snapshots, refused } = await this.files.readAll();
    for (const file of refused)
      this.logger.warn(`${file} is damaged, or not of this version, and was passed over.`);
    return snapshots.map((stored) => restored(stored, 'disk'));
  }

  private async writeAll(): Promise<void> {
    const [files, shared, list] = [[...this.unsaved.values()], [...this.unshared.values()], this.unlisted];
    this.unsaved.clear();
    this.unshared.clear();
    this.unlisted = undefined;
    for (const { state, supersedes } of shared) {
      this.share(state);
      for (const old of supersedes) this.unshare(old);
    }
    if (list) this.shareList(list);
    for (const { state, at } of files) {
      try {
        await this.files.write(state, new Date(at));
      } catch (error) {
        this.logger.warn('A snapshot could not be saved to disk', error);
      }
    }
  }

  async onApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    await this.writing;
    await this.writeAll();
  }
}

function restored(
  { savedAt, ...document }: StoredSnapshot,
  source: RestoredSnapshot['source'],
): RestoredSnapshot {
  return { document, source, confirmedAt: Date.parse(savedAt) || 0 };
}
