import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { createApp } from '../../src/app.js';
import { SessionsService } from '../../src/auth/sessions.service.js';
import { UsersService } from '../../src/auth/users.service.js';
import { anonymousActor, systemActor } from '../../src/platform/access/actor.js';
import type { Role } from '../../src/platform/access/role.js';
import { loadConfig, type Config } from '../../src/platform/config/settings.js';
import { Database } from '../../src/platform/database/database.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';
import { createLogger } from '../../src/platform/logging/logger.js';
import { migratedDatabase } from './database.js';

export const PASSWORD = 'correct horse battery';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

/** The whole service on a database of its own, listening on a free port. */
export interface TestApp {
  readonly app: NestExpressApplication;
  readonly config: Config;
  readonly database: DatabaseSource;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Supertest on the listening service. */
  readonly http: ReturnType<typeof supertest>;
  /** A person with this role; the same one each time. */
  as(role: Role): Promise<Person>;
  /** A new person. */
  person(role: Role): Promise<Person>;
  /** Headers for a request of that role. */
  bearer(role: Role): Promise<{ Authorization: string }>;
  /** A look into the database. */
  query<T = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/** Settings of a test: nothing is limited and nothing is written into the project, unless `env` says otherwise. */
export function testConfig(env: Record<string, string> = {}): Config & { readonly removeData: () => void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'vexil-test-'));
  const redis = process.env['REDIS_URL'];
  const config = loadConfig({
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    JWT_SECRET_KEY: randomBytes(32).toString('hex'),
    LOGIN_ATTEMPTS_PER_MINUTE: '1000',
    REGISTRATIONS_PER_HOUR: '100000',
    RATE_LIMIT_PER_MINUTE: '0',
    REVISION_POLL_SECONDS: '1',
    // Each test process has a Redis database of its own.
    ...(redis ? { REDIS_URL: `${redis.replace(/\/\d*$/, '')}/${process.env['JEST_WORKER_ID'] ?? '0'}` } : {}),
    ...env,
  });
  return { ...config, removeData: () => rmSync(dataDir, { recursive: true, force: true }) };
}

/**
 * Starts the service as main.ts does, but silent, or writing its log to `log`.
 * @param database one to use instead of a new one; it is then its maker's to close
 */
export async function startApp(
  env: Record<string, string> = {},
  options: { database?: DatabaseSource; log?: NodeJS.WritableStream; config?: Config } = {},
): Promise<TestApp> {
  const fresh = testConfig(env);
  const config = options.config ?? fresh;
  const database = options.database ?? (await migratedDatabase(config));
  const owned = options.database ? { ...database, close: async () => {} } : database;
  const logger = options.log ? createLogger('trace', options.log) : createLogger('silent');
  const app = await createApp(config, owned, logger);
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people = new Map<Role, Promise<Person>>();

  const person = async (role: Role): Promise<Person> => {
    const users = app.get(UsersService, { strict: false });
    const sessions = app.get(SessionsService, { strict: false });
    const email = `${role}-${randomBytes(6).toString('hex')}@example.com`;
    const { user } = await sessions.register(anonymousActor(null), '127.0.0.1', {
      email,
      password: PASSWORD,
      name: role,
    });
    if (role !== 'viewer') await users.changeRole(systemActor('test'), user.id, role);
    const { accessToken } = await sessions.logIn('127.0.0.1', email, PASSWORD);
    return { id: user.id, email, token: accessToken };
  };
  const as = (role: Role): Promise<Person> => {
    const known = people.get(role) ?? person(role);
    people.set(role, known);
    return known;
  };

  return {
    app,
    config,
    database,
    url,
    http: supertest(url),
    as,
    person,
    bearer: async (role) => ({ Authorization: `Bearer ${(await as(role)).token}` }),
    query: async (sql, parameters) => app.get(Database).manager.query(sql, parameters),
    close: async () => {
      await app.close();
      fresh.removeData();
    },
  };
}
