import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { AuditService } from '../../src/audit/audit.service.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';
import {
  migrate,
  MigrationFailed,
  pendingMigrations,
  revertMigration,
} from '../../src/platform/database/migrator.js';
import { MIGRATIONS } from '../../migrations/index.js';
import { startApp, testConfig } from '../support/app.js';
import { emptyDatabase } from '../support/database.js';

const NAMES = MIGRATIONS.map(({ name }) => name);

/** Made once, since that takes seconds; the tests go on from one another's end. */
let source: DatabaseSource;
const config = testConfig();
beforeAll(async () => {
  source = await emptyDatabase(config);
}, 60_000);
afterAll(async () => {
  await source.close();
  config.removeData();
});

/** Runs `look` on a connection of its own. */
async function on<T>(source: DatabaseSource, look: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = new DataSource(source.options('migration'));
  await dataSource.initialize();
  try {
    return await look(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

const query = async (source: DatabaseSource, sql: string): Promise<Record<string, unknown>[]> =>
  on(source, async (dataSource) => dataSource.query(sql));

/** What TypeORM would change to make the tables what the entities say. */
const drift = (source: DatabaseSource): Promise<string[]> =>
  on(source, async (dataSource) => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query: sql }) => sql);
  });

/**
 * A digest of every row of every table of ours, but for the list of migrations itself, and for the marks of changed rows: who holds no
 * state from before reads all of them.
 */
async function checksum(source: DatabaseSource): Promise<Record<string, string>> {
  const tables = await query(
    source,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'migrations' ORDER BY 1`,
  );
  const sums: Record<string, string> = {};
  for (const { name } of tables as { name: string }[]) {
    const rows = await query(
      source,
      `SELECT (to_jsonb(t) - 'changed_in')::text AS row FROM "${name}" t ORDER BY 1`,
    );
    sums[name] = `${rows.length} rows, ${createHash('sha256').update(JSON.stringify(rows)).digest('hex')}`;
  }
  return sums;
}

/** Tables, columns, constraints, indexes, triggers and functions of ours, as Postgres describes them. */
const shape = (source: DatabaseSource) =>
  query(
    source,
    `SELECT 'column' AS kind, table_name || '.' || column_name AS name, data_type || is_nullable || coalesce(column_default, '') AS text
       FROM information_schema.columns WHERE table_schema = current_schema()
     UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
     UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
     UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
       WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
     UNION ALL SELECT 'function', proname, pg_get_functiondef(p.oid) FROM pg_proc p
       WHERE pronamespace = current_schema()::regnamespace AND probin IS NULL AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
     ORDER BY 1, 2, 3`,
  );

class Fails1999999999999 implements MigrationInterface {
  name = 'Fails1999999999999';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE half_done (id integer)');
    await runner.query(`UPDATE environments SET name = 'changed'`);
    await runner.query('SELECT nonsense');
  }

  async down(): Promise<void> {}
}

const withStep = (source: DatabaseSource, step: new () => MigrationInterface): DatabaseSource => ({
  ...source,
  options: (purpose) => ({ ...source.options(purpose), migrations: [...MIGRATIONS, step] }),
});

describe('migrations', () => {
  it('that must run first, but may not, stop the start with a line that says what to do', async () => {
    const start = startApp({}, { config, database: { ...source, migrateOnStart: false } });
    await expect(start).rejects.toThrow(
      /is older than this version of Vexil: CreateAudit\d+.*must run first.*npm run migrate/,
    );
  });

  it('of several at once each step runs once, on an empty database', async () => {
    expect(await on(source, pendingMigrations)).toEqual(NAMES);
    const done = await Promise.all([migrate(source), migrate(source), migrate(source)]);
    expect(done.flat().sort()).toEqual([...NAMES].sort());
    expect(await query(source, 'SELECT name FROM migrations ORDER BY id')).toEqual(
      NAMES.map((name) => ({ name })),
    );
    expect(await on(source, pendingMigrations)).toEqual([]);
    expect(await migrate(source)).toEqual([]);
  });

  it('of several taken back at once each goes once', async () => {
    const taken = await Promise.all([revertMigration(source), revertMigration(source)]);
    expect(taken.sort()).toEqual(NAMES.slice(-2).sort());
    expect(await migrate(source)).toEqual(NAMES.slice(-2));
  });

  it('give every table a primary key, and every constraint and index a name of ours', async () => {
    const bare = await query(
      source,
      `SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
         AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p')`,
    );
    expect(bare).toEqual([]);
    const prefix = { p: 'pk_', u: 'uq_', f: 'fk_', c: 'ck_' };
    const constraints = (await query(
      source,
      `SELECT conname AS name, contype AS type FROM pg_constraint
       WHERE connamespace = current_schema()::regnamespace AND contype IN ('p', 'u', 'f', 'c')`,
    )) as { name: string; type: keyof typeof prefix }[];
    expect(constraints.length).toBeGreaterThan(10);
    expect(constraints.filter(({ name, type }) => !name.startsWith(prefix[type]))).toEqual([]);
    const indexes = await query(
      source,
      `SELECT indexname AS name FROM pg_indexes WHERE schemaname = current_schema()`,
    );
    expect(indexes.filter(({ name }) => !/^(pk|uq|ix)_/.test(String(name)))).toEqual([]);
  });

  it('make what the entities say (drift)', async () => {
    expect(await drift(source)).toEqual([]);
    // And the test would notice.
    await query(source, 'ALTER TABLE users ALTER COLUMN is_active SET DEFAULT false');
    expect(await drift(source)).not.toEqual([]);
    await query(source, 'ALTER TABLE users ALTER COLUMN is_active SET DEFAULT true');
  });

  it('down, one by one, and up again keep every row of a populated database', async () => {
    const vexil = await startApp({}, { config, database: source });
    const admin = await vexil.bearer('admin');
    await vexil.as('developer');
    for (let index = 0; index < 12; index += 1) {
      const flag = {
        key: `flag-${index}`,
        name: `Flag ${index} ☃`,
        tags: ['a', `t${index}`],
        flag_type: 'percentage',
        rollout_percentage: index,
        client_visible: index % 2 === 0,
      };
      expect((await vexil.http.post('/flags').set(admin).send(flag)).status).toBe(201);
      const url = `/flags/flag-${index}?environment_key=production`;
      expect((await vexil.http.put(url).set(admin).send({ is_enabled: true, reason: 'on' })).status).toBe(
        200,
      );
    }
    const key = { name: 'Key', kind: 'server', environment_key: 'production' };
    expect((await vexil.http.post('/auth/api-keys').set(admin).send(key)).status).toBe(201);
    const invite = { role: 'developer', email: 'robin@example.com' };
    expect((await vexil.http.post('/auth/invites').set(admin).send(invite)).status).toBe(201);
    const evaluate = async () =>
      (await vexil.http.get('/evaluate/flag-7?environment_key=production&user_id=u')).body as unknown;
    const [rows, tables] = [await checksum(source), await shape(source)];
    const answer = await evaluate();

    for (const name of [...NAMES].reverse()) expect(await revertMigration(source)).toBe(name);
    expect(await revertMigration(source)).toBeUndefined();
    expect(Object.keys(await checksum(source))).toEqual([]);
    // What is served is in memory.
    expect(await evaluate()).toEqual(answer);

    expect(await migrate(source)).toEqual(NAMES);
    // What was evaluated meanwhile may have been counted meanwhile.
    expect(await checksum(source)).toEqual({ ...rows, usage_counts: expect.any(String) });
    expect(await shape(source)).toEqual(tables);
    expect(await drift(source)).toEqual([]);
    expect(await vexil.app.get(AuditService, { strict: false }).verify()).toMatchObject({
      isValid: true,
      firstBroken: undefined,
    });
    const after = await vexil.http
      .put('/flags/flag-7?environment_key=production')
      .set(admin)
      .send({ is_enabled: false });
    expect(after.status).toBe(200);
    await vexil.close();
  });

  it('leave the database as before when one fails', async () => {
    const failing = withStep(source, Fails1999999999999);
    const [rows, tables] = [await checksum(source), await shape(source)];
    const failure = await migrate(failing).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MigrationFailed);
    expect(String(failure)).toMatch(
      /Fails1999999999999 failed and was rolled back: column "nonsense" does not exist/,
    );
    expect(await checksum(source)).toEqual(rows);
    expect(await shape(source)).toEqual(tables);
    expect(await on(failing, pendingMigrations)).toEqual(['Fails1999999999999']);
    // And nothing is locked.
    expect(await migrate(source)).toEqual([]);
  });

  it('refuse to take back a step of a later version', async () => {
    await query(
      source,
      `INSERT INTO migrations ("timestamp", name) VALUES (1999999999999, 'Later1999999999999')`,
    );
    await expect(revertMigration(source)).rejects.toThrow(/Later1999999999999.*later version/);
    expect(await migrate(source)).toEqual([]);
  });

  it('of a later version are no hindrance, nor is MIGRATE_ON_START=false then', async () => {
    const vexil = await startApp({}, { config, database: { ...source, migrateOnStart: false } });
    expect((await vexil.http.get('/health/ready')).status).toBe(200);
    await vexil.close();
  });
});
