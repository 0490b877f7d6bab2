/** The client for pages, without a page: against the running service, and one that fails as it is told. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  createBrowserClient,
  type BrowserClient,
  type BrowserClientOptions,
} from '../../sdk/src/browser/browser-client.js';
import { ApiError, NetworkError, TimeoutError, ValidationError } from '../../sdk/src/errors.js';
import { NO_SINK, type TrackedEvent } from '../../sdk/src/exposures.js';
import type { Fetch } from '../../sdk/src/types.js';
import { clientKey, type MadeKey } from '../api-keys/support.js';
import { makeFlags, SHOP } from '../ofrep/support.js';
import { Api, eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { broken, failing, json, ScriptedService, SILENT, silent, type Reply } from './scripted-service.js';

const KEY = 'vx_client_1_secret';
const clients: BrowserClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  jest.useRealTimers();
});

function made(options: Partial<BrowserClientOptions>): BrowserClient {
  const base = { baseUrl: 'http://flags.test', clientKey: KEY, logger: SILENT };
  const client = createBrowserClient({ ...base, ...options });
  clients.push(client);
  return client;
}

/** As a page's `localStorage`. */
class TestStorage {
  readonly items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

const STREAM = { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } };

/** Answers that say where changes are told. */
const streamed = (value: unknown): Response =>
  json({
    flags: [{ key: 'a', value, reason: 'STATIC', variant: 'v' }],
    eventStreams: [{ type: 'sse', endpoint: { requestUri: '/s?token=t' }, inactivityDelaySec: 30 }],
  });

const sheet =
  (flags: Record<string, unknown>): Reply =>
  () =>
    json({
      flags: Object.entries(flags).map(([key, value]) => ({ key, value, reason: 'STATIC', variant: 'v' })),
    });

describe('given the real service', () => {
  let vexil: TestApp;
  let api: Api;
  let key: MadeKey;
  beforeAll(async () => {
    vexil = await startApp();
    api = new Api(vexil);
    await makeFlags(api);
    key = await clientKey(vexil);
  });
  afterAll(() => vexil.close());
  const alice = { targetingKey: 'alice' };

  /** With what goes over the wire, but for the stream. */
  async function connect(options: Partial<BrowserClientOptions> = {}) {
    const texts: string[] = [];
    const statuses: number[] = [];
    const watched: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (!url.includes('/stream')) {
        statuses.push(response.status);
        texts.push(await response.clone().text());
      }
      return response;
    };
    const client = made({
      baseUrl: vexil.url,
      clientKey: key.secret,
      context: alice,
      fetch: watched,
      ...options,
    });
    await client.ready();
    return { client, texts, statuses };
  }

  it('has answers for its context, and never hears of rules or of what it may not know of', async () => {
    const { client, texts } = await connect();
    expect(client.isEnabled('shop-banner')).toBe(true);
    expect(client.value('shop-color', 'x')).toBe('grün');
    expect(client.value('shop-layout', {})).toEqual({ columns: [1, 2] });
    expect(client.value('shop-none', 'mine')).toBe('mine');
    expect(client.isEnabled('shop-none', true)).toBe(false);
    expect(client.evaluate('shop-ruled', false)).toEqual({
      flagKey: 'shop-ruled',
      value: true,
      variant: 'on',
      reason: 'DEFAULT',
      errorCode: undefined,
      isEnabled: true,
      flagVersion: undefined,
      revision: undefined,
      stale: false,
    });
    expect(client.evaluate('shop-color', 5)).toMatchObject({
      value: 5,
      variant: undefined,
      reason: 'ERROR',
      errorCode: 'TYPE_MISMATCH',
    });
    expect(client.evaluate('secret-plan', true)).toMatchObject({
      value: true,
      reason: 'ERROR',
      errorCode: 'FLAG_NOT_FOUND',
    });
    expect(Object.keys(client.evaluateAll()).sort()).toEqual(SHOP);
    expect(Object.getPrototypeOf(client.evaluateAll())).toBeNull();
    expect(texts.join()).not.toMatch(/secret|conditions|percentage/);
  });

  it('knows which flags need to know who asks', async () => {
    const { client } = await connect({ context: {} });
    expect(client.evaluate('shop-split', false)).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' });
    expect(client.isEnabled('shop-split', true)).toBe(true);
  });

  it('asks again when the context is another one', async () => {
    const { client } = await connect();
    const changes: (readonly string[])[] = [];
    client.on('change', ({ flagsChanged }) => changes.push(flagsChanged));
    expect(client.isEnabled('shop-ruled')).toBe(true);
    await client.setContext({ ...alice, plan: 'pro' });
    expect(client.isEnabled('shop-ruled')).toBe(false);
    expect(changes).toEqual([['shop-ruled']]);
    // The last one counts, whatever answers first.
    void client.setContext(alice);
    void client.setContext({ ...alice, plan: 'pro' });
    await client.setContext(alice);
    expect(client.isEnabled('shop-ruled')).toBe(true);
  });

  it('hears of changes, asks then alone, and tells what is different', async () => {
    const { client, statuses } = await connect();
    const changes: (readonly string[])[] = [];
    client.on('change', ({ flagsChanged }) => changes.push(flagsChanged));
    for (let times = 0; times < 5; times += 1) {
      await api.change('shop-off', { is_enabled: times % 2 === 0 });
      await eventually(() => client.isEnabled('shop-off') === (times % 2 === 0));
    }
    expect(changes).toEqual(Array.from({ length: 5 }, () => ['shop-off']));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    const asked = statuses.length;
    await api.change('secret-plan', { description: 'x' });
    await eventually(() => statuses.length > asked);
    expect(statuses.slice(asked)).toEqual([304]);
    await api.change('shop-off', { is_enabled: false });
  });

  it('asks now and then without the stream', async () => {
    const { client, statuses } = await connect({ streaming: false, pollIntervalMs: 1_000 });
    await eventually(() => statuses.filter((status) => status === 304).length >= 2);
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(() => client.value('shop-color', 'x') === 'rot');
    await api.change('shop-color', { default_serve: { variant: 'a' } });
  });

  it('works under a base path, stream included', async () => {
    const paths: string[] = [];
    const proxied: Fetch = (url, init) => {
      paths.push(new URL(url).pathname);
      return fetch(url.replace('/base/path/', '/'), init);
    };
    const { client } = await connect({ baseUrl: `${vexil.url}/base/path`, fetch: proxied });
    await eventually(() => paths.length === 2);
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(() => client.value('shop-color', 'x') === 'rot');
    await api.change('shop-color', { default_serve: { variant: 'a' } });
    expect(new Set(paths)).toEqual(
      new Set(['/base/path/ofrep/v1/evaluate/flags', '/base/path/ofrep/v1/stream']),
    );
  });

  it('says that its key is refused, and keeps what it has', async () => {
    const short = await clientKey(vexil);
    const { client } = await connect({ clientKey: short.secret });
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    await api.delete(`/auth/api-keys/${short.id}`);
    await eventually(() => client.isStale);
    expect(errors.at(-1)).toMatchObject({ status: 401 });
    expect(client.evaluate('shop-banner', false)).toMatchObject({ value: true, stale: true });

    const refused = made({ baseUrl: vexil.url, clientKey: short.secret });
    await expect(refused.ready()).rejects.toBeInstanceOf(ApiError);
    expect(refused.evaluate('shop-banner', false)).toMatchObject({ errorCode: 'PROVIDER_NOT_READY' });
  });

  it('tells what its user saw', async () => {
    const taken: TrackedEvent[] = [];
    const send = (events: readonly TrackedEvent[]) => {
      taken.push(...events);
      return Promise.resolve();
    };
    const { client } = await connect({ exposures: { sink: { send } } });
    client.isEnabled('shop-banner');
    client.value('shop-banner', false);
    client.value('shop-color', 5);
    client.evaluateAll();
    client.track('bought', { value: 2, sku: 'x' });
    await client.close();
    expect(taken).toMatchObject([
      { type: 'exposure', flagKey: 'shop-banner', variant: 'on', unit: 'alice' },
      { type: 'metric', name: 'bought', unit: 'alice', value: 2, attributes: { sku: 'x' } },
    ]);
  });
});

describe('given a service that fails', () => {
  it('has no answers before there are any', async () => {
    const client = made({ fetch: new ScriptedService(silent).fetch });
    expect(client.evaluate('a', 'mine')).toMatchObject({
      value: 'mine',
      reason: 'ERROR',
      errorCode: 'PROVIDER_NOT_READY',
      stale: true,
    });
    await expect(client.ready({ timeoutMs: 10 })).rejects.toBeInstanceOf(TimeoutError);
  });

  it('waits for ready as long as it takes when it is told to', async () => {
    jest.useFakeTimers();
    const client = made({ fetch: new ScriptedService(failing(503), sheet({ a: 1 })).fetch });
    const ready = client.ready({ timeoutMs: Infinity });
    await jest.advanceTimersByTimeAsync(60_000);
    await expect(ready).resolves.toBeUndefined();
    await expect(client.ready({ timeoutMs: Number.NaN })).rejects.toBeInstanceOf(ValidationError);
  });

  it('comes again, later each time, and says once that it is stale and once that it is ready', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(sheet({ a: 1 }), failing(503));
    const client = made({ fetch: service.fetch, pollIntervalMs: 4_000 });
    const events: string[] = [];
    for (const name of ['ready', 'stale', 'change'] as const) client.on(name, () => events.push(name));
    await jest.advanceTimersByTimeAsync(60_000);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: true });
    const waits = service.waits.slice(1);
    expect(waits.length).toBeGreaterThan(10);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...waits)).toBeLessThanOrEqual(4_000);
    service.replies = [sheet({ a: 2 })];
    await jest.advanceTimersByTimeAsync(4_000);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 2, stale: false });
    expect(events).toEqual(['ready', 'stale', 'change', 'ready']);
  });

  it('waits as long as it is told, and long after a refusal', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(failing(429, { 'Retry-After': '20' }), failing(403), sheet({ a: 1 }));
    const client = made({ fetch: service.fetch });
    await jest.advanceTimersByTimeAsync(400_000);
    const [first, second] = service.waits as [number, number];
    expect([first, second]).toEqual([20_000, 300_000]);
    expect(client.value('a', 0)).toBe(1);
  });

  it.each<[string, Reply]>([
    ['is refused', failing(503)],
    ['cannot be reached', broken],
    ['is a page of a proxy', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['ends at once', () => new Response('', STREAM)],
  ])('asks no more often than without a stream when the stream %s', async (_, reply) => {
    jest.useFakeTimers();
    let streams = 0;
    const service = new ScriptedService((asked) => {
      if (!asked.url.includes('/s?')) return streamed(1);
      streams += 1;
      return reply(asked);
    });
    const client = made({ fetch: service.fetch });
    await jest.advanceTimersByTimeAsync(10_000);
    expect(streams).toBe(3);
    await jest.advanceTimersByTimeAsync(590_000);
    expect(streams).toBeGreaterThanOrEqual(12);
    expect(service.asked.length).toBeLessThanOrEqual(26);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: false });
  });

  it('says that a page of a proxy is no stream', async () => {
    const page = (): Response => new Response('<html>', { headers: { 'Content-Type': 'text/html' } });
    const service = new ScriptedService(({ url }) => (url.includes('/s?') ? page() : streamed(1)));
    const client = made({ fetch: service.fetch });
    const error = await new Promise((resolve) => client.on('error', resolve));
    expect(error).toBeInstanceOf(NetworkError);
    expect(String(error)).toMatch(/no stream/);
  });

  it('opens a stream again soon that was open for a while', async () => {
    jest.useFakeTimers();
    const opened: number[] = [];
    const service = new ScriptedService(({ url }) => {
      if (!url.includes('/s?')) return streamed(1);
      opened.push(Date.now());
      const start = (stream: ReadableStreamDefaultController): void =>
        void setTimeout(() => stream.close(), 15_000);
      return new Response(new ReadableStream({ start }), STREAM);
    });
    made({ fetch: service.fetch });
    await jest.advanceTimersByTimeAsync(300_000);
    expect(opened.length).toBeGreaterThanOrEqual(15);
  });

  it('is ready after all when the key is accepted later', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(failing(401), sheet({ a: 1 }));
    const client = made({ fetch: service.fetch });
    await expect(client.ready()).rejects.toMatchObject({ status: 401 });
    await expect(client.ready()).rejects.toMatchObject({ status: 401 });
    await jest.advanceTimersByTimeAsync(300_000);
    await client.ready();
    expect(client.value('a', 0)).toBe(1);
  });

  it.each<[string, Reply]>([
    ['404', failing(404)],
    ['JSON that is no answer', () => json({ ok: true })],
  ])('comes again soon after %s', async (_, reply) => {
    jest.useFakeTimers();
    const service = new ScriptedService(reply, sheet({ a: 1 }));
    const client = made({ fetch: service.fetch });
    await jest.advanceTimersByTimeAsync(2_000);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: false });
    await client.ready();
  });

  it('is ready with answers that are kept for a context which is set before there were any', async () => {
    const storage = new TestStorage();
    const context = { targetingKey: 'bob' };
    await made({ fetch: new ScriptedService(sheet({ a: 1 })).fetch, storage, context }).ready();
    const client = made({ fetch: new ScriptedService(silent).fetch, storage });
    void client.setContext(context);
    await client.ready();
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: true });
  });

  it('goes on when its logger throws', async () => {
    jest.useFakeTimers();
    const logger = { warn: () => raise('no'), error: () => raise('no') };
    const client = made({ fetch: new ScriptedService(broken, sheet({ a: 1 })).fetch, logger });
    client.on('ready', () => raise('listener'));
    await jest.advanceTimersByTimeAsync(2_000);
    expect(client.value('a', 0)).toBe(1);
  });

  it('takes a page of a proxy for no answer', async () => {
    const service = new ScriptedService(() => new Response('<html>'));
    const client = made({ fetch: service.fetch });
    const error = await new Promise((resolve) => client.on('error', resolve));
    expect(String(error)).toMatch(/no JSON/);
  });

  it('keeps the answers of the context before while those of the new one cannot be had', async () => {
    const service = new ScriptedService(sheet({ a: 1 }), broken);
    const client = made({ fetch: service.fetch });
    await client.ready();
    await client.setContext({ targetingKey: 'bob' });
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: true });
  });
});

describe('another context', () => {
  const [alice, bob] = [{ targetingKey: 'alice' }, { targetingKey: 'bob' }];

  /** With answers for Alice, and none for whoever comes after her. */
  async function withAnswers(options: Partial<BrowserClientOptions> = {}) {
    const taken: TrackedEvent[] = [];
    const sink = { send: (events: readonly TrackedEvent[]) => Promise.resolve(void taken.push(...events)) };
    const service = new ScriptedService(sheet({ a: 1, b: 2 }), broken);
    const client = made({ fetch: service.fetch, context: alice, exposures: { sink }, ...options });
    await client.ready();
    await eventually(() => !client.isStale);
    return { client, taken, service };
  }

  it('exposes whom the answers are for, not who is asking by now', async () => {
    const { client, taken } = await withAnswers();
    const asked = client.setContext(bob);
    client.value('a', 0);
    await asked;
    client.value('b', 0);
    client.track('bought');
    await client.close();
    expect(taken).toMatchObject([
      { flagKey: 'a', unit: 'alice' },
      { flagKey: 'b', unit: 'alice' },
      { name: 'bought', unit: 'bob' },
    ]);
  });

  it('makes answers stale until there are its own, also those that are kept', async () => {
    const storage = new TestStorage();
    await made({ fetch: new ScriptedService(sheet({ a: 3 })).fetch, storage, context: bob }).ready();
    const { client, taken, service } = await withAnswers({ storage });
    expect(client.isStale).toBe(false);
    storage.items.clear();
    const first = client.setContext({ targetingKey: 'carol' });
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: true });
    await first;

    await made({ fetch: new ScriptedService(sheet({ a: 3 })).fetch, storage, context: bob }).ready();
    service.replies = [sheet({ a: 4 })];
    const second = client.setContext(bob);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 3, stale: true });
    await second;
    expect(client.evaluate('a', 0)).toMatchObject({ value: 4, stale: false });
    await client.close();
    expect(taken).toMatchObject([{ unit: 'alice' }, { unit: 'bob' }]);
  });

  it('is refused when it cannot be sent, and the one before stays', async () => {
    const service = new ScriptedService(sheet({ a: 1 }));
    const client = made({ fetch: service.fetch, context: { targetingKey: 'alice' } });
    await client.ready();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    await expect(client.setContext(circle as never)).rejects.toBeInstanceOf(ValidationError);
    expect(client.evaluate('a', 0)).toMatchObject({ value: 1, stale: false });
    expect(() => made({ context: circle as never })).toThrow(/context must be plain JSON/);
  });

  it('never fails for what cannot be tracked', () => {
    const client = made({ fetch: new ScriptedService(silent).fetch, exposures: { sink: NO_SINK } });
    client.track('bought', null as never);
    expect(client.exposureCounts).toMatchObject({ recorded: 1 });
  });

  it('is no other one when it says the same', async () => {
    const { client } = await withAnswers();
    void client.setContext({ ...alice });
    expect(client.isStale).toBe(false);
  });
});

describe('the storage', () => {
  it('gives the next visit the last answers at once, stale until they are fresh', async () => {
    const storage = new TestStorage();
    const first = made({ fetch: new ScriptedService(sheet({ a: 1, b: 'x' })).fetch, storage });
    await first.ready();
    await first.close();

    const offline = made({ fetch: new ScriptedService(broken).fetch, storage });
    await offline.ready();
    expect(offline.evaluate('a', 0)).toMatchObject({ value: 1, variant: 'v', reason: 'STATIC', stale: true });

    const changes: (readonly string[])[] = [];
    const again = made({ fetch: new ScriptedService(sheet({ a: 2, b: 'x' })).fetch, storage });
    again.on('change', ({ flagsChanged }) => changes.push(flagsChanged));
    await eventually(() => !again.isStale);
    expect(changes).toEqual([['a']]);
  });

  it('is for one context, one key and one service, and says nothing of who that is', async () => {
    const storage = new TestStorage();
    const context = { targetingKey: 'alice@example.com', plan: 'pro' };
    const first = made({ fetch: new ScriptedService(sheet({ a: 1 })).fetch, storage, context });
    await first.ready();
    const kept = [...storage.items].join();
    expect(kept).not.toContain('alice');
    expect(kept).not.toContain(KEY);
    const known = (options: Partial<BrowserClientOptions>) =>
      made({ fetch: new ScriptedService(silent).fetch, storage, context, ...options }).value('a', 0) === 1;
    expect(known({})).toBe(true);
    expect(known({ context: { plan: 'pro', targetingKey: 'alice@example.com' } })).toBe(true);
    expect(known({ context: { ...context, plan: 'free' } })).toBe(false);
    expect(known({ clientKey: 'vx_client_2_secret' })).toBe(false);
    expect(known({ baseUrl: 'http://other.test' })).toBe(false);
  });

  it.each<[string, Partial<TestStorage>]>([
    ['full', { setItem: () => raise('QuotaExceededError') }],
    [
      'forbidden',
      {
        getItem: () => raise('SecurityError'),
        setItem: () => raise('SecurityError'),
        removeItem: () => raise('SecurityError'),
      },
    ],
    ['spoilt', { getItem: () => '{"form":1,' }],
    ['written by another version', { getItem: () => '{"form":9}' }],
  ])('does no harm when it is %s', async (_, faults) => {
    const storage = Object.assign(new TestStorage(), faults);
    const client = made({ fetch: new ScriptedService(sheet({ a: 1 })).fetch, storage });
    await client.ready();
    expect(client.value('a', 0)).toBe(1);
  });
});

function raise(name: string): never {
  throw new DOMException('no', name);
}

describe('a page that nobody looks at', () => {
  class TestDocument extends EventTarget {
    visibilityState = 'visible';
    become(state: 'visible' | 'hidden'): void {
      this.visibilityState = state;
      this.dispatchEvent(new Event('visibilitychange'));
    }
  }
  const page = new TestDocument();
  const listeners = new EventTarget();
  beforeAll(() => {
    Object.assign(globalThis, {
      document: page,
      addEventListener: (name: string, listener: () => void) => listeners.addEventListener(name, listener),
      removeEventListener: (name: string, listener: () => void) =>
        listeners.removeEventListener(name, listener),
    });
  });
  afterAll(() => {
    for (const name of ['document', 'addEventListener', 'removeEventListener'])
      Reflect.deleteProperty(globalThis, name);
  });

  it('lets go of the stream after the time it was given, and asks when it is looked at again', async () => {
    jest.useFakeTimers();
    const streams: AbortSignal[] = [];
    let value = 1;
    const service = new ScriptedService(({ url, init }) => {
      if (!url.includes('/s?')) return streamed(value);
      streams.push(init.signal);
      const body = new ReadableStream({
        start: (stream) => init.signal.addEventListener('abort', () => stream.error(new Error('aborted'))),
      });
      return new Response(body, STREAM);
    });
    const client = made({ fetch: service.fetch, storage: null });
    await jest.advanceTimersByTimeAsync(0);
    expect(streams.map(({ aborted }) => aborted)).toEqual([false]);

    page.become('hidden');
    await jest.advanceTimersByTimeAsync(29_000);
    page.become('visible');
    await jest.advanceTimersByTimeAsync(20_000);
    expect(streams.map(({ aborted }) => aborted)).toEqual([false]);

    page.become('hidden');
    await jest.advanceTimersByTimeAsync(600_000);
    expect(streams.at(-1)?.aborted).toBe(true);
    const asked = service.asked.length;
    await jest.advanceTimersByTimeAsync(600_000);
    expect(service.asked).toHaveLength(asked);
    // Who asks is another one: that cannot wait.
    await client.setContext({ targetingKey: 'bob' });
    expect(service.asked.length).toBeGreaterThan(asked);

    expect(streams.at(-1)?.aborted).toBe(true);

    value = 2;
    page.become('visible');
    await jest.advanceTimersByTimeAsync(10);
    expect(client.value('a', 0)).toBe(2);
    expect(streams.at(-1)?.aborted).toBe(false);
  });

  it('tells what was seen before it goes', async () => {
    const taken: TrackedEvent[] = [];
    const send = (events: readonly TrackedEvent[]) => {
      taken.push(...events);
      return Promise.resolve();
    };
    const client = made({
      fetch: new ScriptedService(sheet({ a: 1 })).fetch,
      context: { targetingKey: 'alice' },
      exposures: { sink: { send } },
      storage: null,
    });
    await client.ready();
    client.value('a', 0);
    expect(taken).toEqual([]);
    listeners.dispatchEvent(new Event('pagehide'));
    await eventually(() => taken.length === 1);
  });

  it('asks at once when it is on a network again', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(broken);
    const client = made({ fetch: service.fetch, storage: null });
    await jest.advanceTimersByTimeAsync(120_000);
    service.replies = [sheet({ a: 1 })];
    listeners.dispatchEvent(new Event('online'));
    await jest.advanceTimersByTimeAsync(0);
    expect(client.value('a', 0)).toBe(1);
  });
});

describe('options', () => {
  it.each<[string, Partial<BrowserClientOptions>, RegExp]>([
    ['an address that is none', { baseUrl: '/flags' }, /baseUrl must be a URL/],
    ['no key', { clientKey: '' }, /clientKey is missing/],
    ['a key with a line end', { clientKey: 'vx_client_1\nx' }, /clientKey must be of visible ASCII letters$/],
    ['a key that is a secret', { clientKey: 'vx_server_1_secret' }, /must be a client key/],
    ['a wait that is none', { pollIntervalMs: 0 }, /pollIntervalMs must be a number from 1000 to/],
    ['a time that is none', { requestTimeoutMs: Number.NaN }, /requestTimeoutMs must be a number/],
    ['a time beyond timers', { requestTimeoutMs: Infinity }, /requestTimeoutMs must be a number/],
    ['half a logger', { logger: {} as never }, /logger must have the methods warn and error/],
    ['a fetch that is none', { fetch: 'fetch' as never }, /fetch must be a function/],
    ['a storage that is none', { storage: 'here' as never }, /storage must be like localStorage/],
    ['a context that is none', { context: 'alice' as never }, /context must be an object/],
    ['a switch that is none', { streaming: 'yes' as never }, /streaming must be true or false/],
    ['a sink that is none', { exposures: { sink: {} as never } }, /exposures.sink must have the method send/],
    ['empty batches', { exposures: { sink: NO_SINK, batchSize: 0 } }, /exposures.batchSize must be a whole/],
    ['batches of no size', { exposures: { sink: NO_SINK, batchSize: Number.NaN } }, /batchSize must be/],
    ['no room', { exposures: { sink: NO_SINK, capacity: 0 } }, /exposures.capacity must be/],
  ])('are refused with %s', (_, options, message) => {
    expect(() => made(options)).toThrow(ValidationError);
    expect(() => made(options)).toThrow(message);
  });

  it('are all named that cannot be', () => {
    const options = { baseUrl: 'x', clientKey: '', pollIntervalMs: -1 };
    expect(() => made(options)).toThrow(/baseUrl .*; clientKey .*; pollIntervalMs /);
  });
});
