import { boolean, define, integer, oneOf, url } from './setting.js';

/** Where the truth is kept, and how long to wait for it. */
export const DATABASE_SETTINGS = {
  databaseUrl: define({
    name: 'DATABASE_URL',
    what: 'Postgres 15 or newer. Without it the embedded database in `DATA_DIR` is used, by one process only.',
    unit: 'postgres:// address',
    fallback: '',
    zero: 'empty: the embedded database',
    isSecret: true,
    parse: url(['postgres:', 'postgresql:']),
  }),
  databaseTls: define({
    name: 'DATABASE_TLS',
    what:
      'How the connection to Postgres is encrypted: `verified` with a certificate of an authority that is known (`NODE_EXTRA_CA_CERTS` names a ' +
      'file with more of them), `unverified` with any certificate, `address` as `sslmode` in `DATABASE_URL` says, and not at all when it says nothing.',
    unit: 'address, verified or unverified',
    fallback: 'address',
    parse: oneOf(['address', 'verified', 'unverified']),
  }),
  databasePoolSize: define({
    name: 'DATABASE_POOL_SIZE',
    what: 'Connections that one instance keeps to Postgres at the most.',
    unit: 'connections',
    fallback: '15',
    parse: integer(2, 200),
  }),
  databaseConnectTimeoutMs: define({
    name: 'DATABASE_CONNECT_TIMEOUT_MS',
    what: 'How long a request waits for a connection before it answers 503.',
    unit: 'milliseconds',
    fallback: '1000',
    parse: integer(50, 60_000),
  }),
  databaseStatementTimeoutMs: define({
    name: 'DATABASE_STATEMENT_TIMEOUT_MS',
    what: 'How long one statement, or the wait for a row lock, may take. Migrations are not bound by it.',
    unit: 'milliseconds',
    fallback: '1000',
    parse: integer(50, 60_000),
  }),
  migrateOnStart: define({
    name: 'MIGRATE_ON_START',
    what:
      'Whether the service brings the database to its own version when it starts (one instance at a time). ' +
      'With `false` it refuses to start on an older database, until `npm run migrate` has run.',
    unit: 'true or false',
    fallback: 'true',
    parse: boolean,
  }),
} as const;
