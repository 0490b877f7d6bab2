import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ApiError, FlagNotFound, NetworkError, TimeoutError, ValidationError } from '../../sdk/src/errors.js';
import { NO_SINK, type ExposureSink, type TrackedEvent } from '../../sdk/src/exposures.js';
import {
  createRemoteClient,
  type RemoteClient,
  type RemoteClientOptions,
} from '../../sdk/src/remote/remote-client.js';
import type { Context } from '../../sdk/src/types.js';
import { adminKey, serverKey } from '../api-keys/support.js';
import { makeFlags } from '../ofrep/support.js';
import { Api } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { broken, failing, json, ScriptedService, SILENT, silent, type Reply } from './scripted-service.js';

const clients: RemoteClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  jest.useRealTimers();
});

function made(options: Partial<RemoteClientOptions>): RemoteClient {
  const client = createRemoteClient({
    baseUrl: 'http://flags.test',
    environment: 'development',
    logger: SILENT,
    ...options,
  });
  clients.push(client);
  return client;
}

const CIRCLE = { targetingKey: 'alice' };
const unreadable = (): Context =>
  new Proxy(
    {},
    {
      get() {
        throw new Error('no');
      },
    },
  );

const answerOf = (key: string, more: Record<string, unknown> = {}) => ({
  enabled: true,
  flag_key: key,
  value: true,
  variant: 'on',
  reason: 'Flag is on',
  reason_code: 'STATIC',
  cached: true,
  flag_version: 3,
  revision: 42,
  ...more,
});

const all: Reply = ({ body }) =>
  json({
    environment_key: 'development',
    revision: 42,
    flags: (body.flag_keys ?? ['a', 'b']).map((key) => answerOf(key)),
  });
describe('given a service that fails', () => {
  it.each<[string, Reply]>([
    ['a broken connection', broken],
    ['500', failing(500)],
    ['502', failing(502)],
    ['503', failing(503)],
    ['429', failing(429)],
  ])('asks again after %s, with waits that grow', async (_, failure) => {
    jest.useFakeTimers();
    const service = new ScriptedService(failure, failure, all);
    const client = made({ fetch: service.fetch });
    const answer = client.evaluate('a', { targetingKey: 'alice' }, false);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(await answer).toMatchObject({ value: true, reason: 'STATIC', stale: false });
    expect(service.asked).toHaveLength(3);
    const [first, second] = service.waits as [number, number];
    expect([first >= 200 && first <= 400, second >= 200 && second <= 800]).toEqual([true, true]);
  });

  it.each<[string, Reply, unknown]>([
    ['400', failing(400), ValidationError],
    ['401', failing(401), ApiError],
    ['403', failing(403), ApiError],
    ['422', failing(422), ValidationError],
  ])('does not ask again after %s', async (_, failure, kind) => {
    const service = new ScriptedService(failure);
    await expect(made({ fetch: service.fetch }).evaluate('a')).rejects.toBeInstanceOf(kind);
    expect(service.asked).toHaveLength(1);
  });

  it('gives up after its retries, and says what went wrong', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(failing(503));
    const failed = made({ fetch: service.fetch, maxRetries: 3 })
      .evaluate('a')
      .catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(await failed).toMatchObject({
      status: 503,
      code: 'code_503',
      message: 'detail 503',
      requestId: 'r-1',
    });
    expect(service.asked).toHaveLength(4);
  });

  it('waits as long as Retry-After says, and never beyond what it may wait', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(failing(503, { 'Retry-After': '7' }), all);
    const answer = made({ fetch: service.fetch }).evaluate('a');
    await jest.advanceTimersByTimeAsync(6_999);
    expect(service.asked).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({ value: true });

    const strict = new ScriptedService(failing(429, { 'Retry-After': '30' }), all);
    const client = made({ fetch: strict.fetch });
    await expect(client.evaluate('a')).rejects.toMatchObject({ status: 429, retryAfterMs: 30_000 });
    // Nor does the next call ask before that.
    await expect(client.evaluate('b')).rejects.toMatchObject({ status: 429 });
    expect(strict.asked).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(30_000);
    expect(await client.evaluate('b')).toMatchObject({ value: true });
  });

  it('does not wait longer than it may for an answer', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(silent);
    const failed = made({ fetch: service.fetch, requestTimeoutMs: 1_000, maxRetries: 1 })
      .evaluate('a')
      .catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(await failed).toBeInstanceOf(TimeoutError);
    expect(service.asked).toHaveLength(2);
  });

  it('waits for ready as long as it takes when it is told to', async () => {
    jest.useFakeTimers();
    const client = made({ fetch: new ScriptedService(failing(503), all).fetch });
    const ready = client.ready({ timeoutMs: Infinity });
    await jest.advanceTimersByTimeAsync(10_000);
    await expect(ready).resolves.toBeUndefined();
  });

  it.each([Number.NaN, -1, '5' as never])('does not take %p for a time to wait', async (timeoutMs) => {
    const service = new ScriptedService(all);
    await expect(made({ fetch: service.fetch }).ready({ timeoutMs })).rejects.toBeInstanceOf(ValidationError);
  });

  it('answers the fallback where nobody knows, and never rejects', async () => {
    const client = made({ fetch: new ScriptedService(broken).fetch, maxRetries: 0 });
    expect(await client.isEnabled('a', {})).toBe(false);
    expect(await client.isEnabled('a', {}, true)).toBe(true);
    expect(await client.value('a', {}, 'mine')).toBe('mine');
    await expect(client.evaluate('a')).rejects.toBeInstanceOf(NetworkError);
    await expect(client.evaluateAll(['a'])).rejects.toBeInstanceOf(NetworkError);
  });

  it('takes a page of a proxy for no answer', async () => {
    const page: Reply = () => new Response('<html>', { status: 200 });
    const client = made({ fetch: new ScriptedService(page).fetch, maxRetries: 0 });
    await expect(client.evaluate('a')).rejects.toBeInstanceOf(NetworkError);
    const other = made({ fetch: new ScriptedService(() => json({ ok: true })).fetch, maxRetries: 0 });
    await expect(other.evaluate('a')).rejects.toBeInstanceOf(NetworkError);
  });

  it('says once that the service is away, and once that it is back', async () => {
    const events: string[] = [];
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch, maxRetries: 0, cacheTtlMs: 0 });
    for (const name of ['ready', 'stale', 'error'] as const) client.on(name, () => events.push(name));
    await client.isEnabled('a', {});
    service.replies = [broken];
    await client.isEnabled('a', {});
    await client.isEnabled('b', {});
    service.replies = [all];
    await client.isEnabled('a', {});
    expect(events).toEqual(['ready', 'stale', 'error', 'error', 'ready']);
  });

  it('says once that its key is refused, and tells each failure', async () => {
    const warnings: string[] = [];
    const errors: unknown[] = [];
    const logger = { ...SILENT, warn: (message: string) => void warnings.push(message) };
    const service = new ScriptedService(failing(401));
    const client = made({ fetch: service.fetch, cacheTtlMs: 0, logger });
    client.on('error', (error) => errors.push(error));
    let ready = 0;
    client.on('ready', () => (ready += 1));
    expect(await client.isEnabled('a', {}, true)).toBe(true);
    expect(await client.value('a', {}, 'mine')).toBe('mine');
    expect(warnings).toEqual(['vexil: detail 401']);
    expect(errors).toMatchObject([{ status: 401 }, { status: 401 }]);
    service.replies = [all];
    await client.isEnabled('a', {});
    expect(ready).toBe(1);
  });

  it.each<[string, object]>([
    ['turns in a circle', Object.assign(CIRCLE, { self: CIRCLE })],
    ['holds a bigint', { big: 1n }],
    [
      'cannot be read',
      {
        get plan() {
          throw new Error('no');
        },
      },
    ],
  ])('says that a context which %s is none, without taking the service for away', async (_, context) => {
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch });
    const told: string[] = [];
    client.on('error', ({ code }) => told.push(code));
    client.on('stale', () => told.push('stale'));
    await expect(client.evaluate('a', context as Context)).rejects.toBeInstanceOf(ValidationError);
    await expect(client.evaluateAll(context as Context)).rejects.toBeInstanceOf(ValidationError);
    const explained = client.evaluate('a', context as Context, undefined, { explain: true });
    await expect(explained).rejects.toBeInstanceOf(ValidationError);
    expect(await client.isEnabled('a', context as Context, true)).toBe(true);
    expect(service.asked).toEqual([]);
    expect(told).toEqual([
      'validation_failed',
      'validation_failed',
      'validation_failed',
      'validation_failed',
    ]);
  });

  it('never fails for what cannot be tracked', async () => {
    const client = made({ fetch: new ScriptedService(all).fetch, exposures: { sink: NO_SINK } });
    client.track('bought', null as never, null as never);
    client.track('bought', unreadable(), unreadable());
    await client.isEnabled('a', unreadable());
    expect(client.exposureCounts).toMatchObject({ recorded: 1 });
  });

  it('says that a question is wrong without taking the service for away', async () => {
    const events: string[] = [];
    const service = new ScriptedService(all, failing(422), all);
    const client = made({ fetch: service.fetch, cacheTtlMs: 0 });
    for (const name of ['ready', 'stale', 'error'] as const) client.on(name, () => events.push(name));
    for (let times = 0; times < 3; times += 1) await client.isEnabled('a', {});
    expect(events).toEqual(['ready', 'error']);
  });

  it('is not ready by JSON that is no answer', async () => {
    const events: string[] = [];
    const client = made({ fetch: new ScriptedService(() => json({ ok: true })).fetch, maxRetries: 0 });
    for (const name of ['ready', 'error'] as const) client.on(name, () => events.push(name));
    await expect(client.ready()).rejects.toBeInstanceOf(NetworkError);
    await client.isEnabled('a', {});
    expect(new Set(events)).toEqual(new Set(['error']));
  });

  it('tries again also when it may hardly wait', async () => {
    const service = new ScriptedService(failing(503), failing(503), all);
    const client = made({ fetch: service.fetch, maxRetryDelayMs: 10 });
    expect(await client.isEnabled('a', {})).toBe(true);
  });

  it('believes no Retry-After beyond five minutes', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(failing(503, { 'Retry-After': '9999999999' }), all);
    const client = made({ fetch: service.fetch });
    await client.isEnabled('a', {});
    await jest.advanceTimersByTimeAsync(299_000);
    expect(await client.isEnabled('a', {})).toBe(false);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(await client.isEnabled('a', {})).toBe(true);
    expect(service.asked).toHaveLength(2);
  });

  it('gives all answers in an object that holds nothing else', async () => {
    const client = made({ fetch: new ScriptedService(all).fetch });
    const answers = await client.evaluateAll(['a', '__proto__', 'toString']);
    expect(Object.getPrototypeOf(answers)).toBeNull();
    expect(Object.keys(answers)).toEqual(['a', '__proto__', 'toString']);
    expect('constructor' in answers).toBe(false);
  });

  it('ends what is running when it is closed', async () => {
    const client = made({ fetch: new ScriptedService(silent).fetch });
    const running = client.evaluate('a');
    const failed = expect(running).rejects.toThrow('closed');
    await Promise.resolve();
    await client.close();
    await failed;
    await expect(client.evaluate('b')).rejects.toBeInstanceOf(NetworkError);
  });
});

describe('the cache', () => {
  it('answers again without asking, until the time is over', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch, cacheTtlMs: 1_000 });
    for (let times = 0; times < 100; times += 1) await client.isEnabled('a', { targetingKey: 'x', b: 1 });
    // The order of attributes makes no difference; another value does.
    await client.isEnabled('a', { b: 1, targetingKey: 'x' });
    expect(service.asked).toHaveLength(1);
    await client.isEnabled('a', { b: 2, targetingKey: 'x' });
    await client.isEnabled('b', { b: 1, targetingKey: 'x' });
    expect(service.asked).toHaveLength(3);
    expect(client.cacheCounts).toMatchObject({ size: 3, hits: 100, misses: 3 });
    await jest.advanceTimersByTimeAsync(1_000);
    await client.isEnabled('a', { targetingKey: 'x', b: 1 });
    expect(service.asked).toHaveLength(4);
  });

  it('holds so many answers and no more; the one that was not asked for longest goes', async () => {
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch, cacheMaxEntries: 2 });
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await client.isEnabled(key, {});
    expect(service.asked.map(({ body }) => body.flag_keys)).toEqual([['a'], ['b'], ['c'], ['b']]);
    expect(client.cacheCounts.size).toBe(2);
  });

  it('gives what it has while the service is away, marked stale and without waiting', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch, cacheTtlMs: 1_000, maxRetries: 0 });
    await client.evaluateAll(['a', 'b']);
    await client.evaluateAll({});
    await jest.advanceTimersByTimeAsync(3_600_000);
    service.replies = [failing(503)];
    service.asked.length = 0;
    expect(await client.evaluate('a', {}, false)).toMatchObject({ value: true, stale: true });
    // The failure is fresh, so nobody asks.
    expect(await client.evaluateAll(['a', 'b'])).toMatchObject({ a: { stale: true }, b: { stale: true } });
    expect(await client.evaluateAll({})).toMatchObject({ a: { stale: true }, b: { stale: true } });
    expect(service.asked).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1_000);
    service.replies = [all];
    expect(await client.evaluate('a', {}, false)).toMatchObject({ value: true, stale: false });
  });

  it('gives nothing that is older than it may be, and nothing against a refusal', async () => {
    jest.useFakeTimers();
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch, cacheTtlMs: 1_000, maxStaleMs: 5_000, maxRetries: 0 });
    await client.evaluate('a');
    await client.evaluate('b');
    await jest.advanceTimersByTimeAsync(4_000);
    service.replies = [failing(401)];
    await expect(client.evaluate('a')).rejects.toMatchObject({ status: 401 });
    await jest.advanceTimersByTimeAsync(3_000);
    service.replies = [failing(503)];
    await expect(client.evaluate('a')).rejects.toMatchObject({ status: 503 });
  });

  it('can be turned off, and forgotten', async () => {
    const service = new ScriptedService(all);
    const off = made({ fetch: service.fetch, cacheTtlMs: 0 });
    await off.isEnabled('a', {});
    await off.isEnabled('a', {});
    expect(service.asked).toHaveLength(2);
    const on = made({ fetch: service.fetch });
    await on.isEnabled('a', {});
    on.clearCache();
    await on.isEnabled('a', {});
    expect(service.asked).toHaveLength(4);
  });
});

describe('questions that come together', () => {
  it('are asked once when they are the same, and together when they are about the same context', async () => {
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch });
    const context = { targetingKey: 'alice' };
    const answers = await Promise.all([
      ...Array.from({ length: 50 }, () => client.isEnabled('a', context)),
      client.evaluate('b', context, false),
      client.evaluateAll(['a', 'c'], context),
      client.isEnabled('a', { targetingKey: 'bob' }),
    ]);
    expect(answers.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => true));
    expect(service.asked.map(({ body }) => body)).toEqual([
      { environment_key: 'development', context, flag_keys: ['a', 'b', 'c'] },
      { environment_key: 'development', context: { targetingKey: 'bob' }, flag_keys: ['a'] },
    ]);
  });

  it('join those that are under way', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const service = new ScriptedService(async (asked) => {
      await held;
      return all(asked);
    });
    const client = made({ fetch: service.fetch });
    const first = client.isEnabled('a', {});
    while (service.asked.length === 0) await Promise.resolve();
    const second = client.evaluateAll(['a', 'b']);
    while (service.asked.length === 1) await Promise.resolve();
    release();
    expect([await first, Object.keys(await second)]).toEqual([true, ['a', 'b']]);
    expect(service.asked.map(({ body }) => body.flag_keys)).toEqual([['a'], ['b']]);
  });

  it('are cut into what the service answers at once', async () => {
    const service = new ScriptedService(all);
    const keys = Array.from({ length: 2_500 }, (_, index) => `flag-${index}`);
    const answers = await made({ fetch: service.fetch }).evaluateAll(keys);
    expect(Object.keys(answers)).toHaveLength(2_500);
    expect(service.asked.map(({ body }) => body.flag_keys?.length)).toEqual([1_000, 1_000, 500]);
  });

  it('are cut before the body is more than the service reads', async () => {
    const service = new ScriptedService(all);
    const long = (index: number) => `${'k'.repeat(95)}-${index}`;
    const keys = Array.from({ length: 1_000 }, (_, index) => long(index));
    const context = { targetingKey: 'alice', note: 'é'.repeat(10_000) };
    const answers = await made({ fetch: service.fetch }).evaluateAll(keys, context);
    expect(Object.keys(answers)).toEqual(keys);
    const bytes = service.asked.map(({ body }) => Buffer.byteLength(JSON.stringify(body)));
    expect(Math.max(...bytes)).toBeLessThanOrEqual(64 * 1024);
    expect(bytes.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ['too long', 'x'.repeat(201)],
    ['nothing', undefined as never],
    ['a number', 5 as never],
  ])('are answered also where one is about what cannot be a flag: %s', async (_, key) => {
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch });
    const [isOn, strange] = await Promise.all([client.isEnabled('a', {}), client.evaluate(key, {}, 'mine')]);
    expect(isOn).toBe(true);
    expect(strange).toMatchObject({ value: 'mine', reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' });
    expect(service.asked.map(({ body }) => body.flag_keys)).toEqual([['a']]);
  });

  it('fail together, each with the error, and none unheard', async () => {
    const client = made({ fetch: new ScriptedService(broken).fetch, maxRetries: 0 });
    const results = await Promise.allSettled([
      client.evaluate('a'),
      client.evaluate('a'),
      client.evaluate('b'),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});

describe('flag management', () => {
  it('has nothing answered by what was before its change, also not what is under way', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const late: Reply = async (asked) => {
      await held;
      return all(asked);
    };
    const service = new ScriptedService(all, late, () => json({ key: 'a' }), all);
    const client = made({ fetch: service.fetch });
    await client.isEnabled('a', {});
    const before = client.isEnabled('b', {});
    while (service.asked.length === 1) await Promise.resolve();
    await client.updateFlag('a', { is_enabled: true });
    const after = client.evaluateAll(['a', 'b']);
    release();
    expect([await before, Object.keys(await after)]).toEqual([true, ['a', 'b']]);
    expect(service.asked[3]?.body.flag_keys).toEqual(['a', 'b']);
  });

  it.each(['', '.', '..', '\ud800', undefined as never])('asks nobody for the key %j', async (key) => {
    const service = new ScriptedService(all);
    const client = made({ fetch: service.fetch });
    await expect(client.getFlag(key)).rejects.toBeInstanceOf(ValidationError);
    await expect(client.updateFlag(key, {})).rejects.toBeInstanceOf(ValidationError);
    await expect(client.deleteFlag(key)).rejects.toBeInstanceOf(ValidationError);
    await expect(client.evaluate(key, {}, undefined, { explain: true })).rejects.toBeInstanceOf(
      ValidationError,
    );
    expect(service.asked).toEqual([]);
  });

  it('does not send a new flag twice', async () => {
    const service = new ScriptedService(broken);
    const client = made({ fetch: service.fetch });
    await expect(client.createFlag({ key: 'a', name: 'A' })).rejects.toBeInstanceOf(NetworkError);
    await expect(client.updateFlag('a', { name: 'B' }, { ifVersion: 3 })).rejects.toBeInstanceOf(
      NetworkError,
    );
    expect(service.asked).toHaveLength(2);
  });

  it('takes a flag for deleted when the answer to the first attempt was lost', async () => {
    jest.useFakeTimers();
    const gone: Reply = () => json({ code: 'flag_not_found', detail: 'gone' }, 404);
    const lost = made({ fetch: new ScriptedService(broken, gone).fetch }).deleteFlag('a');
    await jest.advanceTimersByTimeAsync(1_000);
    await lost;
    jest.useRealTimers();
    const absent = made({ fetch: new ScriptedService(gone).fetch });
    await expect(absent.deleteFlag('a')).rejects.toBeInstanceOf(FlagNotFound);
  });
});

describe('options', () => {
  it.each<[string, Partial<RemoteClientOptions>, RegExp]>([
    ['an address that is none', { baseUrl: 'flags' }, /baseUrl must be a URL/],
    ['no environment', { environment: '' }, /environment is missing/],
    ['an empty key', { apiKey: '' }, /apiKey is empty/],
    ['a key with a line end', { apiKey: 'vx_server_1\nx' }, /apiKey must be of visible ASCII letters$/],
    ['a key with a letter of its own', { apiKey: 'vx_server_’' }, /apiKey must be of visible ASCII letters$/],
    ['a time before now', { requestTimeoutMs: -1 }, /requestTimeoutMs must be a number from 1 to/],
    ['retries that are none', { maxRetries: Number.NaN }, /maxRetries must be a whole number/],
    ['a text for a number', { cacheTtlMs: 'x' as never }, /cacheTtlMs must be a number from 0 on/],
    ['half a logger', { logger: {} as never }, /logger must have the methods warn and error/],
    ['a fetch that is none', { fetch: 1 as never }, /fetch must be a function/],
    ['no sink', { exposures: {} as never }, /exposures.sink must have the method send/],
    ['empty batches', { exposures: { sink: NO_SINK, batchSize: 0 } }, /exposures.batchSize must be/],
    ['several flaws', { environment: '', maxRetries: -1 }, /environment .*; maxRetries /],
  ])('are refused with %s', (_, options, message) => {
    expect(() => made(options)).toThrow(message);
  });

  it.each(['http://flags.test/base/path', 'http://flags.test/base/path/'])(
    'keep the base path of %s',
    async (baseUrl) => {
      const service = new ScriptedService(all);
      await made({ baseUrl, fetch: service.fetch }).isEnabled('a', {});
      expect(service.asked[0]?.url).toBe('http://flags.test/base/path/evaluate');
    },
  );
});

describe('given the real service', () => {
  let vexil: TestApp;
  let api: Api;
  beforeAll(async () => {
    vexil = await startApp();
    api = new Api(vexil);
    await makeFlags(api);
  });
  afterAll(() => vexil.close());
  const alice = { targetingKey: 'alice' };
  const real = (options: Partial<RemoteClientOptions> = {}) => made({ baseUrl: vexil.url, ...options });

  it('answers as the service does', async () => {
    const client = real();
    await client.ready();
    expect(await client.isEnabled('secret-plan', alice)).toBe(true);
    expect(await client.value('shop-color', alice, 'x')).toBe('grün');
    expect(await client.value('shop-layout', alice, {})).toEqual({ columns: [1, 2] });
    expect(await client.value('shop-none', alice, 'mine')).toBe('mine');
    expect(await client.evaluate('shop-ruled', { ...alice, plan: 'pro' }, true)).toEqual({
      flagKey: 'shop-ruled',
      value: false,
      variant: 'off',
      reason: 'TARGETING_MATCH',
      errorCode: undefined,
      isEnabled: false,
      flagVersion: expect.any(Number),
      revision: expect.any(Number),
      stale: false,
    });
    expect(await client.evaluate('shop-color', alice, 5)).toMatchObject({
      value: 5,
      variant: undefined,
      reason: 'ERROR',
      errorCode: 'TYPE_MISMATCH',
    });
    expect(await client.evaluate('absent', alice, true)).toMatchObject({
      value: true,
      reason: 'ERROR',
      errorCode: 'FLAG_NOT_FOUND',
    });
    const everything = await client.evaluateAll(alice);
    expect(Object.keys(everything)).toHaveLength(12);
    expect(Object.keys(await client.evaluateAll(['shop-color', 'absent'], alice))).toEqual(['shop-color']);
  });

  it('explains with a server key', async () => {
    const { secret } = await serverKey(vexil);
    const client = real({ apiKey: secret });
    const { explanation } = await client.evaluate('secret-plan', alice, false, { explain: true });
    expect(explanation).toMatchObject({ sentence: expect.any(String), trace: { flag: 'secret-plan' } });
    await expect(real().evaluate('secret-plan', alice, false, { explain: true })).rejects.toBeInstanceOf(
      ApiError,
    );
  });

  it('is not ready for an environment that there is not, nor with a key that is none', async () => {
    await expect(real({ environment: 'nowhere' }).ready()).rejects.toThrow(/nowhere/);
    const nobody = `vx_server_00000000_${'0'.repeat(43)}`;
    await expect(real({ apiKey: nobody }).ready()).rejects.toMatchObject({ status: 401 });
  });

  it('tells what users saw', async () => {
    const taken: TrackedEvent[] = [];
    const sink: ExposureSink = {
      send: (events) => {
        taken.push(...events);
        return Promise.resolve();
      },
    };
    const client = real({ exposures: { sink } });
    await client.isEnabled('secret-plan', alice);
    await client.value('secret-plan', alice, false);
    await client.value('absent', alice, false);
    await client.evaluateAll(alice);
    client.track('bought', alice, { value: 3, sku: 'x' });
    await client.close();
    expect(taken).toMatchObject([
      { type: 'exposure', flagKey: 'secret-plan', variant: 'on', unit: 'alice' },
      { type: 'metric', name: 'bought', unit: 'alice', value: 3, attributes: { sku: 'x' } },
    ]);
    expect(client.exposureCounts).toMatchObject({ delivered: 2, repeated: 1 });
  });

  it('manages flags with an admin key, and answers by what it changed', async () => {
    const { secret } = await adminKey(vexil, 'admin');
    const client = real({ apiKey: secret });
    const reader = real();
    const made = await client.createFlag({
      key: 'dark-mode',
      name: 'Dark',
      is_enabled: true,
      flag_type: 'boolean',
    });
    expect(made).toMatchObject({ key: 'dark-mode', environment_key: 'development', version: 1 });
    expect(await reader.isEnabled('dark-mode', alice)).toBe(true);
    expect(await client.getFlag('dark-mode')).toMatchObject({ name: 'Dark', rollout_percentage: 100 });
    expect((await client.listFlags({ q: 'dark', limit: 1 })).map(({ key }) => key)).toEqual(['dark-mode']);
    const changed = await client.updateFlag('dark-mode', { is_enabled: false }, { ifVersion: made.version });
    expect(changed).toMatchObject({ is_enabled: false, version: 2 });
    await expect(
      client.updateFlag('dark-mode', { is_enabled: true }, { ifVersion: made.version }),
    ).rejects.toMatchObject({ status: 412 });
    await expect(client.createFlag({ key: 'dark-mode', name: 'Again' })).rejects.toMatchObject({
      status: 409,
    });
    await expect(client.updateFlag('dark-mode', { rollout_percentage: 101 })).rejects.toMatchObject({
      problems: [{ path: 'rollout_percentage', message: expect.any(String) }],
    });
    await client.deleteFlag('dark-mode');
    await expect(client.getFlag('dark-mode')).rejects.toBeInstanceOf(FlagNotFound);
    await expect(client.deleteFlag('dark-mode')).rejects.toBeInstanceOf(FlagNotFound);
  });

  it('says what the service says to somebody who may not', async () => {
    await expect(real().listFlags()).rejects.toMatchObject({ status: 401 });
    const { secret } = await adminKey(vexil, 'viewer');
    await expect(real({ apiKey: secret }).createFlag({ key: 'x', name: 'X' })).rejects.toMatchObject({
      status: 403,
    });
  });
});
