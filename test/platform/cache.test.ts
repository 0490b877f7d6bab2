import { afterEach, describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Breaker } from '../../src/platform/cache/breaker.js';
import { cacheKey } from '../../src/platform/cache/cache-key.js';
import { Cache } from '../../src/platform/cache/cache.js';
import { ConfigModule } from '../../src/platform/config/config.module.js';
import { loadConfig } from '../../src/platform/config/settings.js';
import { CacheModule } from '../../src/platform/cache/cache.module.js';
import { GuardedStore, type KeyValueStore } from '../../src/platform/cache/guarded-store.js';
import { MemoryStore } from '../../src/platform/cache/memory-store.js';
import { RedisConnection } from '../../src/platform/cache/redis-connection.js';
import { escapeGlob } from '../../src/platform/cache/redis-keys.js';

Logger.overrideLogger(false);

/** Short and made of what could be mistaken for a delimiter, an escape or a number, so that collisions are likely. */
const tricky = fc.string({ unit: fc.constantFrom('1', ',', '"', '\\', '\ud800', '\ud801'), maxLength: 2 });
const part = fc.oneof(tricky, fc.string({ unit: 'binary' }), fc.nat({ max: 11 }));
const parts = fc.array(part, { maxLength: 3 });
const numRuns = 5000;
const asBytes = (text: string): string => Buffer.from(text).toString('hex');

describe('cacheKey', () => {
  it.each([
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [['a', 'b'], ['a,b']],
    [['a', 'b'], ['a","b']],
    [['a'], ['a', '']],
    [[''], []],
    [[1], ['1']],
    [[1, 2], [12]],
    [['A'], ['a']],
    [['é'], ['e\u0301']],
    [['\ud800'], ['\ud801']],
    [['\ud800'], ['\\ud800']],
    [['a\r\nDEL b'], ['a', 'DEL b']],
    [['a\0'], ['a']],
    [['vexil:a'], ['a']],
  ] as [(string | number)[], (string | number)[]][])('tells %j from %j', (one, other) => {
    expect(asBytes(cacheKey(...one))).not.toBe(asBytes(cacheKey(...other)));
  });

  it('gives different bytes for different parts', () => {
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(asBytes(cacheKey(...one)) === asBytes(cacheKey(...other))).toBe(same);
      }),
      { numRuns },
    );
  });

  it('makes a prefix of the keys that begin with the same parts, and of no others', () => {
    fc.assert(
      fc.property(parts, parts, (prefix, other) => {
        expect(cacheKey(...prefix, ...other).startsWith(cacheKey(...prefix))).toBe(true);
        const begins = JSON.stringify(other.slice(0, prefix.length)) === JSON.stringify(prefix);
        expect(cacheKey(...other).startsWith(cacheKey(...prefix))).toBe(begins);
      }),
      { numRuns },
    );
  });

  it('escapes what a Redis pattern would read as a wildcard', () => {
    expect(escapeGlob('a*b?[c]\\d-^')).toBe('a\\*b\\?\\[c\\]\\\\d-^');
  });
});

describe('Cache in memory', () => {
  it('returns what was set, also null, false and an empty string', async () => {
    const cache = Cache.inMemory();
    for (const value of [{ a: [1, 'ü'] }, null, false, '', 0]) {
      await cache.set(cacheKey('k'), value, 60);
      expect(await cache.get(cacheKey('k'))).toEqual(value);
    }
  });

  it('gives every reader a copy of its own', async () => {
    const cache = Cache.inMemory();
    await cache.set(cacheKey('k'), { list: [1] }, 60);
    (await cache.get<{ list: number[] }>(cacheKey('k')))?.list.push(2);
    expect(await cache.get(cacheKey('k'))).toEqual({ list: [1] });
  });

  it('forgets a value after its time to live', async () => {
    const cache = Cache.inMemory();
    await cache.set(cacheKey('k'), 1, 0.02);
    expect(await cache.get(cacheKey('k'))).toBe(1);
    await sleep(40);
    expect(await cache.get(cacheKey('k'))).toBeUndefined();
    expect((await cache.stats()).keys).toBe(0);
  });

  it.each([0, -1, Number.NaN])('stores nothing with a time to live of %d s', async (ttlSeconds) => {
    const cache = Cache.inMemory();
    await cache.set(cacheKey('k'), 1, ttlSeconds);
    expect(await cache.get(cacheKey('k'))).toBeUndefined();
  });

  it('does not store more than 8 MB, and keeps no older value in its place', async () => {
    const cache = Cache.inMemory();
    await cache.set(cacheKey('fits'), 'x'.repeat(8 * 1024 * 1024 - 100), 60);
    expect(await cache.get<string>(cacheKey('fits'))).toHaveLength(8 * 1024 * 1024 - 100);
    await cache.set(cacheKey('k'), 'old', 60);
    await cache.set(cacheKey('k'), 'x'.repeat(8 * 1024 * 1024), 60);
    expect(await cache.get(cacheKey('k'))).toBeUndefined();
  });

  it('does not store, and does not reject, what JSON cannot carry', async () => {
    const cache = Cache.inMemory();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const value of [cycle, 1n, undefined, Symbol('s')]) {
      await cache.set(cacheKey('k'), value, 60);
      expect(await cache.get(cacheKey('k'))).toBeUndefined();
    }
  });

  it('deletes by prefix exactly the keys that begin with the same parts', async () => {
    const cache = Cache.inMemory();
    await cache.set(cacheKey('flags', 'prod', 1), 1, 60);
    await cache.set(cacheKey('flags', 'prod', 2), 1, 60);
    await cache.set(cacheKey('flags', 'production', 1), 1, 60);
    expect(await cache.deleteByPrefix(cacheKey('flags', 'prod'))).toEqual({ deleted: 2, complete: true });
    expect(await cache.get(cacheKey('flags', 'production', 1))).toBe(1);
  });

  it('counts hits, misses and keys', async () => {
    const cache = Cache.inMemory();
    expect(cache.counters().hitRate).toBe(0);
    await cache.set(cacheKey('k'), 1, 60);
    await cache.get(cacheKey('k'));
    await cache.get(cacheKey('k'));
    await cache.get(cacheKey('k'));
    await cache.get(cacheKey('other'));
    const zeros = { errors: 0, timeouts: 0, breakerOpenings: 0 };
    const expected = {
      backend: 'memory',
      state: 'up',
      hits: 3,
      misses: 1,
      hitRate: 0.75,
      keys: 1,
      ...zeros,
    };
    expect(await cache.stats()).toEqual(expected);
  });
});

describe('MemoryStore', () => {
  it('evicts the least recently used entry when there are too many', async () => {
    const store = new MemoryStore({ maxEntries: 2 });
    await store.set('a', '1');
    await store.set('b', '2');
    await store.get('a');
    await store.set('c', '3');
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual(['1', undefined, '3']);
  });

  it('never holds more bytes than it may, and counts down to nothing', async () => {
    const store = new MemoryStore({ maxBytes: 10_000 });
    for (let index = 0; index < 500; index += 1) {
      await store.set(`k${index % 37}`, 'x'.repeat((index * 53) % 3000), index % 3 === 0 ? 0 : undefined);
      await store.get(`k${(index * 7) % 37}`);
      expect(store.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(store.bytes).toBeGreaterThan(0);
    await store.deleteByPrefix('k');
    expect(store.bytes).toBe(0);
  });

  it('refuses a value that alone is too big, and removes the one it would have replaced', async () => {
    const store = new MemoryStore({ maxBytes: 1000 });
    await store.set('a', 'small');
    expect(await store.set('a', 'x'.repeat(1000))).toBe(false);
    expect(await store.get('a')).toBeUndefined();
  });
});

/** A store whose next answers the test decides. */
class ScriptedStore implements KeyValueStore {
  calls = 0;
  behaviour: 'answers' | 'fails' | 'hangs' | 'throws' = 'answers';

  get(): Promise<unknown> {
    return this.next('value');
  }
  set(): Promise<boolean> {
    return this.next(true);
  }
  delete(): Promise<boolean> {
    return this.next(true);
  }
  clear(): Promise<void> {
    return this.next(undefined);
  }

  private next<T>(answer: T): Promise<T> {
    this.calls += 1;
    if (this.behaviour === 'throws') throw new Error('thrown');
    if (this.behaviour === 'fails') return Promise.reject(new Error('rejected'));
    if (this.behaviour === 'hangs') return new Promise(() => undefined);
    return Promise.resolve(answer);
  }
}

describe('GuardedStore', () => {
  const guarded = (restMs = 50): { inner: ScriptedStore; store: GuardedStore } => {
    const inner = new ScriptedStore();
    return { inner, store: new GuardedStore(inner, new Breaker({ timeoutMs: 20, restMs })) };
  };

  it.each(['fails', 'hangs', 'throws'] as const)('misses when the store inside %s', async (behaviour) => {
    const { inner, store } = guarded(0);
    inner.behaviour = behaviour;
    expect(await store.get('k')).toBeUndefined();
    expect(await store.set('k', 'v')).toBe(false);
    expect(await store.delete('k')).toBe(false);
    const failures = behaviour === 'hangs' ? { errors: 0, timeouts: 3 } : { errors: 3, timeouts: 0 };
    expect(store.stats()).toEqual({ hits: 0, misses: 1, breaker_openings: 1, ...failures });
  });

  it('leaves the store alone after a failure, then tries one call, then all', async () => {
    const { inner, store } = guarded();
    inner.behaviour = 'hangs';
    await Promise.all(Array.from({ length: 10 }, () => store.get('k')));
    expect(inner.calls).toBe(10);
    await store.get('k');
    expect(inner.calls).toBe(10);
    await sleep(60);
    await Promise.all(Array.from({ length: 10 }, () => store.get('k')));
    expect(inner.calls).toBe(11);
    inner.behaviour = 'answers';
    await sleep(60);
    const answers = await Promise.all(Array.from({ length: 10 }, () => store.get('k')));
    expect(answers.filter((answer) => answer === 'value')).toHaveLength(1);
    expect(inner.calls).toBe(12);
    await Promise.all(Array.from({ length: 10 }, () => store.get('k')));
    expect(inner.calls).toBe(22);
    expect(store.stats()).toMatchObject({ hits: 11, timeouts: 11, breaker_openings: 1 });
  });

  it('keeps trying when an error is itself an answer', async () => {
    const inner = new ScriptedStore();
    const store = new GuardedStore(inner, new Breaker({ isAnswer: (error) => error instanceof Error }));
    inner.behaviour = 'fails';
    await store.get('k');
    await store.get('k');
    expect(inner.calls).toBe(2);
    expect(store.stats()).toMatchObject({ errors: 2, breaker_openings: 0 });
  });

  it('refuses to flush the store inside', async () => {
    const { inner, store } = guarded();
    await expect(store.clear()).rejects.toThrow('delete by prefix');
    expect(inner.calls).toBe(0);
  });
});

describe('CacheModule', () => {
  @Injectable()
  class Consumer {
    constructor(
      readonly cache: Cache,
      @Inject(RedisConnection) readonly redis: RedisConnection | undefined,
    ) {}
  }

  let close: () => Promise<void>;
  afterEach(() => close());

  const consumer = async (env: Record<string, string>): Promise<Consumer> => {
    const module = await Test.createTestingModule({
      imports: [ConfigModule.of(loadConfig(env)), CacheModule],
      providers: [Consumer],
    }).compile();
    close = () => module.close();
    await module.init();
    return module.get(Consumer);
  };

  it('gives a cache in memory and no connection without a URL', async () => {
    const { cache, redis } = await consumer({});
    expect(redis).toBeUndefined();
    await cache.set(cacheKey('a'), 1, 60);
    expect(await cache.stats()).toMatchObject({ backend: 'memory', keys: 1 });
  });

  it('starts at once without the Redis it was told of, and closes the connection on shutdown', async () => {
    const { cache, redis } = await consumer({ REDIS_URL: 'redis://127.0.0.1:1' });
    expect(redis?.isUp).toBe(false);
    await cache.set(cacheKey('a'), 1, 60);
    expect(await cache.get(cacheKey('a'))).toBeUndefined();
    expect(await cache.stats()).toMatchObject({ backend: 'redis', state: 'down' });
    await close();
    expect(redis?.client.isOpen).toBe(false);
  });
});
