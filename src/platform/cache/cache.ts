import { Logger } from '@nestjs/common';
import { createCache, KeyvAdapter, type Cache as CacheManager } from 'cache-manager';
import { redisInsStore } from 'cache-manager-redis-yet';
import { Keyv, type DeserializedData } from 'keyv';
import { ErrorReply } from 'redis';
import { Breaker, type BreakerOptions, type BreakerStats } from './breaker.js';
import type { CacheKey } from './cache-key.js';
import { GuardedStore, type KeyValueStore } from './guarded-store.js';
import type { Deletion, KeyIndex } from './key-index.js';
import { MemoryStore, type MemoryStoreOptions } from './memory-store.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisKeys } from './redis-keys.js';

const NAMESPACE = 'vexil';
/** Of JSON in UTF-8. */
const MAX_VALUE_BYTES = 8 * 1024 * 1024;

export interface CacheCounters {
  readonly backend: 'redis' | 'memory';
  /** `down` while Redis is not connected, or is being left alone after a failure: every read is then a miss. */
  readonly state: 'up' | 'down';
  readonly hits: number;
  readonly misses: number;
  /** Of the store, values that could not be read included, time-outs not. */
  readonly errors: number;
  readonly timeouts: number;
  readonly breakerOpenings: number;
  /** In [0, 1]; 0 before the first read. */
  readonly hitRate: number;
}

export interface CacheStats extends CacheCounters {
  /** Keys of ours in the store; absent when they could not be counted quickly. */
  readonly keys?: number;
}

interface Backend {
  readonly name: CacheCounters['backend'];
  readonly store: KeyValueStore;
  readonly index: KeyIndex;
  state(): CacheCounters['state'];
  failures(): BreakerStats;
}

/**
 * Remembers values that can be had again. No method ever rejects, and none waits for a Redis that does not answer:
 * a failing cache is a cache that misses.
 *
 * Make keys with `cacheKey`, and put a revision into them: a write or a deletion may be lost, or be late.
 */
export class Cache {
  private readonly logger = new Logger(Cache.name);
  private readonly manager: CacheManager;
  private hits = 0;
  private misses = 0;
  private unreadable = 0;

  private constructor(private readonly backend: Backend) {
    const keyv = new Keyv({
      store: backend.store,
      namespace: NAMESPACE,
      serialize: encode,
      deserialize: (text: string) => this.decode(text),
    });
    this.manager = createCache({ stores: [keyv] });
  }

  /** Shared by every instance of the service. The connection stays its owner's, to open and to close. */
  static inRedis(connection: RedisConnection, options: Omit<BreakerOptions, 'isAnswer'> = {}): Cache {
    const breaker = new Breaker({ ...options, isAnswer: isAnswerOfRedis });
    return new Cache({
      name: 'redis',
      store: new GuardedStore(new KeyvAdapter(redisInsStore(connection.client)), breaker),
      index: new RedisKeys(connection.client, breaker),
      // An open breaker that nobody tries says nothing of now: an instance that is asked little would look ill for ever.
      state: () => (connection.isUp && !breaker.isResting ? 'up' : 'down'),
      failures: () => breaker.stats(),
    });
  }

  /** Of this process alone, bounded. */
  static inMemory(options: MemoryStoreOptions = {}): Cache {
    const store = new MemoryStore(options);
    return new Cache({
      name: 'memory',
      store,
      index: store,
      state: () => 'up',
      failures: () => ({ errors: 0, timeouts: 0, openings: 0 }),
    });
  }

  /** Whether other instances, and the next start, see what is in it. */
  get isShared(): boolean {
    return this.backend.name === 'redis';
  }

  /** @returns what `set` was given, after a trip through JSON; undefined for a miss */
  async get<T>(key: CacheKey): Promise<T | undefined> {
    const value = await this.manager.get<T>(key);
    if (value === undefined) this.misses += 1;
    else this.hits += 1;
    return value;
  }

  /**
   * @param value       anything JSON can carry; anything else, or more than 8 MB of it, only removes the older value
   * @param ttlSeconds  0 or less does nothing
   */
  async set(key: CacheKey, value: unknown, ttlSeconds: number): Promise<void> {
    if (!(ttlSeconds > 0)) return;
    try {
      await this.manager.set(key, value, Math.ceil(ttlSeconds * 1000));
    } catch (error) {
      this.logger.warn('A value was not cached', error);
      await this.delete(key);
    }
  }

  async delete(key: CacheKey): Promise<void> {
    await this.manager.del(key);
  }

  /** Deletes every key that begins with the parts of this one; `cacheKey()` means all of ours. */
  deleteByPrefix(prefix: CacheKey): Promise<Deletion> {
    return this.backend.index.deleteByPrefix(`${NAMESPACE}:${prefix}`);
  }

  /** Costs nothing: asks no one. */
  counters(): CacheCounters {
    const { errors, timeouts, openings } = this.backend.failures();
    return {
      backend: this.backend.name,
      state: this.backend.state(),
      hits: this.hits,
      misses: this.misses,
      errors: errors + this.unreadable,
      timeouts,
      breakerOpenings: openings,
      hitRate: this.hits / Math.max(1, this.hits + this.misses),
    };
  }

  /** The counters and the number of keys, for which Redis is searched for up to a quarter of a second. */
  async stats(): Promise<CacheStats> {
    const keys = await this.backend.index.count(`${NAMESPACE}:`);
    return { ...this.counters(), ...(keys === undefined ? {} : { keys }) };
  }

  private decode<T>(text: string): DeserializedData<T> | undefined {
    try {
      return JSON.parse(text) as DeserializedData<T>;
    } catch {
      this.unreadable += 1;
      return undefined;
    }
  }
}

function encode(data: DeserializedData<unknown>): string {
  const text = JSON.stringify(data);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_VALUE_BYTES) throw new RangeError(`${bytes} bytes are more than ${MAX_VALUE_BYTES}`);
  return text;
}

/** Redis refused a command, or what it holds is not JSON: it is alive, and the next key may be fine. */
function isAnswerOfRedis(error: unknown): boolean {
  return error instanceof ErrorReply || error instanceof SyntaxError;
}
