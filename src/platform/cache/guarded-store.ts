import type { Breaker } from './breaker.js';

/** The part of a Keyv store that a cache needs; `KeyvAdapter` of cache-manager fits. */
export interface KeyValueStore {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
}

export interface GuardedStoreStats {
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly breaker_openings: number;
}

/**
 * A Keyv store that turns every failure of the store inside into a miss: it never rejects, and it never takes longer
 * than the time-out of its breaker.
 */
export class GuardedStore implements KeyValueStore {
  private hits = 0;
  private misses = 0;

  constructor(
    private readonly inner: KeyValueStore,
    private readonly breaker: Breaker,
  ) {}

  async get(key: string): Promise<unknown> {
    const value = await this.breaker.run(() => this.inner.get(key), undefined);
    if (value === undefined) this.misses += 1;
    else this.hits += 1;
    return value;
  }

  /** @returns false when the value may not have been stored */
  set(key: string, value: unknown, ttlMs?: number): Promise<boolean> {
    return this.breaker.run(() => this.inner.set(key, value, ttlMs), false);
  }

  /** @returns false when the key may still be there */
  delete(key: string): Promise<boolean> {
    return this.breaker.run(() => this.inner.delete(key), false);
  }

  /** Refused: the store inside would flush a whole database that is not ours alone. */
  clear(): Promise<void> {
    return Promise.reject(new Error('clear() would flush the whole database; delete by prefix instead'));
  }

  stats(): GuardedStoreStats {
    const { errors, timeouts, openings } = this.breaker.stats();
    return { hits: this.hits, misses: this.misses, errors, timeouts, breaker_openings: openings };
  }
}
