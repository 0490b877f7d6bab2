import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { OfrepDoor } from '../../src/ofrep/ofrep.door.js';
import type { DirectRoute } from '../../src/platform/http/front-door.js';
import { Api } from '../support/api.js';
import { startTwins, type Asked, type Twins } from '../support/twins.js';
import { clientKey, serverKey } from '../api-keys/support.js';
import { BULK, makeFlags, one } from './support.js';

const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let twins: Twins;
let secrets: Record<'server' | 'client' | 'elsewhere' | 'unlimited' | 'bound', string>;

beforeAll(async () => {
  twins = await startTwins({ ALLOWED_ORIGINS: '*' });
  const { door } = twins;
  await makeFlags(new Api(door));
  secrets = {
    server: (await serverKey(door)).secret,
    client: (await clientKey(door)).secret,
    bound: (await clientKey(door, { origins: ['https://shop.example'], rate_limit_per_minute: 0 })).secret,
    elsewhere: (await serverKey(door, { environment_key: 'staging' })).secret,
    unlimited: (await serverKey(door, { rate_limit_per_minute: 0 })).secret,
  };
  await twins.settle(
    [secrets.server, secrets.client, secrets.unlimited],
    '/evaluate/shop-split?environment_key=development&user_id=a',
  );
});
afterAll(() => twins.close());

const ask = (path: string, body: unknown, secret: string, more: readonly string[] = []): Promise<string> =>
  twins.expectSame(post(path, body, secret, more));

const post = (path: string, body: unknown, secret: string, more: readonly string[] = []): Asked => ({
  method: 'POST',
  path,
  headers: [`X-API-Key: ${secret}`, ...more],
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

const PATHS = [...['shop-split', 'shop-ruled', 'shop-none', 'secret-plan', 'nothing'].map(one), BULK];

describe("the door in front of OFREP's evaluations", () => {
  it.each([
    ['a unit', { context: { targetingKey: 'alice' } }],
    ['attributes', { context: { targetingKey: 'alice', plan: 'pro', groups: ['a', 'b'] } }],
    ['a unit by our name', { context: { user_id: 'alice' } }],
    ['both names', { context: { targetingKey: 'alice', user_id: 'bob' } }],
    ['no unit', { context: {} }],
    ['a unit that is a number', { context: { targetingKey: 7 } }],
    ['a unit that is a list', { context: { targetingKey: ['a'] } }],
    ['a long unit', { context: { targetingKey: 'u'.repeat(1025) } }],
    ['a nested attribute', { context: { targetingKey: 'a', address: { city: 'Bern' } } }],
    ['more than a context', { context: { targetingKey: 'a' }, later: true }],
    ['a forbidden name beside it', '{"context":{"targetingKey":"a"},"constructor":1}'],
    ['a forbidden name within what is beside it', '{"context":{"targetingKey":"a"},"x":{"__proto__":1}}'],
    ['too much depth beside it', `{"context":{"targetingKey":"a"},"x":${'['.repeat(100)}${']'.repeat(100)}}`],
    ['an infinite number', '{"context":{"targetingKey":"a","n":1e400}}'],
    ['no context', {}],
    ['null as a context', { context: null }],
    ['a forbidden name', '{"context":{"constructor":1}}'],
    ['no JSON', '{'],
    ['nothing', ''],
    ['a list', '[]'],
  ])('answers a body with %s as the application does', async (_name, body) => {
    for (const path of PATHS)
      for (const secret of [secrets.server, secrets.client, secrets.unlimited]) await ask(path, body, secret);
  });

  it.each([
    ['another environment', () => secrets.elsewhere],
    ['no such key', () => `${secrets.server.slice(0, -1)}_`],
    ['an empty one', () => ''],
  ])('answers a key of %s as the application does', async (_name, secret) => {
    for (const path of PATHS) await ask(path, { context: { targetingKey: 'a' } }, secret());
  });

  it.each([
    ['a query', `${BULK}?flagConfigEtag=1-000000000000`],
    ['a query to one flag', `${one('shop-split')}?x=1`],
    ['a slash at the end', `${BULK}/`],
    ['an encoded key', `${BULK}/shop%2Dsplit`],
    ['a key with a slash', `${BULK}/a%2Fb`],
    ['a key beyond ASCII', `${BULK}/%C3%A4%F0%9F%8E%88`],
    ['a key that is not UTF-8', `${BULK}/%ff`],
    ['a long key', `${BULK}/${'k'.repeat(1_100)}`],
    ['a path below', `${BULK}/a/b`],
  ])('answers %s as the application does', async (_name, path) => {
    await ask(path, { context: { targetingKey: 'a' } }, secrets.server);
  });

  it('answers 304 to who has it, as the application does', async () => {
    const body = { context: { targetingKey: 'alice' } };
    const first = await ask(BULK, body, secrets.server);
    const tag = /^ETag: (W\/"[^"]+")\r$/m.exec(first)?.[1] ?? '';
    expect(tag).not.toBe('');
    for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*'])
      expect(await ask(BULK, body, secrets.server, [`If-None-Match: ${known}`])).toMatch(/^HTTP\/1.1 304 /);
    for (const known of ['"x"', ''])
      expect(await ask(BULK, body, secrets.server, [`If-None-Match: ${known}`])).toMatch(/^HTTP\/1.1 200 /);
    // Another answer has another tag, and another key another stream.
    const other = await ask(BULK, { context: { targetingKey: 'alice', plan: 'pro' } }, secrets.server);
    expect(other).not.toContain(tag);
    expect(await ask(BULK, body, secrets.unlimited)).not.toContain(tag);
  });

  it.each(['https://shop.example', 'https://elsewhere.example', 'null', ''])(
    'answers pages of %j as the application does, where all may ask',
    async (origin) => {
      const body = { context: { targetingKey: 'alice' } };
      for (const secret of [...Object.values(secrets), `${secrets.client.slice(0, -1)}_`])
        for (const path of PATHS) await ask(path, body, secret, [`Origin: ${origin}`]);
    },
  );

  it('tells a page, too, that it has it', async () => {
    const answers = jest.spyOn(twins.door.app.get(OfrepDoor).routes[1] as DirectRoute, 'answer');
    const body = { context: { targetingKey: 'alice' } };
    const page = ['Origin: https://shop.example'];
    const first = await ask(BULK, body, secrets.bound, page);
    expect(first).toMatch(/^HTTP\/1.1 200 [^]*^Access-Control-Allow-Origin: \*\r$/m);
    const tag = /^ETag: (W\/"[^"]+")\r$/m.exec(first)?.[1] ?? '';
    const second = await ask(BULK, body, secrets.bound, [...page, `If-None-Match: ${tag}`]);
    expect(second).toMatch(/^HTTP\/1.1 304 [^]*^Access-Control-Allow-Origin: \*\r$/m);
    // By the door itself.
    // Each on two connections.
    expect(answers.mock.results.map(({ value }) => value !== undefined)).toEqual([true, true, true, true]);
    answers.mockRestore();
  });

  it('answers whatever is asked as the application does', async () => {
    const value = fc.oneof(
      fc.constantFrom<unknown>('alice', 'pro', 7, 0.5, true, null, '', 'ä🎈', [], ['a', 1], {}, { a: 1 }),
      fc.string({ maxLength: 5 }),
    );
    const name = fc.constantFrom('targetingKey', 'user_id', 'plan', 'x', '', '__proto__', 'now');
    const body = fc
      .tuple(fc.constantFrom('context', 'context', 'context', 'other'), fc.array(fc.tuple(name, value)))
      .map(
        ([place, pairs]) =>
          `{"${place}":{${pairs.map(([key, item]) => `${JSON.stringify(key)}:${JSON.stringify(item)}`).join(',')}}}`,
      );
    const secret = fc.constantFrom<'server' | 'client'>('server', 'client');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...PATHS), body, secret, async (path, text, kind) => {
        await ask(path, text, kind === 'server' ? secrets.unlimited : secrets.client);
      }),
      { numRuns: 150, seed },
    );
  }, 60_000);

  it.each([
    [0, one('shop-split'), { targetingKey: 'a' }, true],
    [0, one('nothing'), { targetingKey: 'a' }, true],
    [0, one('shop-split'), { targetingKey: 7 }, false],
    [1, BULK, { targetingKey: 'a' }, true],
    [1, BULK, { targetingKey: 'a', deep: { x: 1 } }, false],
  ])('answers what is plain itself (route %i, %s, %j)', async (route, path, context, isPlain) => {
    const answers = jest.spyOn(twins.door.app.get(OfrepDoor).routes[route] as DirectRoute, 'answer');
    await twins.door.http.post(path).set('X-API-Key', secrets.server).send({ context });
    expect(answers.mock.results.map((result) => result.value !== undefined)).toEqual([isPlain]);
    answers.mockRestore();
  });

  it('counts each flag of a list', async () => {
    const counted = async (): Promise<number> => {
      const { text } = await twins.door.http.get('/metrics');
      const line =
        /^vexil_evaluations_total\{environment="development",flag="shop-banner",variant="on",reason="STATIC"\} (\d+)$/m;
      return Number(line.exec(text)?.[1] ?? 0);
    };
    const before = await counted();
    await twins.answerOf(twins.door, post(BULK, { context: { targetingKey: 'a' } }, secrets.unlimited));
    expect(await counted()).toBe(before + 1);
  });
});
