import type { KeyValueStore } from './guarded-store.js';
import type { Deletion, KeyIndex } from './key-index.js';

export interface MemoryStoreOptions {
  /** Default 10,000. */
  readonly maxEntries?: number | undefined;
  /** Approximate, keys and bookkeeping included. Default 64 MB. */
  readonly maxBytes?: number | undefined;
}

interface Entry {
  readonly value: string;
  readonly bytes: number;
  /** On the monotonic clock; undefined lives until it is evicted. */
  readonly expiresAtMs: number | undefined;
}

/** What a Map entry costs beside its text. */
const ENTRY_BYTES = 128;

/** A Keyv store in this process, bounded by entries and bytes: the least recently used entries go first. */
export class MemoryStore implements KeyValueStore, KeyIndex {
  private readonly maxEntries: number;
  private readonly maxBytes: number;
  /** In order of use: a Map iterates in order of insertion, and reading inserts again. */
  private readonly entries = new Map<string, Entry>();
  private usedBytes = 0;

  constructor(options: MemoryStoreOptions = {}) {
    this.maxEntries = options.maxEntries ?? 10_000;
    this.maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  }

  /** Approximate bytes held. */
  get bytes(): number {
    return this.usedBytes;
  }

  get(key: string): Promise<unknown> {
    const entry = this.entries.get(key);
    if (entry === undefined) return Promise.resolve(undefined);
    this.entries.delete(key);
    if (isExpired(entry)) {
      this.usedBytes -= entry.bytes;
      return Promise.resolve(undefined);
    }
    this.entries.set(key, entry);
    return Promise.resolve(entry.value);
  }

  set(key: string, value: unknown, ttlMs?: number): Promise<boolean> {
    this.remove(key);
    if (typeof value !== 'string') return Promise.resolve(false);
    const bytes = ENTRY_BYTES + 2 * (key.length + value.length);
    if (bytes > this.maxBytes) return Promise.resolve(false);
    this.entries.set(key, {
      value,
      bytes,
      expiresAtMs: ttlMs === undefined ? undefined : performance.now() + ttlMs,
    });
    this.usedBytes += bytes;
    this.evict();
    return Promise.resolve(true);
  }

  delete(key: string): Promise<boolean> {
    return Promise.resolve(this.remove(key));
  }

  clear(): Promise<void> {
    this.entries.clear();
    this.usedBytes = 0;
    return Promise.resolve();
  }

  count(prefix: string): Promise<number> {
    let total = 0;
    for (const [key, entry] of this.entries) if (key.startsWith(prefix) && !isExpired(entry)) total += 1;
    return Promise.resolve(total);
  }

  deleteByPrefix(prefix: string): Promise<Deletion> {
    let deleted = 0;
    for (const key of this.entries.keys()) if (key.startsWith(prefix) && this.remove(key)) deleted += 1;
    return Promise.resolve({ deleted, complete: true });
  }

  private evict(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries && this.usedBytes <= this.maxBytes) return;
      this.remove(key);
    }
  }

  private remove(key: string): boolean {
    const entry = this.entries.get(key);
    if (entry === undefined) return false;
    this.usedBytes -= entry.bytes;
    return this.entries.delete(key);
  }
}

function isExpired(entry: Entry): boolean {
  return entry.expiresAtMs !== undefined && performance.now() >= entry.expiresAtMs;
}
