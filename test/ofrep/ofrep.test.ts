import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SnapshotStore } from '../../src/evaluation/snapshot-store.js';
import { startApp, type TestApp } from '../support/app.js';
import { Api } from '../support/api.js';
import { adminKey, clientKey, serverKey, withKey, type MadeKey } from '../api-keys/support.js';
import { ALICE, ask, BULK, flawsOf, makeFlags, one, SHOP } from './support.js';

let vexil: TestApp;
let server: MadeKey;
let client: MadeKey;
beforeAll(async () => {
  vexil = await startApp({ ALLOWED_ORIGINS: 'https://dashboard.example' });
  await makeFlags(new Api(vexil));
  server = await serverKey(vexil);
  client = await clientKey(vexil, { origins: ['https://acme.com'] });
});
afterAll(() => vexil.close());

const post = (path: string, body: object = ALICE, headers: object = {}) =>
  ask(vexil, server, path, body as never, headers);

describe('one flag', () => {
  it.each([
    ['shop-banner', { value: true, reason: 'STATIC', variant: 'on' }],
    ['shop-color', { value: 'grün', reason: 'STATIC', variant: 'a' }],
    ['shop-count', { value: 7, reason: 'STATIC', variant: 'a' }],
    ['shop-ratio', { value: 0.25, reason: 'STATIC', variant: 'a' }],
    ['shop-layout', { value: { columns: [1, 2] }, reason: 'STATIC', variant: 'a' }],
    ['shop-off', { value: false, reason: 'DISABLED', variant: 'off' }],
    ['shop-none', { reason: 'DISABLED' }],
    ['shop-gated', { value: false, reason: 'DISABLED', variant: 'off' }],
    ['shop-ruled', { value: true, reason: 'UNKNOWN', variant: 'on' }],
    ['shop-split', { value: true, reason: 'SPLIT', variant: 'on' }],
  ])('%s is %j', async (key, wanted) => {
    const answer = await post(one(key));
    const { version } = await new Api(vexil).flag(key);
    expect([answer.status, answer.body]).toEqual([200, { key, ...wanted, metadata: { version } }]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
    });
    expect(flawsOf(answer, false)).toEqual([]);
    const again = await post(one(key));
    expect(again.text).toBe(answer.text);
  });

  it('says why a rule served', async () => {
    const { body } = await post(one('shop-ruled'), { context: { targetingKey: 'alice', plan: 'pro' } });
    expect(body).toMatchObject({ value: false, reason: 'TARGETING_MATCH', variant: 'off' });
  });

  it.each([['user_id'], ['targetingKey']])('takes %s for the unit, as a number too', async (name) => {
    for (const unit of ['7', 7])
      expect((await post(one('shop-split'), { context: { [name]: unit } })).body.value).toBe(true);
  });

  it('needs no unit where none is asked for', async () => {
    for (const context of [{}, { targetingKey: null }, { targetingKey: '' }])
      expect((await post(one('shop-banner'), { context })).body.value).toBe(true);
  });

  it('passes over what it does not know', async () => {
    const answer = await post(`${one('shop-banner')}?later=1`, { ...ALICE, later: { version: 4 } });
    expect(answer.status).toBe(200);
  });
});

describe('failures', () => {
  const key = 'shop-banner';
  const cases: [string, string, unknown, object, number, object][] = [
    [
      'a flag that is not there',
      'absent',
      ALICE,
      {},
      404,
      { key: 'absent', errorCode: 'FLAG_NOT_FOUND', errorDetails: "Flag 'absent' was not found" },
    ],
    [
      'a key that must be decoded',
      'a/b c é',
      ALICE,
      {},
      404,
      { key: 'a/b c é', errorCode: 'FLAG_NOT_FOUND', errorDetails: "Flag 'a/b c é' was not found" },
    ],
    [
      'nobody',
      'shop-split',
      { context: {} },
      {},
      400,
      {
        key: 'shop-split',
        errorCode: 'TARGETING_KEY_MISSING',
        errorDetails: "Flag 'shop-split' needs a targetingKey, and the context has none",
      },
    ],
    [
      'no JSON',
      key,
      '{"context"',
      {},
      400,
      { key, errorCode: 'PARSE_ERROR', errorDetails: 'The body is not valid JSON.' },
    ],
    [
      'no object',
      key,
      [],
      {},
      400,
      { key, errorCode: 'PARSE_ERROR', errorDetails: 'request: must be an object' },
    ],
    [
      'no context',
      key,
      {},
      {},
      400,
      { key, errorCode: 'INVALID_CONTEXT', errorDetails: 'context: is required' },
    ],
    [
      'a context that is a list',
      key,
      { context: [] },
      {},
      400,
      { key, errorCode: 'INVALID_CONTEXT', errorDetails: 'context: must be an object' },
    ],
    [
      'a unit that is an object',
      key,
      { context: { targetingKey: {} } },
      {},
      400,
      { key, errorCode: 'INVALID_CONTEXT', errorDetails: 'context.targetingKey: must be a text' },
    ],
    [
      'a long unit',
      key,
      { context: { targetingKey: 'x'.repeat(1025) } },
      {},
      400,
      {
        key,
        errorCode: 'INVALID_CONTEXT',
        errorDetails: 'context.targetingKey: must have at most 1024 characters',
      },
    ],
    [
      'a name that cannot be',
      key,
      '{"context":{"__proto__":{}}}',
      {},
      400,
      { key, errorCode: 'INVALID_CONTEXT', errorDetails: 'context.__proto__: is a name that cannot be used' },
    ],
    [
      'a large body',
      key,
      { context: { a: 'x'.repeat(65_536) } },
      {},
      413,
      { key, errorCode: 'PARSE_ERROR', errorDetails: 'The body is larger than this route accepts.' },
    ],
    [
      'another media type',
      key,
      'x=1',
      { 'Content-Type': 'text/plain' },
      415,
      { key, errorCode: 'PARSE_ERROR', errorDetails: 'Send the body as application/json.' },
    ],
  ];

  it.each(cases)('of one flag: %s', async (_, flag, body, headers, status, wanted) => {
    const answer = await vexil.http
      .post(one(flag))
      .set({ ...withKey(server), 'Content-Type': 'application/json', ...headers })
      .send(body as object);
    expect([answer.status, answer.body]).toEqual([status, wanted]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(flawsOf(answer, false)).toEqual([]);
  });

  it.each(cases.filter(([what]) => !/flag|key|nobody/.test(what)))(
    'of all flags: %s',
    async (_, _flag, body, headers, status, wanted) => {
      const answer = await vexil.http
        .post(BULK)
        .set({ ...withKey(server), 'Content-Type': 'application/json', ...headers })
        .send(body as object);
      expect([answer.status, answer.body]).toEqual([status, { ...wanted, key: undefined }]);
      expect(flawsOf(answer, true)).toEqual([]);
    },
  );

  it('without a body', async () => {
    const answer = await vexil.http.post(BULK).set(withKey(server));
    expect([answer.status, answer.body.errorCode]).toEqual([400, 'PARSE_ERROR']);
  });

  it('of who may not ask', async () => {
    const admin = await adminKey(vexil, 'admin');
    const token = await vexil.bearer('admin');
    const send = (headers: Record<string, string>) => vexil.http.post(BULK).set(headers).send(ALICE);
    const told = async (headers: Record<string, string>) => {
      const { status, body, headers: sent } = await send(headers);
      return [status, body, 'www-authenticate' in sent];
    };
    const needed = 'Send an API key of kind server or client: X-API-Key: <key>.';
    const general = (errorDetails: string) => ({ errorCode: 'GENERAL', errorDetails });
    expect(await told({})).toEqual([401, general(needed), true]);
    expect(await told(token)).toEqual([401, general(needed), true]);
    const unknown = `vx_server_00000000_${'0'.repeat(43)}`;
    expect(await told({ 'X-API-Key': unknown })).toEqual([
      401,
      general('Invalid, expired or revoked API key'),
      true,
    ]);
    expect(await told({ Authorization: `Bearer ${unknown}` })).toEqual(await told({ 'X-API-Key': unknown }));
    expect(await told(withKey(admin))).toEqual([
      403,
      general("An API key of kind 'admin' may not do this."),
      false,
    ]);
    const [status, body] = await told({ ...withKey(client), Origin: 'https://evil.example' });
    expect([status, body]).toMatchObject([403, { errorCode: 'GENERAL' }]);
  });

  it('of who asks too often: whole seconds', async () => {
    const slow = await serverKey(vexil, { rate_limit_per_minute: 1 });
    await ask(vexil, slow, one('shop-banner')).expect(200);
    const answer = await ask(vexil, slow, one('shop-banner'));
    expect([answer.status, answer.body]).toEqual([
      429,
      {
        key: 'shop-banner',
        errorCode: 'GENERAL',
        errorDetails: expect.stringMatching(/^More than 1 request/),
      },
    ]);
    expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
  });

  it('where nothing is loaded yet, and where an environment is gone', async () => {
    const store = vexil.app.get(SnapshotStore, { strict: false });
    const own = await startApp();
    try {
      const key = await serverKey(own, { environment_key: 'staging' });
      const held = own.app.get(SnapshotStore, { strict: false });
      expect(held).not.toBe(store);
      held.drop('staging');
      const gone = await ask(own, key, BULK);
      expect([gone.status, gone.body.errorCode]).toEqual([404, 'GENERAL']);
      Object.defineProperty(held, 'knowsAll', { value: false });
      const early = await ask(own, key, one('x'));
      expect([early.status, early.body]).toEqual([
        503,
        { key: 'x', errorCode: 'GENERAL', errorDetails: 'The flags of this environment are not loaded yet.' },
      ]);
      expect(early.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    } finally {
      await own.close();
    }
  });

  it('of ours are told without what broke', async () => {
    const own = await startApp();
    try {
      const key = await serverKey(own);
      const held = own.app.get(SnapshotStore, { strict: false });
      Object.defineProperty(held, 'get', {
        value: () => {
          throw new Error('hidden');
        },
      });
      const answer = await ask(own, key, one('x'));
      expect([answer.status, answer.body]).toEqual([
        500,
        {
          key: 'x',
          errorCode: 'GENERAL',
          errorDetails: 'Something went wrong on our side. The request id finds it in the log.',
        },
      ]);
    } finally {
      await own.close();
    }
  });

  it.each([
    ['get', '/ofrep', 404],
    ['get', '/ofrep/v1/nothing', 404],
    ['get', BULK, 405],
    ['delete', one('x'), 405],
    ['post', '/ofrep/v1/evaluate/flags/%ff', 400],
  ] as const)('of %s %s', async (method, path, status) => {
    const answer = await vexil.http[method](path).set(withKey(server));
    expect([answer.status, answer.body.errorCode]).toEqual([
      status,
      status === 400 ? 'PARSE_ERROR' : 'GENERAL',
    ]);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect('allow' in answer.headers).toBe(status === 405);
  });

  it('elsewhere are problem documents as ever', async () => {
    const { headers } = await vexil.http.get('/ofreps');
    expect(headers['content-type']).toContain('application/problem+json');
  });
});

describe('all flags', () => {
  it('are those of the key, each as it is alone', async () => {
    const answer = await post(BULK);
    expect(flawsOf(answer, true)).toEqual([]);
    const flags = answer.body.flags as { key: string }[];
    expect(flags.map(({ key }) => key)).toEqual(['secret-off', 'secret-plan', ...SHOP]);
    for (const flag of flags) expect((await post(one(flag.key))).body).toEqual(flag);
  });

  it('tell who is not known of those that need it, and answer the others', async () => {
    const answer = await post(BULK, { context: {} });
    expect([answer.status, flawsOf(answer, true)]).toEqual([200, []]);
    const failed = (answer.body.flags as { key: string; errorCode?: string }[]).filter(
      (flag) => flag.errorCode,
    );
    expect(failed).toEqual([
      {
        key: 'shop-split',
        errorCode: 'TARGETING_KEY_MISSING',
        errorDetails: "Flag 'shop-split' needs a targetingKey, and the context has none",
      },
    ]);
  });

  it('are counted', async () => {
    const count = async () => {
      const line =
        'vexil_evaluations_total{environment="development",flag="shop-color",variant="a",reason="STATIC"} ';
      const { text } = await vexil.http.get('/metrics');
      return Number(
        text
          .split('\n')
          .find((one) => one.startsWith(line))
          ?.slice(line.length) ?? 0,
      );
    };
    const before = await count();
    await post(BULK);
    await post(one('shop-color'));
    expect(await count()).toBe(before + 2);
  });
});

describe('a client key', () => {
  const get = (path: string, body: object = ALICE, headers: object = {}) =>
    ask(vexil, client, path, body as never, headers);

  it('sees the visible flags, and no byte of others', async () => {
    const answer = await get(BULK);
    expect((answer.body.flags as { key: string }[]).map(({ key }) => key)).toEqual(SHOP);
    const texts = [answer.text, (await get(BULK, { context: {} })).text];
    for (const key of SHOP) texts.push((await get(one(key))).text);
    expect(texts.join()).not.toContain('secret');
    expect(texts.join()).not.toContain('PREREQUISITE');
  });

  it('is told the same of a hidden flag as of one that is not there', async () => {
    const bytes = async (key: string) => {
      const { status, text, headers } = await get(one(key));
      return JSON.stringify([status, text, Object.keys(headers), headers['content-length']]);
    };
    const missing = await bytes('absent-plan');
    expect(await bytes('secret-plan')).toBe(missing.replaceAll('absent-plan', 'secret-plan'));
    expect(missing).toContain('FLAG_NOT_FOUND');
  });

  it('may be used in its pages: what they need is allowed, and they can read it', async () => {
    const preflight = await vexil.http.options(BULK).set({
      Origin: 'https://acme.com',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization,content-type,if-none-match',
    });
    expect(preflight.headers['access-control-allow-origin']).toBe('https://acme.com');
    for (const name of ['Authorization', 'Content-Type', 'If-None-Match'])
      expect(preflight.headers['access-control-allow-headers']).toContain(name);
    const { headers } = await get(BULK, ALICE, { Origin: 'https://acme.com' });
    expect(headers['access-control-allow-origin']).toBe('https://acme.com');
    for (const name of ['ETag', 'Retry-After'])
      expect(headers['access-control-expose-headers']).toContain(name);
  });
});
