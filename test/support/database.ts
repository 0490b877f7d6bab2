import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { MIGRATIONS } from '../../migrations/index.js';
import type { Config } from '../../src/platform/config/settings.js';
import { sourceOf, type DatabaseSource } from '../../src/platform/database/database-source.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';
import { migrate } from '../../src/platform/database/migrator.js';
import { SCHEMA } from '../../src/schema.js';

/** The Postgres server on which tests make databases of their own; without it they use the embedded one, in memory. */
export const POSTGRES_URL = process.env['DATABASE_URL'] || undefined;

/** Changes whenever a migration is added, and whenever one is edited while it is written. */
export const SHAPE = createHash('sha256')
  .update(MIGRATIONS.map((migration) => migration.toString()).join('\n'))
  .digest('hex')
  .slice(0, 12);

const onFatal = (error: Error): void => {
  throw error;
};

/** A database of this test alone, migrated and otherwise new. Closing it removes it. */
export async function migratedDatabase(config: Config): Promise<DatabaseSource> {
  return POSTGRES_URL === undefined ? fromDump(config) : fromTemplate(config, POSTGRES_URL);
}

/** An empty database of this test alone: no migration has run. */
export async function emptyDatabase(config: Config): Promise<DatabaseSource> {
  if (POSTGRES_URL === undefined) {
    return embeddedSource(config, await EmbeddedDatabase.open({ folder: undefined, onFatal }));
  }
  const name = newName();
  await onServer(POSTGRES_URL, (client) => client.query(`CREATE DATABASE ${name}`));
  return postgresSource(config, POSTGRES_URL, name);
}

async function fromDump(config: Config): Promise<DatabaseSource> {
  const folder = join('.cache', 'test');
  const dump = join(folder, `embedded-${SHAPE}.tar`);
  if (!existsSync(dump)) {
    const source = await emptyDatabase(config);
    await migrate(source);
    const embedded = embeddedOf.get(source);
    mkdirSync(folder, { recursive: true });
    const aside = `${dump}.${process.pid}`;
    writeFileSync(aside, (await embedded?.dumpDataDir()) ?? new Uint8Array());
    renameSync(aside, dump);
    await source.close();
  }
  return embeddedSource(
    config,
    await EmbeddedDatabase.open({ folder: undefined, loadDataDir: dump, onFatal }),
  );
}

async function fromTemplate(config: Config, url: string): Promise<DatabaseSource> {
  const template = `vexil_template_${SHAPE}`;
  const name = newName();
  await onServer(url, async (client) => {
    // Several test files may come here at once.
    await client.query('SELECT pg_advisory_lock(4711)');
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) {
      await client.query(`CREATE DATABASE ${template}_new`);
      await migrate(postgresSource(config, url, `${template}_new`));
      await client.query(`ALTER DATABASE ${template}_new RENAME TO ${template}`);
    }
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  });
  return postgresSource(config, url, name);
}

const newName = (): string => `vexil_test_${process.pid}_${randomBytes(4).toString('hex')}`;

const embeddedOf = new WeakMap<DatabaseSource, EmbeddedDatabase>();

function embeddedSource(config: Config, embedded: EmbeddedDatabase): DatabaseSource {
  const source = sourceOf(
    config,
    SCHEMA,
    { kind: 'embedded', place: 'in memory' },
    { stream: () => embedded.connectStream() },
    () => embedded.close(),
  );
  embeddedOf.set(source, embedded);
  return source;
}

function postgresSource(config: Config, server: string, name: string): DatabaseSource {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return sourceOf(config, SCHEMA, { kind: 'postgres', place: name }, { url: url.href }, async () => {
    await onServer(server, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  });
}

async function onServer(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
