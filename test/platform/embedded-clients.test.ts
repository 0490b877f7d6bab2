import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';
import { codeOf, withClients } from './embedded-support.js';

class CreateAccounts1700000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE accounts (
        id uuid CONSTRAINT accounts_pk PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL CONSTRAINT accounts_name_unique UNIQUE,
        cents bigint NOT NULL DEFAULT 0,
        details jsonb NOT NULL DEFAULT '{}',
        created_at timestamptz NOT NULL DEFAULT now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE accounts');
  }
}

let db: EmbeddedDatabase;
let source: DataSource;

beforeAll(async () => {
  db = await EmbeddedDatabase.open({ folder: undefined, onFatal: (error) => console.error(error) });
  source = new DataSource({
    type: 'postgres',
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    migrations: [CreateAccounts1700000000000],
    extra: { stream: () => db.connectStream() },
  });
  await source.initialize();
  await source.runMigrations({ transaction: 'each' });
});

afterAll(async () => {
  await source.destroy();
  await db.close();
});

it('gets every sum right when 50 transactions share 10 connections', async () => {
  const pool = new pg.Pool({ stream: () => db.connectStream(), max: 10 });
  await pool.query("INSERT INTO accounts (name, cents) VALUES ('one', 1000), ('two', 1000)");
  const transfer = async (cents: number) => {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ cents: string }>(
        "SELECT cents FROM accounts WHERE name = 'one' FOR UPDATE",
      );
      await new Promise((resolve) => setImmediate(resolve));
      await client.query("UPDATE accounts SET cents = $1 WHERE name = 'one'", [
        Number(rows[0]!.cents) - cents,
      ]);
      await client.query("UPDATE accounts SET cents = cents + $1 WHERE name = 'two'", [cents]);
      await client.query(cents % 5 === 0 ? 'ROLLBACK' : 'COMMIT');
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: 50 }, (_, index) => transfer(index)));
  const moved = Array.from({ length: 50 }, (_, index) => (index % 5 === 0 ? 0 : index)).reduce(
    (a, b) => a + b,
  );
  const { rows } = await pool.query("SELECT cents FROM accounts WHERE name IN ('one', 'two') ORDER BY name");
  expect(rows).toEqual([{ cents: String(1000 - moved) }, { cents: String(1000 + moved) }]);
  await pool.end();
});

it('says which constraint was violated, rolls back, and goes on', async () => {
  await source.query("INSERT INTO accounts (name) VALUES ('taken')");
  const work = source.transaction(async (tx) => {
    await tx.query("INSERT INTO accounts (name) VALUES ('fresh')");
    await tx.query('INSERT INTO accounts (name) VALUES ($1)', ['taken']);
  });
  await expect(work).rejects.toMatchObject({
    code: '23505',
    constraint: 'accounts_name_unique',
    table: 'accounts',
  });
  expect(await source.query("SELECT name FROM accounts WHERE name = 'fresh'")).toEqual([]);
  expect(await codeOf(source.query('SELECT nonsense'))).toBe('42703');
  expect(await source.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

it('speaks the types and the locks that the service uses', async () => {
  await source.transaction(async (tx) => {
    await tx.query('SELECT pg_advisory_xact_lock($1)', [42]);
    const [row] = await tx.query(
      'INSERT INTO accounts (name, cents, details, created_at) VALUES ($1, $2, $3, $4) RETURNING *',
      ['typed', '9007199254740993', { a: [1, 'ü'] }, new Date(86_400_000)],
    );
    expect(row).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      cents: '9007199254740993',
      details: { a: [1, 'ü'] },
      created_at: new Date(86_400_000),
    });
    const locked = await tx.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE SKIP LOCKED', [row.id]);
    expect(locked).toEqual([{ id: row.id }]);
  });
});

it('nests transactions by savepoints', async () => {
  await source.transaction(async (outer) => {
    await outer.query("INSERT INTO accounts (name) VALUES ('outer')");
    await outer
      .transaction(async (inner) => {
        await inner.query("INSERT INTO accounts (name) VALUES ('inner')");
        throw new Error('not this');
      })
      .catch(() => undefined);
  });
  expect(await source.query("SELECT name FROM accounts WHERE name IN ('outer', 'inner')")).toEqual([
    { name: 'outer' },
  ]);
});

describe('given a copy that was made from a dump', () => {
  const reported: Error[] = [];
  let copy: EmbeddedDatabase;

  beforeAll(async () => {
    await source.query("INSERT INTO accounts (name) VALUES ('dumped')");
    copy = await EmbeddedDatabase.open({
      folder: undefined,
      loadDataDir: await db.dumpDataDir(),
      maintenanceIntervalMs: 200,
      turnTimeoutMs: 25_000,
      onFatal: (error) => reported.push(error),
    });
  });

  afterAll(async () => copy.close());

  it('begins with the same content, and then goes its own way', async () => {
    await withClients(copy, 1, async (client) => {
      const { rowCount } = await client.query("DELETE FROM accounts WHERE name = 'dumped'");
      expect(rowCount).toBe(1);
    });
    expect(await source.query("SELECT name FROM accounts WHERE name = 'dumped'")).toHaveLength(1);
  });

  it('writes checkpoints and clears dead rows away by itself', async () => {
    await withClients(copy, 1, async (client) => {
      const look = async () => {
        const { rows } = await client.query<{ checkpoint: string; dead: number; vacuumed: boolean }>(
          `SELECT checkpoint_lsn::text AS checkpoint, n_dead_tup::int AS dead, last_vacuum IS NOT NULL AS vacuumed
           FROM pg_control_checkpoint(), pg_stat_user_tables WHERE relname = 'busy'`,
        );
        return rows[0]!;
      };
      await client.query('CREATE TABLE busy AS SELECT generate_series(1, 2000) AS n');
      await client.query('DELETE FROM busy WHERE n > 100');
      const before = await look();
      let after = before;
      while (!after.vacuumed) {
        await sleep(100);
        after = await look();
      }
      expect(after.dead).toBe(0);
      expect(after.checkpoint).not.toBe(before.checkpoint);
    });
  });

  it('breaks down with an error for everybody, not silently, when the backend is beyond repair', async () => {
    await withClients(copy, 2, async (client, other) => {
      client.on('error', () => undefined);
      other.on('error', () => undefined);
      const queries = [client.query('SELECT $1::jsonb', ['['.repeat(8_000_000)]), other.query('SELECT 1')];
      for (const query of queries) expect(await codeOf(query)).toMatch(/broken down/);
    });
    expect(reported).toHaveLength(1);
  });
});

it('takes its migrations back', async () => {
  await source.undoLastMigration();
  expect(await codeOf(source.query('SELECT * FROM accounts'))).toBe('42P01');
});
