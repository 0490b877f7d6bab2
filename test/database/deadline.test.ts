import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { FlagSnapshotReader } from '../../src/flags/flag-snapshot.reader.js';
import { openDatabaseSource } from '../../src/platform/database/database-source.js';
import { SCHEMA } from '../../src/schema.js';
import { Api, eventually } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

describeWithPostgres('a write while the database hardly answers', () => {
  let postgres: PostgresServer;
  let proxy: TcpProxy;
  let vexil: TestApp;
  let api: Api;

  beforeAll(async () => {
    postgres = await PostgresServer.running();
    proxy = await TcpProxy.to(postgres.port);
    const config = testConfig({ DATABASE_URL: proxy.through(postgres.url), REDIS_URL: '' });
    const database = await openDatabaseSource(config, SCHEMA, (error) => {
      throw error;
    });
    vexil = await startApp({}, { config, database });
    api = new Api(vexil);
    await api.newFlag({ key: 'kept' });
  });
  afterAll(async () => {
    await (vexil as TestApp | undefined)?.close();
    (proxy as TcpProxy | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  const state = async (): Promise<unknown> => [
    await postgres.query('SELECT key, revision FROM environments ORDER BY key', 'vexil'),
    await postgres.query('SELECT count(*)::int AS entries FROM audit_entries', 'vexil'),
    await postgres.query(
      'SELECT to_jsonb(f) AS flag, to_jsonb(s) AS settings FROM flags f JOIN flag_settings s ON s.flag_id = f.id ORDER BY s.environment_id',
      'vexil',
    ),
  ];
  const openTransactions = () =>
    postgres.query(
      "SELECT query FROM pg_stat_activity WHERE application_name LIKE 'vexil-%' AND state LIKE 'idle in transaction%'",
    );
  const change = () =>
    api.put('/flags/kept?environment_key=development', { description: String(Math.random()) });

  async function expectRefusedWhole(before: unknown): Promise<void> {
    const { status, body, headers } = await change();
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'database_unavailable', '2']);
    proxy.delayAnswers(0);
    proxy.heal();
    await eventually(async () => (await openTransactions()).length === 0);
    expect(await state()).toEqual(before);
    // And all is well with the connections it used.
    await eventually(async () => (await change()).status === 200);
  }

  it('is refused when each statement just makes it and all together do not, and leaves nothing half done', async () => {
    await vexil.bearer('admin');
    const before = await state();
    // Each is well within its own second; a change takes a dozen of them.
    proxy.delayAnswers(500);
    await expectRefusedWhole(before);
  });

  it('is refused when nothing comes back at all', async () => {
    const before = await state();
    proxy.break('black hole');
    await expectRefusedWhole(before);
  });

  it('is acknowledged once it is committed, however long it takes to be served', async () => {
    const reader = vexil.app.get(FlagSnapshotReader, { strict: false });
    let go: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const readSince = reader.readSince.bind(reader);
    const spy = jest.spyOn(reader, 'readSince').mockImplementation(async (id, revision) => {
      await held;
      return readSince(id, revision);
    });
    try {
      const { status, body } = await change();
      expect([status, body.version]).toEqual([200, expect.any(Number)]);
    } finally {
      go();
      spy.mockRestore();
    }
    const served = async (): Promise<unknown> => (await api.evaluate('kept', 'a'))['revision'];
    const [{ revision }] = (await postgres.query(
      "SELECT revision::int FROM environments WHERE key = 'development'",
      'vexil',
    )) as [{ revision: number }];
    await eventually(async () => (await served()) === revision);
  });
});
