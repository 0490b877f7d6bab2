export interface CacheOptions {
  /** How long an answer counts as fresh, in milliseconds. 0: nothing is kept. */
  readonly ttlMs: number;
  /** How long after that it may still be given while the service cannot be asked, in milliseconds. */
  readonly staleMs: number;
  /** How many answers are kept; the one that was not asked for longest goes first. */
  readonly maxEntries: number;
  readonly now: () => number;
}

export interface CacheCounts {
  readonly size: number;
  readonly hits: number;
  readonly misses: number;
  /** Answers given although they were no longer fresh. */
  readonly stale: number;
}

interface Entry<T> {
  readonly value: T;
  readonly at: number;
}

/** What a key has in the cache: `fresh`, or `stale` while the service cannot be asked. */
export interface Cached<T> {
  readonly value: T;
  readonly isFresh: boolean;
}

/** Keeps answers for a while, at most so many of them, least recently asked first out. */
export class AnswerCache<T> {
  private readonly entries = new Map<string, Entry<T>>();
  private hits = 0;
  private misses = 0;
  private stale = 0;

  constructor(private readonly options: CacheOptions) {}

  get counts(): CacheCounts {
    const { hits, misses, stale } = this;
    return { size: this.entries.size, hits, misses, stale };
  }

  /** A fresh answer. */
  fresh(key: string): T | undefined {
    const found = this.find(key);
    if (found?.isFresh === true) {
      this.hits += 1;
      return found.value;
    }
    this.misses += 1;
    return undefined;
  }

  /** Any answer that may be given while the service cannot be asked. */
  last(key: string): T | undefined {
    const found = this.find(key);
    if (found && !found.isFresh) this.stale += 1;
    return found?.value;
  }

  set(key: string, value: T): void {
    const { ttlMs, maxEntries, now } = this.options;
    if (ttlMs <= 0 || maxEntries <= 0) return;
    this.entries.delete(key);
    this.entries.set(key, { value, at: now() });
    if (this.entries.size > maxEntries) this.forgetOldest();
  }

  clear(): void {
    this.entries.clear();
  }

  private find(key: string): Cached<T> | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    // A clock that was put back must not make an answer fresh for longer.
    const age = Math.abs(this.options.now() - entry.at);
    if (age > this.options.ttlMs + this.options.staleMs) {
      this.entries.delete(key);
      return undefined;
    }
    this.entries.delete(key);
    this.entries.set(key, entry);
    return { value: entry.value, isFresh: age < this.options.ttlMs };
  }

  private forgetOldest(): void {
    for (const key of this.entries.keys()) {
      this.entries.delete(key);
      return;
    }
  }
}
