import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { EvaluateDoor } from '../../src/evaluation/evaluate.door.js';
import type { DirectRoute } from '../../src/platform/http/front-door.js';
import { startApp } from '../support/app.js';
import { sendPieces } from '../support/send.js';
import { startTwins, type Twins } from '../support/twins.js';
import { clientKey, serverKey } from '../api-keys/support.js';

const KEYS = ['on', 'quarter', 'colour', 'nested', 'broken-not'];
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let twins: Twins;
let secrets: Record<'server' | 'client' | 'elsewhere' | 'unlimited' | 'bound', string>;

beforeAll(async () => {
  twins = await startTwins({ ALLOWED_ORIGINS: 'https://app.example,https://admin.example' });
  const { door } = twins;
  const admin = await door.bearer('admin');
  const environment = { environment_key: 'development', is_enabled: true };
  const flags: object[] = [
    { key: 'on', flag_type: 'boolean', client_visible: true },
    { key: 'quarter', flag_type: 'percentage', rollout_percentage: 25 },
    {
      key: 'colour',
      flag_type: 'multivariate',
      value_type: 'json',
      variants: [
        { key: 'red', value: { name: 'réd "quoted" \t', list: [1, null] } },
        { key: 'none', value: { reason: '\\u0000', reason_code: 'SPLIT' } },
      ],
    },
    {
      key: 'for-pro',
      rules: [
        {
          id: 'pro',
          name: 'pro',
          conditions: { all: [{ attribute: 'plan', operator: 'equals', values: ['pro'] }] },
          serve: { variant: 'off' },
        },
      ],
    },
  ];
  for (const flag of flags) {
    const made = await door.http
      .post('/flags')
      .set(admin)
      .send({ name: 'x', ...environment, ...flag });
    if (made.status !== 201) throw new Error(made.text);
  }
  secrets = {
    server: (await serverKey(door)).secret,
    unlimited: (await serverKey(door, { rate_limit_per_minute: 0 })).secret,
    client: (await clientKey(door)).secret,
    bound: (await clientKey(door, { origins: ['https://shop.example'], rate_limit_per_minute: 0 })).secret,
    elsewhere: (await serverKey(door, { environment_key: 'staging' })).secret,
  };
  await twins.settle(Object.values(secrets), '/evaluate/on?environment_key=development&user_id=a');
});
afterAll(() => twins.close());

const DEVELOPMENT = 'environment_key=development';

/** As Chromium asks from a page of another origin. */
const BROWSER = [
  'sec-ch-ua-platform: "Linux"',
  'Referer: https://shop.example/',
  'User-Agent: Mozilla/5.0',
  'sec-ch-ua: "Chromium";v="140"',
  'DNT: 1',
  'sec-ch-ua-mobile: ?0',
  'Accept: */*',
  'Origin: https://shop.example',
  'Sec-Fetch-Site: cross-site',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Dest: empty',
  'Accept-Encoding: gzip, deflate',
  'Accept-Language: en',
];

const expectSame = (path: string, headers: readonly string[] = [], method = 'GET'): Promise<string> =>
  twins.expectSame({ path, headers, method });

const answered = async (): Promise<number> => {
  const { text } = await twins.door.http.get('/metrics');
  const line =
    /^vexil_http_requests_total\{method="GET",route="\/evaluate\/:flag_key",status="200"\} (\d+)$/m;
  return Number(line.exec(text)?.[1] ?? 0);
};

describe('the door in front of the application', () => {
  it.each([
    ['a flag that is on', '/evaluate/on?environment_key=development&user_id=alice'],
    ['a rollout', '/evaluate/quarter?environment_key=development&user_id=alice'],
    ['a value that is an object', '/evaluate/colour?environment_key=development&user_id=alice'],
    ['another variant of it', '/evaluate/colour?environment_key=development&user_id=user-3'],
    ['parameters in another order', '/evaluate/on?user_id=alice&environment_key=development'],
    ['an unknown flag', '/evaluate/nothing?environment_key=development&user_id=alice'],
    ['an unknown environment', '/evaluate/on?environment_key=nowhere&user_id=alice'],
    ['an encoded key', '/evaluate/%6fn?environment_key=development&user_id=alice'],
    ['a slash in a key', '/evaluate/a%2Fb?environment_key=development&user_id=alice'],
    ['a key with all sorts', '/evaluate/%22%C3%A4%00%F0%9F%8E%88?environment_key=development&user_id=alice'],
    ['a key that is not UTF-8', '/evaluate/%ff?environment_key=development&user_id=alice'],
    ['a key that ends in a percent sign', '/evaluate/a%?environment_key=development&user_id=alice'],
    ['a long key', `/evaluate/${'k'.repeat(1025)}?environment_key=development&user_id=alice`],
    ['no key', '/evaluate/?environment_key=development&user_id=alice'],
    ['a path below', '/evaluate/on/x?environment_key=development&user_id=alice'],
    ['a slash at the end', '/evaluate/on/?environment_key=development&user_id=alice'],
    ['blanks in a user', '/evaluate/quarter?environment_key=development&user_id=a+b%20c'],
    ['a user beyond ASCII', '/evaluate/quarter?environment_key=development&user_id=%C3%A4%F0%9F%8E%88'],
    ['a user that is not UTF-8', '/evaluate/quarter?environment_key=development&user_id=%ff%zz'],
    ['an empty user', '/evaluate/quarter?environment_key=development&user_id='],
    ['a long user', `/evaluate/quarter?environment_key=development&user_id=${'u'.repeat(1025)}`],
    ['nobody', '/evaluate/quarter?environment_key=development'],
    ['nobody, about a flag that is on for all', '/evaluate/on?environment_key=development'],
    ['a user alone', '/evaluate/on?user_id='],
    ['no environment', '/evaluate/quarter?user_id=alice'],
    ['an empty environment', '/evaluate/quarter?environment_key=&user_id=alice'],
    ['no query', '/evaluate/on'],
    ['an environment twice', `/evaluate/on?${DEVELOPMENT}&${DEVELOPMENT}&user_id=a`],
    ['a parameter too many', `/evaluate/on?${DEVELOPMENT}&user_id=a&x=1`],
    ['an array', `/evaluate/on?${DEVELOPMENT}&user_id[]=a`],
    ['a name that JavaScript knows', `/evaluate/__proto__?${DEVELOPMENT}&user_id=__proto__`],
    ['a fragment', `/evaluate/quarter?${DEVELOPMENT}&user_id=a#b`],
    ['a fragment in the key', `/evaluate/quarter#x?${DEVELOPMENT}&user_id=a`],
    ['a backslash', `/evaluate/quarter\\x?${DEVELOPMENT}&user_id=a`],
    ['another case', `/Evaluate/on?${DEVELOPMENT}&user_id=a`],
    ['a whole address', `http://vexil/evaluate/on?${DEVELOPMENT}&user_id=a`],
  ])('answers %s as the application does', async (_name, path) => {
    await expectSame(path);
  });

  it.each(['HEAD', 'POST', 'DELETE', 'OPTIONS'])('leaves %s to the application', async (method) => {
    await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`, [], method);
  });

  it.each([
    ['an id of the request', ['X-Request-Id: my-id.1']],
    ['an id that is none', ['X-Request-Id: <script>']],
    ['a page', ['Origin: https://shop.example']],
    ['a token that is not looked at', ['Authorization: Bearer nonsense']],
    ['a body', ['Content-Length: 2', 'Content-Type: application/json', '', '{}']],
    ['a forwarded address', ['X-Forwarded-For: 203.0.113.9']],
    ['an expectation', ['Expect: something']],
    ['an ETag', ['If-None-Match: *']],
  ])('answers a request with %s as the application does', async (_name, headers) => {
    await expectSame(`/evaluate/quarter?${DEVELOPMENT}&user_id=a`, headers);
  });

  it.each([
    'https://shop.example',
    'https://app.example',
    'https://elsewhere.example',
    'https://shop.example.evil.example',
    'HTTPS://SHOP.EXAMPLE',
    'null',
    '*',
    '',
  ])('answers pages of %j as the application does, whatever key they bring', async (origin) => {
    const path = `/evaluate/on?${DEVELOPMENT}&user_id=a`;
    const body = JSON.stringify({ environment_key: 'development', user_id: 'a' });
    const wrong = `${secrets.client.slice(0, -1)}_`;
    for (const secret of [undefined, ...Object.values(secrets), wrong]) {
      const headers = [`Origin: ${origin}`, ...(secret === undefined ? [] : [`X-API-Key: ${secret}`])];
      await twins.expectSame({ path, headers });
      await twins.expectSame({ path, headers: [...headers, 'X-Request-Id: mine'] });
      await twins.expectSame({ path: '/evaluate/nothing?x=1', headers });
      for (const asked of ['/evaluate/on', '/evaluate'])
        await twins.expectSame({ method: 'POST', path: asked, headers, body });
    }
  });

  it.each([
    ['two origins', ['Origin: https://shop.example', 'Origin: https://app.example']],
    ['the same twice', ['Origin: https://app.example', 'Origin: https://app.example']],
    ['all that a browser says', BROWSER],
  ])('answers a page with %s as the application does', async (_name, headers) => {
    for (const secret of ['client', 'bound', 'server'] as const)
      await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`, [
        ...headers,
        `X-API-Key: ${secrets[secret]}`,
      ]);
  });

  it('lets a page read what its key allows', async () => {
    const answers = jest.spyOn(twins.door.app.get(EvaluateDoor).routes[0] as DirectRoute, 'answer');
    const answer = await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`, [
      'Origin: https://shop.example',
      `X-API-Key: ${secrets.bound}`,
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 200 [^]*^Access-Control-Allow-Origin: https:\/\/shop.example\r$/m);
    expect(answer).toMatch(/^Vary: Origin\r$/m);
    // By the door itself, on both connections.
    expect(answers.mock.results.map(({ value }) => value !== undefined)).toEqual([true, true]);
    answers.mockRestore();
  });

  it.each([['*'], ['"x"'], ['W/"1", *']])(
    'answers If-None-Match: %s with all of it, for it has no ETag',
    async (tag) => {
      const path = `/evaluate/quarter?${DEVELOPMENT}&user_id=a`;
      expect(await expectSame(path, [`If-None-Match: ${tag}`])).toMatch(/^HTTP\/1.1 200 /);
    },
  );

  it.each(['server', 'unlimited', 'client', 'elsewhere'] as const)(
    'answers the %s key as the application does',
    async (name) => {
      for (const header of [`X-API-Key: ${secrets[name]}`, `Authorization: Bearer ${secrets[name]}`])
        for (const key of ['on', 'quarter', 'nothing'])
          await expectSame(`/evaluate/${key}?${DEVELOPMENT}&user_id=a`, [header]);
    },
  );

  it.each([
    ['a wrong key', () => [`X-API-Key: ${secrets.server.slice(0, -1)}_`]],
    ['two credentials', () => [`X-API-Key: ${secrets.server}`, `Authorization: Bearer ${secrets.client}`]],
  ])('refuses %s with the words of the application', async (_name, headers) => {
    expect(await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`, headers())).toMatch(/^HTTP\/1.1 401 /);
  });

  it('answers whatever is asked as the application does', async () => {
    const piece = fc.oneof(
      fc.constantFrom(...KEYS, '', 'a b', '%41', '%', '+', 'ä', '"', '\\', '..', '__proto__', 'development'),
      fc.string({ maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
    );
    const name = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('environment_key', 'user_id') },
      { weight: 1, arbitrary: piece },
    );
    const path = fc
      .record({ key: piece, query: fc.array(fc.tuple(name, piece), { maxLength: 3 }) })
      .map(({ key, query }) =>
        encodeURI(`/evaluate/${key}?${query.map((pair) => pair.join('=')).join('&')}`).replaceAll('%25', '%'),
      );
    await fc.assert(
      fc.asyncProperty(path, async (asked) => {
        await expectSame(asked);
      }),
      { numRuns: 150, seed },
    );
  }, 60_000);

  const post = (path: string, body: unknown, headers: readonly string[] = []) =>
    twins.expectSame({
      method: 'POST',
      path,
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const IN_DEVELOPMENT = { environment_key: 'development' };

  it.each([
    ['a user', { user_id: 'alice' }],
    ['a context', { context: { user_id: 'alice', plan: 'pro', tags: ['a', 1, null], ok: true } }],
    ['a targeting key', { context: { targetingKey: 'alice' } }],
    ['both names of a user', { context: { targetingKey: 'alice', user_id: 'alice' } }],
    ['two users', { user_id: 'bob', context: { user_id: 'alice' } }],
    ['a number as a user', { user_id: 7 }],
    ['a number as a unit', { context: { targetingKey: 7 } }],
    ['no user', { context: { plan: 'pro' } }],
    ['null as a user', { context: { user_id: null } }],
    ['a nested attribute', { context: { user_id: 'a', address: { city: 'Bern' } } }],
    ['a list in a list', { context: { user_id: 'a', deep: [[1]] } }],
    ['a forbidden name', '{"environment_key":"development","context":{"__proto__":{"a":1},"user_id":"a"}}'],
    ['an infinite number', '{"environment_key":"development","context":{"user_id":"a","n":1e400}}'],
    [
      'an infinite number in a list',
      '{"environment_key":"development","context":{"user_id":"a","n":[-1e400]}}',
    ],
    ['a name twice', '{"environment_key":"development","user_id":"a","user_id":"b"}'],
    ['a name it does not know', { user_id: 'a', colour: 'red' }],
    ['flags in the body', { user_id: 'a', flag_keys: ['on'] }],
    ['a wish to explain', { user_id: 'a', explain: true }],
    ['no wish to explain', { user_id: 'a', explain: false }],
    ['an empty user', { user_id: '' }],
    ['a long user', { user_id: 'u'.repeat(1025) }],
    [
      'many attributes',
      { context: Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`a${at}`, at])) },
    ],
    ['a context that is a list', { context: [] }],
    ['no environment', { environment_key: undefined, user_id: 'a' }],
    ['an unknown environment', { environment_key: 'nowhere', user_id: 'a' }],
    ['no JSON', '{"environment_key":'],
    ['a byte order mark', '\ufeff{"environment_key":"development","user_id":"a"}'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['nothing', ''],
    ['a large body', { user_id: 'a', context: { text: 'x'.repeat(70_000) } }],
    ['a body of several pieces', { user_id: 'a', context: { text: 'x'.repeat(60_000) } }],
  ])('answers a body with %s as the application does', async (_name, body) => {
    const sent = typeof body === 'string' ? body : { ...IN_DEVELOPMENT, ...body };
    for (const path of ['/evaluate/quarter', '/evaluate/for-pro', '/evaluate/nothing', '/evaluate'])
      await post(path, sent);
  });

  it.each([
    ['named flags', { user_id: 'a', flag_keys: ['on', 'quarter', 'nothing', 'on'] }],
    ['no flags', { user_id: 'a', flag_keys: [] }],
    ['a key that is no text', { user_id: 'a', flag_keys: [1] }],
    ['a long key', { user_id: 'a', flag_keys: ['k'.repeat(201)] }],
    ['an odd key', { user_id: 'a', flag_keys: ['"\u0000ä'] }],
    ['too many', { user_id: 'a', flag_keys: Array.from({ length: 1_001 }, () => 'on') }],
  ])('answers %s of many as the application does', async (_name, body) => {
    for (const secret of [undefined, secrets.server, secrets.client, secrets.elsewhere])
      await post(
        '/evaluate',
        { ...IN_DEVELOPMENT, ...body },
        secret === undefined ? [] : [`X-API-Key: ${secret}`],
      );
  });

  it.each([
    ['another type', ['Content-Type: text/plain']],
    ['a type with its charset', ['Content-Type: application/json; charset=UTF-8']],
    ['another charset', ['Content-Type: application/json; charset=utf-16']],
    ['a type of a family', ['Content-Type: application/merge+json']],
    ['a page', ['Origin: https://shop.example']],
    ['an encoding', ['Content-Encoding: gzip']],
    ['an id of the request', ['X-Request-Id: my-id.1']],
    ['an expectation', ['Expect: 100-continue']],
    ['an ETag', ['If-None-Match: *']],
    ['another method', ['X-HTTP-Method-Override: GET']],
  ])('answers a body with %s as the application does', async (_name, headers) => {
    await post('/evaluate/quarter', { ...IN_DEVELOPMENT, user_id: 'a' }, headers);
  });

  it.each([
    '/evaluate/',
    '/evaluate/quarter/',
    '/evaluate/quarter?x=1',
    '/evaluate?x=1',
    '/evaluated',
    '/evaluate/%ff',
  ])('answers a body sent to %s as the application does', async (path) => {
    await post(path, { ...IN_DEVELOPMENT, user_id: 'a' });
  });

  it('answers a body in chunks as the application does', async () => {
    const body = JSON.stringify({ ...IN_DEVELOPMENT, user_id: 'a' });
    const chunks = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    const answer = await post('/evaluate/quarter', chunks, ['Transfer-Encoding: chunked']);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  it('answers one connection that asks again and again, with bodies that come in pieces', async () => {
    const text = JSON.stringify({ ...IN_DEVELOPMENT, user_id: 'alice' });
    const head = (more: string) =>
      `POST /evaluate/quarter HTTP/1.1\r\nHost: vexil\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n${more}\r\n`;
    const pieces = [
      head('') + text,
      head(''),
      text,
      head('') + text.slice(0, 5),
      text.slice(5),
      head('') + text + head('') + text,
      head('Connection: close\r\n') + text,
    ];
    for (const { url } of [twins.door, twins.application]) {
      const answers = await sendPieces(url, pieces);
      expect(answers.match(/HTTP\/1.1 200 OK/g)).toHaveLength(6);
      expect(answers.match(/"flag_key":"quarter"/g)).toHaveLength(6);
    }
  });

  it('answers what is plain itself, and nothing else', async () => {
    const answers = jest.spyOn(twins.door.app.get(EvaluateDoor).routes[0] as DirectRoute, 'answer');
    const path = `/evaluate/on?${DEVELOPMENT}&user_id=a`;
    for (const asked of [path, `${path}&x=1`, '/evaluate/on', path]) await twins.door.http.get(asked);
    await twins.door.http.get(path).set('Origin', 'https://shop.example');
    expect(answers.mock.results.map(({ value }) => value !== undefined)).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
    answers.mockRestore();
  });

  it.each([
    [1, '/evaluate/on', { user_id: 'a' }, true],
    [1, '/evaluate/on', { user_id: 'a', explain: true }, false],
    [2, '/evaluate', { context: { user_id: 'a', tags: ['x'] } }, true],
    [2, '/evaluate', { context: { user_id: 'a', tags: [['x']] } }, false],
  ])('answers plain bodies itself (route %i, %s, %j)', async (route, path, body, isPlain) => {
    const answers = jest.spyOn(twins.door.app.get(EvaluateDoor).routes[route] as DirectRoute, 'answer');
    await twins.door.http.post(path).send({ ...IN_DEVELOPMENT, ...body });
    expect(answers.mock.results.map(({ value }) => value !== undefined)).toEqual([isPlain]);
    answers.mockRestore();
  });

  it('counts what it answers', async () => {
    const before = await answered();
    // On two connections.
    await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`);
    expect(await answered()).toBe(before + 2);
  });

  it('counts a request that it leaves to the application once', async () => {
    const { secret } = await serverKey(twins.door, { rate_limit_per_minute: 10 });
    for (const path of [
      '/evaluate/on?environment_key=staging&user_id=a',
      '/evaluate/on?environment_key=development',
    ])
      await twins.door.http.get(path).set('X-API-Key', secret);
    const { headers } = await twins.door.http
      .get(`/evaluate/on?${DEVELOPMENT}&user_id=a`)
      .set('X-API-Key', secret);
    expect(headers['x-ratelimit-remaining']).toBe('7');
  });

  it('counts against the limit of a key, and leaves it to the application to refuse', async () => {
    const { secret } = await serverKey(twins.door, { rate_limit_per_minute: 3 });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const { status } = await twins.door.http
        .get(`/evaluate/on?${DEVELOPMENT}&user_id=a`)
        .set('X-API-Key', secret);
      statuses.push(status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  });
});

describe('where evaluations take a key', () => {
  it('asks for one as the application does', async () => {
    const closed = await startApp({ EVALUATE_ACCESS: 'key' }, { database: twins.door.database });
    try {
      const path = `/evaluate/on?${DEVELOPMENT}&user_id=a`;
      const answer = await twins.answerOf(closed, { path });
      expect(answer).toMatch(/^HTTP\/1.1 401 /);
      const headers = [`X-API-Key: ${secrets.server}`];
      expect(await twins.answerOf(closed, { path, headers })).toMatch(/^HTTP\/1.1 200 /);
    } finally {
      await closed.close();
    }
  });
});
