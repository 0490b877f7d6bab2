import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Drill, outOf } from '../support/drill.js';
import { send, type Received } from '../support/send.js';
import { postgresAvailable, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const RUN = randomBytes(6).toString('hex');
const canaries: string[] = [];
/** A value that stands for a secret or for a person, and can be found again wherever it got to. */
function canary(what: string): string {
  const value = `canary-${what}-${RUN}-${canaries.length}`;
  canaries.push(value);
  return value;
}
const person = (what: string): string => `${canary(what)}@example.com`;

let service: Service;
/** With it, everything that it is asked is in its log, parameters included. */
let postgres: PostgresServer | undefined;
let token: string;
const failures: string[] = [];
const statuses = new Map<number, number>();

beforeAll(async () => {
  await ensureBuilt();
  if (postgresAvailable) postgres = await PostgresServer.running(['log_statement=all']);
  service = await Service.running({
    LOG_LEVEL: 'trace',
    LOGIN_ATTEMPTS_PER_MINUTE: '1000',
    ...(postgres ? { DATABASE_URL: postgres.url } : {}),
  });
  token = await service.setUp();
  await everything();
}, 300_000);
afterAll(async () => {
  await (service as Service | undefined)?.close();
  await postgres?.close();
});

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Received> {
  const answer = await send(service.client.url, {
    method,
    path,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
  });
  statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
  if (answer.status >= 400) failures.push(`${answer.text}${JSON.stringify(answer.headers)}`);
  return answer;
}

/** Every place of the API that takes a secret, or something about a person, in requests that go well and in those that fail. */
async function everything(): Promise<void> {
  for (const more of [{}, { extra: canary('field') }, { name: 7 }]) {
    const email = person('email');
    const [password, name] = [canary('password'), canary('name')];
    await ask('POST', '/auth/register', { email, password, name, ...more });
    await ask('POST', '/auth/register', { email, password, name, ...more });
    await ask('POST', '/auth/login', { email, password: canary('guess'), ...more });
    await ask('POST', '/auth/login', { email, password, ...more });
    await ask('POST', '/auth/setup', { email, password, name, token: canary('setup'), ...more });
    await ask('POST', '/auth/invites/look', { token: canary('invite'), ...more });
    await ask('POST', '/auth/invites/accept', { email, password, name, token: canary('invite'), ...more });
  }
  const invited = await ask('POST', '/auth/invites', { role: 'viewer', email: person('email') });
  const { token: offer } = JSON.parse(invited.text) as { token: string };
  canaries.push(offer);
  await ask('POST', '/auth/invites/look', { token: offer });
  const guest = { email: person('email'), password: canary('password'), name: canary('name') };
  await ask('POST', '/auth/invites/accept', { ...guest, token: offer });
  await ask('POST', `/auth/invites/look?token=${offer}`, {});
  await ask('POST', '/auth/login', `{"email":"${person('email')}","password":"${canary('broken')}`);
  await ask('POST', '/auth/login', { email: canary('address'), password: { nested: canary('nested') } });
  await ask('POST', '/auth/login', canary('text'), { 'Content-Type': 'text/plain' });

  for (const name of [
    'X-API-Key',
    'Authorization',
    'Cookie',
    'X-Custom',
    'If-Match',
    'Origin',
    'Last-Event-ID',
  ])
    for (const path of [
      '/auth/me',
      '/flags',
      '/evaluate/x?environment_key=development',
      '/stream?environment_key=development',
    ])
      await ask('GET', path, undefined, {
        [name]: name === 'Authorization' ? `Bearer ${canary(name)}` : canary(name),
      });
  for (const path of ['/auth/me', '/flags', '/evaluate/x', '/stream', '/audit', '/ruleset', '/nothing'])
    await ask(
      'GET',
      `${path}?access_token=${canary('query')}&password=${canary('query')}&user_id=${canary('query')}`,
    );

  const made = await ask('POST', '/auth/api-keys', {
    name: 'a key',
    kind: 'server',
    environment_key: 'development',
  });
  const { secret, id } = JSON.parse(made.text) as { secret: string; id: string };
  canaries.push(secret.slice(-43));
  const withKey = { Authorization: '', 'X-API-Key': secret };
  await ask('GET', '/evaluate/x?environment_key=development', undefined, withKey);
  await ask('POST', '/flags', { key: 'x' }, withKey);
  await ask('GET', `/evaluate/x?environment_key=development&key=${secret}`, undefined, withKey);

  const segment = await ask('POST', '/segments', {
    key: 'crowd',
    name: 'Crowd',
    environment_key: 'development',
    included: [person('included')],
    excluded: [person('excluded')],
  });
  await ask('POST', '/segments', {
    key: 'bad',
    name: 'x',
    environment_key: 'development',
    included: { a: person('included') },
  });
  const targeting = () => ({
    targets: [{ variant: 'on', keys: [person('target')] }],
    rules: [
      {
        id: 'rule',
        conditions: { all: [{ attribute: 'email', operator: 'equals', values: [person('condition')] }] },
        serve: { variant: 'on' },
      },
    ],
  });
  const flag = await ask('POST', '/flags', {
    key: 'aimed',
    name: 'x',
    environment_key: 'development',
    is_enabled: true,
    ...targeting(),
  });
  await ask('PUT', '/flags/aimed?environment_key=development', targeting());
  await ask('PUT', '/flags/aimed?environment_key=development', {
    ...targeting(),
    unknown: person('unknown'),
  });

  expect([segment.status, flag.status, flag.text]).toEqual([201, 201, expect.anything()]);

  for (const asked of ['aimed', 'absent'])
    for (const environment of ['development', 'nowhere']) {
      const context = () => ({
        targetingKey: person('unit'),
        email: person('context'),
        deep: { list: [person('deep')] },
        [canary('attribute')]: 1,
      });
      const body = () => ({ environment_key: environment, user_id: person('user'), context: context() });
      await ask('GET', `/evaluate/${asked}?environment_key=${environment}&user_id=${person('user')}`);
      await ask('POST', `/evaluate/${asked}`, body());
      await ask('POST', `/evaluate/${asked}`, { ...body(), explain: true });
      await ask('POST', '/evaluate', { ...body(), flag_keys: [asked] });
      await ask('POST', '/evaluate', { ...body(), flag_keys: 7, oops: person('oops') });
      await ask('POST', `/evaluate/${asked}`, {
        ...body(),
        context: { ['__proto__x']: person('x'), constructor: person('x') },
      });
      for (const headers of [withKey, {}]) {
        await ask('POST', `/ofrep/v1/evaluate/flags/${asked}`, { context: context() }, headers);
        await ask(
          'POST',
          '/ofrep/v1/evaluate/flags',
          { context: { ...context(), targetingKey: 7 } },
          headers,
        );
        await ask('POST', '/ofrep/v1/evaluate/flags', `{"context":{"email":"${person('broken')}"`, headers);
      }
    }
  await ask('DELETE', `/auth/api-keys/${id}`);
  await ask('GET', '/flags', undefined, withKey);
  await eventually(() => service.process.stdout.includes(`DELETE /auth/api-keys/${id}`));
}

it('T25: no log line, figure or failure tells a secret, or anything about a person', async () => {
  const { text: figures } = await send(service.client.url, { method: 'GET', path: '/metrics' });
  const places = {
    'standard output': service.process.stdout,
    'standard error': service.process.stderr,
    metrics: figures,
    'bodies and headers of failures': failures.join('\n'),
  };
  const found = Object.entries(places).flatMap(([place, text]) =>
    canaries
      .filter((value) => text.includes(value))
      .map(
        (value) =>
          `${place}: ${value}: …${text.slice(Math.max(0, text.indexOf(value) - 120), text.indexOf(value) + 40)}`,
      ),
  );
  new Drill('T25', 'canaries in every field').report({
    'canaries found': outOf(found.length, canaries.length),
    'requests that failed': outOf(
      failures.length,
      [...statuses.values()].reduce((sum, n) => sum + n, 0),
    ),
    'lines of the log': service.process.stdout.split('\n').length,
    'answers by status': Object.fromEntries([...statuses].sort(([a], [b]) => a - b)),
  });
  expect(found).toEqual([]);
  expect(places['standard output']).toContain('POST /auth/login');
  for (const status of [200, 201, 400, 401, 404, 409, 415, 422])
    expect([...statuses.keys()]).toContain(status);
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
});

/** What people write in order to have it kept; nothing else of what is sent is the database's business. */
const KEPT = /^canary-(email|name|included|excluded|target|condition)-/;

(postgresAvailable ? it : it.skip)(
  'T25: no statement that the database is sent, and nothing that it keeps, has a secret or a context in it',
  async () => {
    const database = postgres as PostgresServer;
    const tables = (await database.query(
      "SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
      'vexil',
    )) as { name: string }[];
    let kept = '';
    for (const { name } of tables)
      kept += JSON.stringify(await database.query(`SELECT to_jsonb(t) FROM ${name} t`, 'vexil'));
    const places = { 'log of statements': database.log, 'kept rows': kept };
    const found = Object.entries(places).flatMap(([place, text]) =>
      canaries
        .filter((value) => !KEPT.test(value) && text.includes(value))
        .map((value) => `${place}: ${value}`),
    );
    expect(found).toEqual([]);
    // It was there to be found.
    for (const [place, text] of Object.entries(places))
      expect([place, canaries.some((value) => KEPT.test(value) && text.includes(value))]).toEqual([
        place,
        true,
      ]);
  },
);
