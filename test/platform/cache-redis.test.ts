import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheKey } from '../../src/platform/cache/cache-key.js';
import { Cache } from '../../src/platform/cache/cache.js';
import { RedisConnection } from '../../src/platform/cache/redis-connection.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

const KEY = cacheKey('k');
/** What a caller may have to wait at the very most; the cache promises a tenth of a second. */
const BOUND_MS = 2000;

const silent = {
  log: jest.fn(),
  warn: jest.fn(),
  error: jest.fn(),
  debug: jest.fn(),
  verbose: jest.fn(),
  fatal: jest.fn(),
};

let server: RedisServer;
let connections: RedisConnection[] = [];

beforeEach(() => {
  Logger.overrideLogger(silent);
  jest.clearAllMocks();
});

afterEach(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  connections = [];
  await server.close();
});

function connectionTo(url: string): RedisConnection {
  const connection = new RedisConnection({ url });
  connections.push(connection);
  connection.open();
  return connection;
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 10_000;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`still not so after 10 s: ${isTrue.toString()}`);
    await sleep(10);
  }
}

/** A cache on the test's server, connected. */
async function connected(): Promise<{ cache: Cache; connection: RedisConnection }> {
  const connection = connectionTo(server.url);
  await until(() => connection.isUp);
  return { cache: Cache.inRedis(connection), connection };
}

/** Runs every operation over and over, as a busy service does, until told to stop. Rejections reject `stop`. */
function traffic(cache: Cache): { stop: () => Promise<{ slowestMs: number; calls: number }> } {
  let isOver = false;
  let slowestMs = 0;
  let calls = 0;
  const timed = async (operation: () => Promise<unknown>): Promise<void> => {
    const startMs = performance.now();
    await operation();
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    calls += 1;
  };
  const worker = async (id: number): Promise<void> => {
    while (!isOver) {
      await timed(() => cache.set(cacheKey('traffic', id), { id }, 60));
      await timed(() => cache.get(cacheKey('traffic', id)));
      await timed(() => cache.delete(cacheKey('traffic', id)));
      await timed(() => cache.deleteByPrefix(cacheKey('traffic', id)));
      await timed(() => cache.stats());
      await sleep(5);
    }
  };
  const workers = Promise.all([1, 2, 3, 4, 5].map(worker));
  return {
    stop: async () => {
      isOver = true;
      await workers;
      return { slowestMs, calls };
    },
  };
}

async function roundTrips(cache: Cache): Promise<boolean> {
  await cache.set(KEY, 'back', 60);
  return (await cache.get(KEY)) === 'back';
}

describeWithRedis('given a Redis that works', () => {
  beforeEach(async () => {
    server = await RedisServer.running();
  });

  it('returns what was set, also to another instance, until it is deleted', async () => {
    const { cache } = await connected();
    const { cache: other } = await connected();
    for (const value of [{ a: [1, 'ü'] }, null, false, '', 0, 'x'.repeat(1_000_000)]) {
      await cache.set(KEY, value, 60);
      expect(await other.get(KEY)).toEqual(value);
    }
    await other.delete(KEY);
    expect(await cache.get(KEY)).toBeUndefined();
    expect(cache.counters()).toMatchObject({ backend: 'redis', state: 'up', errors: 0, timeouts: 0 });
  });

  it('lets Redis expire every key, under our namespace', async () => {
    const { cache, connection } = await connected();
    await cache.set(KEY, 1, 60);
    expect(await connection.client.keys('*')).toEqual([`vexil:${KEY}`]);
    expect(await connection.client.pTTL(`vexil:${KEY}`)).toBeGreaterThan(50_000);
  });

  it('does not store more than 8 MB', async () => {
    const { cache, connection } = await connected();
    await cache.set(KEY, 'x'.repeat(8 * 1024 * 1024), 60);
    expect(await connection.client.dbSize()).toBe(0);
  });

  it.each(['', 'not json', '"not json inside"', '"5"', '5', 'null', '[]', '{}', '"{\\"value\\":', '\0'])(
    'misses on the corrupt value %j, and reads the next key',
    async (corrupt) => {
      const { cache, connection } = await connected();
      await cache.set(cacheKey('fine'), 1, 60);
      await connection.client.set(`vexil:${KEY}`, corrupt);
      expect(await cache.get(KEY)).toBeUndefined();
      expect(await cache.get(cacheKey('fine'))).toBe(1);
      await cache.set(KEY, 'mended', 60);
      expect(await cache.get(KEY)).toBe('mended');
      expect(cache.counters().breakerOpenings).toBe(0);
    },
  );

  it('misses on a key of another type, and goes on reading others', async () => {
    const { cache, connection } = await connected();
    await connection.client.lPush(`vexil:${KEY}`, 'element');
    expect(await cache.get(KEY)).toBeUndefined();
    expect(cache.counters()).toMatchObject({ state: 'up', errors: 1 });
  });

  it('goes on reading when Redis has no memory left for writing', async () => {
    const { cache, connection } = await connected();
    await cache.set(KEY, 'kept', 60);
    await connection.client.configSet('maxmemory', '1');
    await cache.set(cacheKey('refused'), 1, 60);
    expect(await cache.get(KEY)).toBe('kept');
    expect(await cache.get(cacheKey('refused'))).toBeUndefined();
  });

  it('deletes by prefix thousands of keys of ours, and nothing else', async () => {
    const { cache, connection } = await connected();
    const mine = Array.from({ length: 5000 }, (_, index) => `vexil:${cacheKey('flags', '[a-z]*?\\', index)}`);
    await connection.client.mSet(Object.fromEntries(mine.map((key) => [key, 'x'])));
    const others = ['foreign', cacheKey('flags', '[a-z]*?\\'), `vexil:${cacheKey('flags', 'b')}`, 'vexil2:k'];
    await connection.client.mSet(Object.fromEntries(others.map((key) => [key, 'x'])));
    expect((await cache.stats()).keys).toBe(5001);
    const deletion = await cache.deleteByPrefix(cacheKey('flags', '[a-z]*?\\'));
    expect(deletion).toEqual({ deleted: 5000, complete: true });
    expect(await connection.client.dbSize()).toBe(others.length);
  });

  it('connects to a database behind a password and says so when the password is wrong, once and without it', async () => {
    const guarded = await RedisServer.running('--requirepass', 'p@ss/word');
    try {
      const right = connectionTo(`redis://:${encodeURIComponent('p@ss/word')}@127.0.0.1:${guarded.port}/3`);
      await until(() => right.isUp);
      expect(await roundTrips(Cache.inRedis(right))).toBe(true);
      expect(await right.client.clientInfo()).toMatchObject({ db: 3 });
      const wrong = connectionTo(`redis://:guessed-it@127.0.0.1:${guarded.port}`);
      await until(() => silent.warn.mock.calls.length > 0);
      await sleep(300);
      expect(wrong.isUp).toBe(false);
      expect(silent.warn).toHaveBeenCalledTimes(1);
      const said = silent.warn.mock.calls[0]!.map((part) => String(part)).join(' ');
      expect(said).toContain('WRONGPASS');
      expect(said).not.toContain('guessed-it');
    } finally {
      await guarded.close();
    }
  });

  it('speaks TLS to a rediss URL, and stays down when the server does not', async () => {
    const connection = connectionTo(server.url.replace('redis:', 'rediss:'));
    await until(() => silent.warn.mock.calls.length > 0);
    expect(connection.client.options?.socket).toMatchObject({ tls: true });
    expect(await Cache.inRedis(connection).get(KEY)).toBeUndefined();
  });

  it.each(['http://127.0.0.1', 'redis://127.0.0.1/zero', 'localhost'])('refuses the URL %s', (url) => {
    expect(() => new RedisConnection({ url })).toThrow('Invalid');
  });
});

describeWithRedis('given a Redis that fails', () => {
  beforeEach(async () => {
    server = await RedisServer.running();
  });

  it('misses while Redis is dead, and recovers when it is started again', async () => {
    const { cache } = await connected();
    await cache.set(KEY, 'before', 60);
    const load = traffic(cache);
    for (let round = 0; round < 3; round += 1) {
      await sleep(100);
      await server.kill();
      await until(() => cache.counters().state === 'down');
      expect(await cache.get(KEY)).toBeUndefined();
      await sleep(100);
      await server.start();
      await until(() => roundTrips(cache));
    }
    const { slowestMs, calls } = await load.stop();
    expect(slowestMs).toBeLessThan(BOUND_MS);
    expect(calls).toBeGreaterThan(100);
    expect(silent.warn).toHaveBeenCalledTimes(3);
    expect(silent.log).toHaveBeenCalledTimes(4);
  });

  it('misses while Redis is frozen for a moment, and recovers on the same connection', async () => {
    const { cache, connection } = await connected();
    const id = await connection.client.clientId();
    const load = traffic(cache);
    await sleep(50);
    server.freeze();
    await until(() => cache.counters().timeouts > 0);
    expect(await cache.get(KEY)).toBeUndefined();
    server.thaw();
    await until(() => roundTrips(cache));
    expect((await load.stop()).slowestMs).toBeLessThan(BOUND_MS);
    expect(await connection.client.clientId()).toBe(id);
  });

  it('drops a Redis that stays frozen, and recovers when it wakes up', async () => {
    const { cache, connection } = await connected();
    const load = traffic(cache);
    server.freeze();
    await until(() => !connection.isUp);
    await sleep(2500);
    expect(await cache.get(KEY)).toBeUndefined();
    server.thaw();
    await until(() => roundTrips(cache));
    expect((await load.stop()).slowestMs).toBeLessThan(BOUND_MS);
    expect(silent.warn).toHaveBeenCalledTimes(1);
  });

  it('is said to be up again when Redis is, though nobody has asked it anything since', async () => {
    const { cache } = await connected();
    server.freeze();
    expect(await cache.get(KEY)).toBeUndefined();
    expect(cache.counters().state).toBe('down');
    server.thaw();
    await until(() => cache.counters().state === 'up');
    expect(await cache.get(KEY)).toBeUndefined();
    expect(cache.counters()).toMatchObject({ state: 'up', timeouts: 1, breakerOpenings: 1 });
  });

  it('misses after FLUSHALL, without counting an error', async () => {
    const { cache, connection } = await connected();
    await cache.set(KEY, 1, 60);
    await connection.client.flushAll();
    expect(await cache.get(KEY)).toBeUndefined();
    expect(await roundTrips(cache)).toBe(true);
    expect(cache.counters()).toMatchObject({ state: 'up', errors: 0 });
  });

  it('resubscribes a duplicate after a restart, and tells its owner when', async () => {
    const { connection } = await connected();
    const subscriber = connection.duplicate();
    connections.push(subscriber);
    const received: string[] = [];
    let ups = 0;
    subscriber.onUp(() => (ups += 1));
    subscriber.open();
    await until(() => subscriber.isUp);
    await subscriber.client.subscribe('news', (message) => received.push(message));
    await sleep(1200); // A heartbeat while subscribed.
    await server.kill();
    await server.start();
    await until(() => connection.isUp && ups === 2 && subscriber.isUp);
    await connection.client.publish('news', 'again');
    await until(() => received.length > 0);
    expect(received).toEqual(['again']);
  });
});

describeWithRedis('given a Redis that is absent at boot', () => {
  beforeEach(async () => {
    server = await RedisServer.absent();
  });

  it('misses until Redis is started, then works', async () => {
    const connection = connectionTo(server.url);
    const cache = Cache.inRedis(connection);
    const load = traffic(cache);
    await sleep(300);
    expect(await cache.get(KEY)).toBeUndefined();
    expect(await cache.stats()).toMatchObject({ state: 'down', hits: 0 });
    await server.start();
    await until(() => roundTrips(cache));
    expect((await load.stop()).slowestMs).toBeLessThan(BOUND_MS);
    expect(silent.warn).toHaveBeenCalledTimes(1);
    expect(silent.log).toHaveBeenCalledTimes(1);
  });
});

describeWithRedis('given a network that swallows the first connection', () => {
  const sockets: Socket[] = [];
  let isMute: boolean;
  const proxy = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    if (isMute) return;
    const onward = connect(server.port, '127.0.0.1').on('error', () => undefined);
    sockets.push(onward);
    socket.pipe(onward).pipe(socket);
  });

  beforeEach(async () => {
    server = await RedisServer.running();
    isMute = true;
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    proxy.close();
    await once(proxy, 'close');
  });

  it('refuses commands until the handshake is over, and tries a new connection when it is not answered', async () => {
    const connection = connectionTo(`redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    await until(() => sockets.length === 1);
    await sleep(20);
    await expect(connection.client.get('k')).rejects.toThrow('offline');
    isMute = false;
    await until(() => roundTrips(Cache.inRedis(connection)));
  });
});

/** What would keep this process alive: sockets and timers. */
function handles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout/.test(name));
}

describeWithRedis('closing leaves nothing running', () => {
  const waiting: Socket[] = [];
  let before: string[];

  beforeEach(async () => {
    server = await RedisServer.running('--tcp-backlog', '1');
    await sleep(20);
    before = handles();
  });

  afterEach(() => {
    for (const socket of waiting.splice(0)) socket.destroy();
  });

  const expectClosed = async (connection: RedisConnection): Promise<void> => {
    const startMs = performance.now();
    await connection.close();
    expect(performance.now() - startMs).toBeLessThan(BOUND_MS);
    await sleep(20);
    expect(handles().sort()).toEqual(before.sort());
    expect(connection.isUp).toBe(false);
    connection.open();
    await connection.close();
    expect(connection.client.isOpen).toBe(false);
  };

  it('while connected', async () => {
    const { connection } = await connected();
    await expectClosed(connection);
  });

  it('while Redis is frozen, with a command in flight', async () => {
    const { connection } = await connected();
    server.freeze();
    const command = connection.client.get('k');
    const outcome = expect(command).rejects.toThrow();
    await sleep(20);
    await expectClosed(connection);
    await outcome;
  });

  it('before, and right after, it was opened', async () => {
    await expectClosed(new RedisConnection({ url: server.url }));
    await expectClosed(connectionTo(server.url));
  });

  it('while Redis is frozen in the middle of the handshake', async () => {
    server.freeze();
    const connection = connectionTo(server.url);
    await sleep(100);
    await expectClosed(connection);
  });

  it('while nobody picks up', async () => {
    server.freeze();
    for (let index = 0; index < 4; index += 1) {
      waiting.push(connect(server.port, '127.0.0.1').on('error', () => undefined));
    }
    await sleep(100);
    before = handles();
    const connection = connectionTo(server.url);
    await sleep(100);
    await expectClosed(connection);
  });

  it('while waiting for the next attempt', async () => {
    await server.kill();
    await sleep(20);
    before = handles();
    const connection = connectionTo(server.url);
    await sleep(500);
    await expectClosed(connection);
  });
});
