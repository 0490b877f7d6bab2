import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeysService } from '../../src/api-keys/api-keys.service.js';
import { systemActor } from '../../src/platform/access/actor.js';
import { hashOfSecret } from '../../src/api-keys/api-key-secret.js';
import { migratedDatabase } from '../support/database.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { openDatabaseSource, type DatabaseSource } from '../../src/platform/database/database-source.js';
import { migrate } from '../../src/platform/database/migrator.js';
import { SCHEMA } from '../../src/schema.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { eventually } from '../support/api.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { startTwins } from '../support/twins.js';
import { withKey } from './support.js';

const onFatal = (error: Error): void => {
  throw error;
};

type Row = Record<string, unknown>;

// As the READMEs say to make one.
const FIRST = randomBytes(32).toString('hex');
const SECOND = randomBytes(32).toString('hex');
const flag = (key: string) => ({ key, name: key, environment_key: 'production' });

let log = '';
const sink = () =>
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });

/** Holds the database; the instances that are tested come and go. */
let owner: TestApp;
const config = testConfig();
let database: DatabaseSource;
beforeAll(async () => {
  database = await migratedDatabase(config);
  const [one, other] = await Promise.all(
    [1, 2].map(async () => startApp({ API_KEY: FIRST }, { database, log: sink() })),
  );
  await other!.close();
  owner = one!;
});
afterAll(async () => {
  await owner.close();
  await database.close();
  config.removeData();
});

/** An instance with that setting, from its start to its end. */
async function withInstance<T>(env: Record<string, string>, use: (vexil: TestApp) => Promise<T>): Promise<T> {
  const vexil = await startApp(env, { database: owner.database, log: sink() });
  try {
    return await use(vexil);
  } finally {
    await vexil.close();
  }
}

const listed = async (vexil: TestApp): Promise<Row[]> =>
  ((await vexil.http.get('/auth/api-keys').set(await vexil.bearer('admin'))).body as Row[]).filter(
    ({ prefix }) => prefix === 'API_KEY',
  );
const statusOf = async (vexil: TestApp, secret: string) =>
  (await vexil.http.get('/flags').set('X-API-Key', secret)).status;
const history = async (vexil: TestApp) =>
  (
    await vexil.query<{ told: string }>(
      `SELECT action || ' by ' || actor_type AS told FROM audit_entries WHERE entity_key = 'API_KEY' ORDER BY position`,
    )
  ).map(({ told }) => told);
const revision = async () =>
  (await owner.query<Row>(`SELECT revision FROM revisions WHERE name = 'api_keys'`))[0]!['revision'];

describe('the key that API_KEY says', () => {
  it('is there once, when two instances start at once, and is shown as such', async () => {
    expect(await listed(owner)).toEqual([
      expect.objectContaining({ name: 'API_KEY setting', kind: 'admin', role: 'admin', revoked_at: null }),
    ]);
    expect(await history(owner)).toEqual(['created by system']);
    expect(await owner.query('SELECT secret_hash FROM api_keys')).toEqual([
      { secret_hash: hashOfSecret(FIRST) },
    ]);
  });

  it.each([
    ['X-API-Key', FIRST],
    ['Authorization', `Bearer ${FIRST}`],
  ])('writes as %s, natively and through a dialect, in production too', async (header, value) => {
    const key = `by-${header.toLowerCase()}`;
    const { http } = owner;
    expect((await http.post('/flags').set(header, value).send(flag(key))).status).toBe(201);
    const change = { rollout_percentage: 75, enabled: true };
    const path = `/compat/dashboard/flags/${key}`;
    expect((await http.put(path).set(header, value).send(change)).body).toMatchObject(change);
    const [entry] = (await http.get(`/audit/flag/${key}`).set(header, value)).body as Row[];
    expect(entry).toMatchObject({ actor: expect.objectContaining({ name: 'API_KEY setting' }) });
    expect((await http.get('/auth/users').set(header, value)).status).toBe(403);
  });

  it.each([
    ['a part of it', FIRST.slice(0, -1)],
    ['another', SECOND],
    ['its hash', hashOfSecret(FIRST)],
  ])('lets nobody in with %s', async (_, secret) => {
    expect((await owner.http.get('/flags').set('X-API-Key', secret)).body.code).toBe('invalid_api_key');
    expect((await owner.http.get('/flags').set('Authorization', `Bearer ${secret}`)).body.code).toBe(
      'invalid_token',
    );
  });

  it('stays as it is over restarts, which change nothing', async () => {
    const before = [await revision(), await listed(owner)];
    await withInstance({ API_KEY: FIRST }, async (vexil) => expect(await statusOf(vexil, FIRST)).toBe(200));
    expect([await revision(), await listed(owner)]).toEqual([
      before[0],
      [expect.objectContaining({ id: (before[1] as Row[])[0]!['id'] })],
    ]);
  });

  it('is looked at where a key of another system is passed over', async () => {
    await withInstance({ API_KEY: FIRST, EVALUATE_ACCESS: 'key' }, async ({ http }) => {
      for (const [secret, status] of [
        [FIRST, 200],
        [SECOND, 401],
      ] as const)
        for (const path of ['/compat/dashboard/flags/', '/compat/edge/flags/any/check'])
          expect([path, (await http.get(path).set('X-API-Key', secret)).status]).toEqual([path, status]);
    });
    await withInstance({ API_KEY: FIRST, COMPAT_OPEN_WRITES: 'true' }, async (vexil) => {
      for (const [secret, name] of [
        [FIRST, 'API_KEY setting'],
        [SECOND, 'anonymous'],
      ] as const) {
        const path = `/compat/edge/flags/opened/update?enabled=${secret === FIRST}`;
        await vexil.http.post(path).set('X-API-Key', secret).expect(200);
        const [entry] = (await vexil.http.get('/audit/flag/opened').set(withKey({ secret: FIRST })))
          .body as Row[];
        expect(entry).toMatchObject({ actor: expect.objectContaining({ name }) });
      }
    });
  });

  it('ends when the setting changes or goes, on every instance, and may come back', async () => {
    await withInstance({ API_KEY: SECOND }, async (vexil) => {
      expect([await statusOf(vexil, FIRST), await statusOf(vexil, SECOND)]).toEqual([401, 200]);
    });
    await withInstance({}, async (vexil) => expect(await statusOf(vexil, SECOND)).toBe(401));
    await withInstance({ API_KEY: FIRST }, async (vexil) => expect(await statusOf(vexil, FIRST)).toBe(200));
    expect((await listed(owner)).map(({ revoked_at: at }) => at === null)).toEqual([true, false, false]);
    expect(await history(owner)).toEqual([
      'created by system',
      'revoked by system',
      'created by system',
      'revoked by system',
      'created by system',
    ]);
  });

  it('stays revoked when a person has revoked it, and the start says so', async () => {
    const { id } = (await listed(owner))[0]!;
    await owner.http
      .delete(`/auth/api-keys/${String(id)}`)
      .set(await owner.bearer('admin'))
      .expect(204);
    expect(log).not.toContain('stays so');
    await withInstance({ API_KEY: FIRST }, async (vexil) => expect(await statusOf(vexil, FIRST)).toBe(401));
    expect(log).toContain('API_KEY is the secret of a key that was revoked, and stays so');
    await withInstance({ API_KEY: SECOND }, async (vexil) => expect(await statusOf(vexil, SECOND)).toBe(200));
  });

  it('is made once, and the earlier one ended once, by instances that look at the same moment', async () => {
    const count = 'SELECT count(*)::int AS n FROM api_keys WHERE revoked_at IS NULL';
    await withInstance({ API_KEY: SECOND }, async (other) => {
      const wanted = randomBytes(32).toString('hex');
      const before = (await history(owner)).length;
      const followed = await Promise.all(
        [owner, other, owner, other].map(async ({ app }) =>
          app.get(ApiKeysService, { strict: false }).followSetting(systemActor('settings'), wanted),
        ),
      );
      expect(followed).toEqual([true, true, true, true]);
      expect((await history(owner)).slice(before)).toEqual(['revoked by system', 'created by system']);
      expect(await owner.query(count)).toEqual([{ n: 1 }]);
    });
  });

  describeWithPostgres('on a Postgres that comes late', () => {
    it('is made then, and until then its bearer is told to wait', async () => {
      const postgres = await PostgresServer.running();
      const settled = testConfig({ DATABASE_URL: postgres.url, REDIS_URL: '' });
      const before = await openDatabaseSource(settled, SCHEMA, onFatal);
      await migrate(before);
      await before.close();
      settled.removeData();
      const proxy = await TcpProxy.to(Number(new URL(postgres.url).port));
      proxy.break('cut');
      const late = randomBytes(32).toString('hex');
      const settings = testConfig({
        API_KEY: late,
        DATABASE_URL: proxy.through(postgres.url),
        REDIS_URL: '',
      });
      const source = await openDatabaseSource(settings, SCHEMA, onFatal);
      const vexil = await startApp({}, { config: settings, database: source, log: sink() });
      try {
        for (const header of [{ Authorization: `Bearer ${late}` }, { 'X-API-Key': late }]) {
          const { status, body } = await vexil.http.get('/flags').set(header);
          expect([status, (body as Row)['code']]).toEqual([503, 'not_ready']);
        }
        proxy.heal();
        await eventually(async () => (await statusOf(vexil, late)) === 200);
      } finally {
        await vexil.close();
        await source.close();
        proxy.close();
        settings.removeData();
        await postgres.close();
      }
    });
  });

  it('is told from a token in front of the application as behind it', async () => {
    const twins = await startTwins({ API_KEY: FIRST });
    try {
      const path = '/evaluate/x?environment_key=development&user_id=u';
      const ask = (header: string) => twins.expectSame({ path, headers: [header] });
      for (const header of [`Authorization: Bearer ${FIRST}`, `X-API-Key: ${FIRST}`])
        expect(await ask(header)).toMatch(/^HTTP\/1.1 200 [^]*X-RateLimit-Limit: 1000/);
      // Nobody needs a token there, so none is looked at.
      expect(await ask(`Authorization: Bearer ${SECOND}`)).toMatch(/^HTTP\/1.1 200 (?![^]*X-RateLimit)/);
      expect(await ask(`X-API-Key: ${SECOND}`)).toMatch(/^HTTP\/1.1 401 /);
    } finally {
      await twins.close();
    }
  });

  it('stands nowhere', async () => {
    const { text: figures } = await owner.http.get('/metrics');
    const dump = JSON.stringify([
      await owner.query('SELECT to_jsonb(t) FROM api_keys t'),
      await owner.query('SELECT to_jsonb(t) FROM audit_entries t'),
    ]);
    for (const secret of [FIRST, SECOND])
      for (const [place, text] of Object.entries({ log, figures, dump }))
        expect([place, text.includes(secret.slice(0, 12))]).toEqual([place, false]);
  });
});
