import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { ClientConfig } from 'pg';
import type { DataSourceOptions, EntityTarget, MigrationInterface } from 'typeorm';
import type { Config } from '../config/settings.js';
import { EmbeddedDatabase } from './embedded/index.js';
import { reasonOf } from './faults.js';
import { ImpatientClient } from './impatient-client.js';

/** Injection token of the `DatabaseSource`. */
export const DATABASE_SOURCE = Symbol('vexil:database-source');

/** Who connects: the service with its short patience, or a migration, which may take its time. */
export type Purpose = 'service' | 'migration';

/** How long things may take, in milliseconds. */
export interface Patience {
  /** To get a connection. */
  readonly connectMs: number;
  /** Of one request, everything that it asks added up. */
  readonly requestMs: number;
}

/** Where the database is and how to reach it; hides whether it is Postgres or the embedded one. */
export interface DatabaseSource {
  readonly kind: 'postgres' | 'embedded';
  /** For people: where the data is, without any credential. */
  readonly place: string;
  readonly migrateOnStart: boolean;
  readonly patience: Patience;
  options(purpose: Purpose): DataSourceOptions;
  /** For a connection outside the pool, such as the one that listens. */
  clientConfig(): ClientConfig;
  close(): Promise<void>;
}

/** What the features bring: their tables as classes, and the steps that make them. */
export interface Schema {
  readonly entities: readonly EntityTarget<object>[];
  readonly migrations: readonly (new () => MigrationInterface)[];
}

type Connection = { url: string } | { stream: () => Duplex };

/** What an address may say about encryption, which counts before the `ssl` that is given beside it. */
const TLS_IN_ADDRESS = [
  'ssl',
  'sslmode',
  'sslcert',
  'sslkey',
  'sslrootcert',
  'sslnegotiation',
  'uselibpqcompat',
];

/** How much longer than the server itself one waits for a statement: for a server that does not answer at all. */
const SILENCE_MS = 500;

/** Transactions on the embedded database take turns, so its clients must be patient. */
const EMBEDDED_PATIENCE_MS = 10_000;

/**
 * Opens the configured database: Postgres by `DATABASE_URL`, else the embedded one in `DATA_DIR`.
 * @param onFatal called when the embedded database breaks: its owner must stop, for nothing can be saved any more
 * @throws DataFolderInUse when another process holds the folder
 */
export async function openDatabaseSource(
  config: Config,
  schema: Schema,
  onFatal: (error: Error) => void,
): Promise<DatabaseSource> {
  const { databaseUrl, databaseTls } = config;
  if (databaseUrl !== undefined) {
    const { host, pathname } = new URL(databaseUrl);
    return sourceOf(
      config,
      schema,
      { kind: 'postgres', place: `Postgres at ${host}${pathname}` },
      { url: databaseTls === 'address' ? databaseUrl : withoutTls(databaseUrl) },
      async () => {},
    );
  }
  const folder = join(config.dataDir, 'db');
  const embedded = await EmbeddedDatabase.open({ folder, onFatal }).catch((error: unknown) => {
    const { syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw new Error(`DATA_DIR cannot be used: ${reasonOf(error)}`, { cause: error });
  });
  return sourceOf(
    config,
    schema,
    { kind: 'embedded', place: `embedded database in ${folder}` },
    { stream: () => embedded.connectStream() },
    () => embedded.close(),
  );
}

/**
 * As `openDatabaseSource`, for a command-line tool: when a running service holds the embedded database,
 * reaches it through that service's socket.
 */
export async function reachDatabaseSource(
  config: Config,
  schema: Schema,
  onFatal: (error: Error) => void,
): Promise<DatabaseSource> {
  if (config.databaseUrl === undefined) {
    const folder = join(config.dataDir, 'db');
    const stream = await EmbeddedDatabase.attach(folder);
    if (stream)
      return sourceOf(
        config,
        schema,
        { kind: 'embedded', place: `embedded database in ${folder}` },
        { stream },
        async () => {},
      );
  }
  return openDatabaseSource(config, schema, onFatal);
}

/** Describes a database reached by `connection`. Exported for tests, which bring an embedded database of their own. */
export function sourceOf(
  config: Config,
  schema: Schema,
  name: { kind: DatabaseSource['kind']; place: string },
  connection: Connection,
  close: () => Promise<void>,
): DatabaseSource {
  const { databaseTls: tls } = config;
  const ssl =
    'stream' in connection || tls === 'address' ? {} : { ssl: { rejectUnauthorized: tls === 'verified' } };
  const leastMs = name.kind === 'embedded' ? EMBEDDED_PATIENCE_MS : 0;
  const connectionTimeoutMillis = Math.max(leastMs, config.databaseConnectTimeoutMs);
  const statementTimeoutMs = Math.max(leastMs, config.databaseStatementTimeoutMs);
  const limits = {
    service: {
      max: config.databasePoolSize,
      connectionTimeoutMillis,
      statement_timeout: statementTimeoutMs,
      lock_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + SILENCE_MS,
      idle_in_transaction_session_timeout: 5_000,
    },
    migration: {
      max: 2,
      connectionTimeoutMillis: Math.max(5_000, connectionTimeoutMillis),
      lock_timeout: 2_000,
    },
  };
  return {
    ...name,
    migrateOnStart: config.migrateOnStart,
    patience: {
      connectMs: connectionTimeoutMillis,
      // One that hangs is bound by its own time; many that just make theirs are bound by this.
      requestMs: connectionTimeoutMillis + statementTimeoutMs + SILENCE_MS,
    },
    options: (purpose) => ({
      type: 'postgres',
      ...('url' in connection ? { url: connection.url } : {}),
      applicationName: `vexil-${purpose}`,
      uuidExtension: 'pgcrypto',
      installExtensions: false,
      entities: [...schema.entities] as never,
      migrations: [...schema.migrations] as never,
      migrationsTableName: 'migrations',
      synchronize: false,
      poolErrorHandler: () => {
        // An idle connection broke; the pool has dropped it and opens another when one is needed.
      },
      extra: {
        Client: ImpatientClient,
        ...limits[purpose],
        ...ssl,
        ...('stream' in connection ? { stream: connection.stream } : {}),
        keepAlive: true,
        // An acknowledged change must survive a crash of the server, whatever its default is.
        options: '-c synchronous_commit=on',
      },
    }),
    clientConfig: () => ({
      ...('url' in connection ? { connectionString: connection.url } : { stream: connection.stream }),
      ...ssl,
      application_name: 'vexil-listener',
      connectionTimeoutMillis,
      query_timeout: limits.service.query_timeout,
      keepAlive: true,
    }),
    close,
  };
}

function withoutTls(address: string): string {
  const url = new URL(address);
  for (const name of TLS_IN_ADDRESS) url.searchParams.delete(name);
  return url.href;
}
