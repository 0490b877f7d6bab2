import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig, SETTINGS } from '../../src/platform/config/settings.js';
import { ensureBuilt, PROJECT } from '../support/built-service.js';
import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { DEPLOYMENTS, REFERENCE, type Deployment } from './platforms.js';

/** Read by Node itself, or by the platform. */
const NOT_OURS = new Set(['NODE_EXTRA_CA_CERTS', 'NODE_VERSION']);
const SECRETS = new Set<string>(
  Object.values(SETTINGS)
    .filter((setting) => 'isSecret' in setting)
    .map(({ name }) => name),
);
const NAMES = new Set<string>(Object.values(SETTINGS).map(({ name }) => name));
/** After the grace: the longest that the last answers and closing take. */
const LAST_SECONDS = 10;

const everyOne = DEPLOYMENTS.map((each) => [each.platform, each] as const);

describe.each(everyOne)('the files of %s', (_, { variables, killSeconds, probes, start, release }) => {
  it('name only settings that there are', () => {
    const unknown = Object.keys(variables).filter((name) => !NAMES.has(name) && !NOT_OURS.has(name));
    expect(unknown).toEqual([]);
  });

  it('refer to every secret that production needs, and hold none', () => {
    // Those that an installation may do without are empty unless somebody sets them.
    const named = Object.keys(variables).filter((name) => SECRETS.has(name) && variables[name] !== '');
    expect(named.sort()).toEqual(['DATABASE_URL', 'JWT_SECRET_KEY', 'REDIS_URL']);
    expect(named.map((name) => variables[name])).toEqual(named.map(() => REFERENCE));
  });

  it('set values that the service takes', () => {
    const config = loadConfig(valuesFor(variables, {}));
    expect(config.trustProxy).not.toBe(false);
    expect(config.nodeEnv).toBe('production');
  });

  it('leave an instance the time that it takes to stop', () => {
    const { shutdownGraceSeconds } = loadConfig(valuesFor(variables, {}));
    expect(shutdownGraceSeconds).toBeGreaterThan(0);
    expect(killSeconds).toBeGreaterThanOrEqual(shutdownGraceSeconds + LAST_SECONDS);
  });

  it('start the service by its own command, without npm between it and SIGTERM', () => {
    const words = typeof start === 'string' ? start.split(' ') : start;
    expect(words).toEqual(expect.arrayContaining(['node', '--disable-proto=delete', 'dist/src/main.js']));
    if (release !== undefined) expect(release).toBe('node scripts/command.mjs migrate');
  });

  it('probe what there is', () => {
    for (const path of probes) expect(['/health/live', '/health/ready']).toContain(path);
  });
});

/** As the platform would have it: what its files set, and what they refer to. */
function valuesFor(
  variables: Deployment['variables'],
  found: Readonly<Record<string, string>>,
): Record<string, string> {
  const references: Record<string, string> = {
    DATABASE_URL: 'postgres://vexil:pass@localhost/vexil',
    REDIS_URL: 'redis://localhost',
    JWT_SECRET_KEY: randomBytes(32).toString('hex'),
    ...found,
  };
  const values = Object.entries(variables).map(([name, value]) => [
    name,
    value === REFERENCE ? references[name]! : value,
  ]);
  // Railway's image and Heroku's buildpack set it.
  return { NODE_ENV: 'production', ...(Object.fromEntries(values) as Record<string, string>) };
}

describeWithPostgres('the commands of each platform', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vexil-deploy-'));
  let postgres: PostgresServer;
  let redis: RedisServer;
  let secureRedis = '';

  beforeAll(async () => {
    await ensureBuilt();
    // What is deployed, and no more.
    for (const name of ['dist', 'scripts', 'package.json', 'LICENSE'])
      cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    // Heroku's servers have certificates of their own.
    const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=elsewhere'];
    execFileSync('openssl', [...made, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
    postgres = await PostgresServer.running();
    postgres.keep(certificate, 'server.crt');
    postgres.keep(key, 'server.key');
    await postgres.query('ALTER SYSTEM SET ssl = on');
    await postgres.query('SELECT pg_reload_conf()');
    const port = String(await freePort());
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key];
    redis = await RedisServer.running('--tls-port', port, '--tls-auth-clients', 'no', ...files);
    secureRedis = `rediss://127.0.0.1:${port}`;
  }, 300_000);
  afterAll(async () => {
    await (postgres as PostgresServer | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(everyOne)(
    '%s: migrates, starts, is ready, and ends by SIGTERM with 0',
    async (name, deployment) => {
      const database = name.toLowerCase();
      await postgres.query(`CREATE DATABASE ${database}`);
      const { start, release, variables } = deployment;
      const port = await freePort();
      const env = {
        PATH: process.env['PATH'],
        HOME: folder,
        ...valuesFor(variables, {
          DATABASE_URL: postgres.urlOf(database),
          REDIS_URL: variables['REDIS_TLS'] === 'unverified' ? secureRedis : redis.url,
        }),
        // Each platform's own; the folder is the image's.
        PORT: String(port),
        DATA_DIR: join(folder, database),
        // Checked above; here it would only take its time.
        SHUTDOWN_GRACE_SECONDS: '0',
      };
      if (release !== undefined) {
        const said = execFileSync('sh', ['-c', release], { cwd: folder, env, encoding: 'utf8' });
        expect(said).toMatch(/^Ran /);
      }
      const child = started(start, env);
      const client = new HttpClient(`http://127.0.0.1:${port}`);
      try {
        await expect(ready(client, child)).resolves.toMatchObject({
          database: 'connected',
          cache: 'connected',
        });
        const encrypted = await postgres.query(
          `SELECT bool_and(s.ssl) AS all FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.datname = '${database}'`,
        );
        expect(encrypted).toEqual([{ all: variables['DATABASE_TLS'] === 'unverified' }]);
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      } finally {
        child.kill('SIGKILL');
        client.close();
      }
    },
  );

  function started(start: Deployment['start'], env: Record<string, string | undefined>): ChildProcess {
    // A shell that becomes the service, as on the platforms; otherwise it would be the one to get the signal.
    const [program, ...args] = typeof start === 'string' ? ['sh', '-c', `exec ${start}`] : start;
    return spawn(program!, args, { cwd: folder, env, stdio: 'ignore' });
  }

  async function ready(client: HttpClient, child: ChildProcess): Promise<unknown> {
    for (let attempts = 0; attempts < 600; attempts += 1) {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
      const answer = await client.ask('/health/ready').catch(() => undefined);
      const { body } = await client.ask('/health').catch(() => ({ body: {} }));
      if (answer?.status === 200 && body.cache === 'connected') return body;
      await sleep(100);
    }
    throw new Error('it did not become ready');
  }
});
