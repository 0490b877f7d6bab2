import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { Writable } from 'node:stream';
import { EvaluateDoor } from '../../src/evaluation/evaluate.door.js';
import { startApp, type TestApp } from '../support/app.js';
import { sendBytes } from '../support/send.js';
import { clientKey, serverKey } from '../api-keys/support.js';

const KEYS = ['on', 'quarter', 'colour', 'nested', 'broken-not'];
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** One service with the door, and one where requests are logged, so that the application answers them all. */
let door: TestApp;
let application: TestApp;
let secrets: Record<'server' | 'client' | 'elsewhere' | 'unlimited', string>;

beforeAll(async () => {
  door = await startApp();
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  application = await startApp({}, { database: door.database, config: door.config, log: silent });
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
    elsewhere: (await serverKey(door, { environment_key: 'staging' })).secret,
  };
  // The other instance has heard of all of it.
  for (const secret of Object.values(secrets)) {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const { text } = await application.http
        .get('/evaluate/on?environment_key=development&user_id=a')
        .set('X-API-Key', secret);
      if (!text.includes('invalid_api_key') && !text.includes('not found')) break;
      await sleep(50);
    }
  }
});
afterAll(async () => {
  await application.close();
  await door.close();
});

const DEVELOPMENT = 'environment_key=development';

/** The whole answer as it came over the wire, but for what is never twice the same. */
async function answerOf({ url }: TestApp, path: string, headers: readonly string[], method = 'GET') {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: vexil', 'Connection: close', ...headers, '', ''];
  return (await sendBytes(url, lines.join('\r\n')))
    .replace(/^Date: .*$/m, 'Date')
    .replace(/^X-Request-Id: [0-9a-f-]{36}$/m, 'X-Request-Id')
    .replace(/^(X-RateLimit-(?:Remaining|Reset)): \d+$/gm, '$1')
    .replace(/"request_id":"[0-9a-f-]{36}"/, '"request_id"');
}

async function expectSame(path: string, headers: readonly string[] = [], method?: string): Promise<string> {
  const answer = await answerOf(door, path, headers, method);
  expect(answer).toBe(await answerOf(application, path, headers, method));
  return answer;
}

const answered = async (): Promise<number> => {
  const { text } = await door.http.get('/metrics');
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

  it('answers what is plain itself, and nothing else', async () => {
    const answers = jest.spyOn(door.app.get(EvaluateDoor), 'answer');
    const path = `/evaluate/on?${DEVELOPMENT}&user_id=a`;
    for (const asked of [path, `${path}&x=1`, '/evaluate/on', path]) await door.http.get(asked);
    await door.http.get(path).set('Origin', 'https://shop.example');
    expect(answers.mock.results.map(({ value }) => value !== undefined)).toEqual([true, false, false, true]);
    answers.mockRestore();
  });

  it('counts what it answers', async () => {
    const before = await answered();
    await expectSame(`/evaluate/on?${DEVELOPMENT}&user_id=a`);
    expect(await answered()).toBe(before + 1);
  });

  it('counts a request that it leaves to the application once', async () => {
    const { secret } = await serverKey(door, { rate_limit_per_minute: 10 });
    for (const path of [
      '/evaluate/on?environment_key=staging&user_id=a',
      '/evaluate/on?environment_key=development',
    ])
      await door.http.get(path).set('X-API-Key', secret);
    const { headers } = await door.http.get(`/evaluate/on?${DEVELOPMENT}&user_id=a`).set('X-API-Key', secret);
    expect(headers['x-ratelimit-remaining']).toBe('7');
  });

  it('counts against the limit of a key, and leaves it to the application to refuse', async () => {
    const { secret } = await serverKey(door, { rate_limit_per_minute: 3 });
    const statuses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const { status } = await door.http
        .get(`/evaluate/on?${DEVELOPMENT}&user_id=a`)
        .set('X-API-Key', secret);
      statuses.push(status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  });
});

describe('where evaluations take a key', () => {
  it('asks for one as the application does', async () => {
    const closed = await startApp({ EVALUATE_ACCESS: 'key' }, { database: door.database });
    try {
      const answer = await answerOf(closed, `/evaluate/on?${DEVELOPMENT}&user_id=a`, []);
      expect(answer).toMatch(/^HTTP\/1.1 401 /);
      const known = [`X-API-Key: ${secrets.server}`];
      const path = `/evaluate/on?${DEVELOPMENT}&user_id=a`;
      expect(await answerOf(closed, path, known)).toMatch(/^HTTP\/1.1 200 /);
    } finally {
      await closed.close();
    }
  });
});
