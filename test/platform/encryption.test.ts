import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { freePort } from '../support/free-port.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const folder = mkdtempSync(join(tmpdir(), 'vexil-tls-'));
const [certificate, key] = [join(folder, 'server.crt'), join(folder, 'server.key')];
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  // Of an authority that nobody knows: its own.
  const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out'];
  execFileSync('openssl', [...made, certificate, ...named], { stdio: 'ignore' });
  await ensureBuilt();
}, 300_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeWithPostgres('Postgres with a certificate of its own', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await PostgresServer.running();
    postgres.keep(certificate, 'server.crt');
    postgres.keep(key, 'server.key');
    await postgres.query('ALTER SYSTEM SET ssl = on');
    await postgres.query('SELECT pg_reload_conf()');
  }, 120_000);
  afterAll(async () => {
    await (postgres as PostgresServer | undefined)?.close();
  });

  it.each([
    ['unverified', '', {}, true],
    ['unverified', '?sslmode=verify-full', {}, true],
    ['verified', '', { NODE_EXTRA_CA_CERTS: certificate }, true],
    ['address', '?sslmode=no-verify', {}, true],
    ['address', '', {}, false],
  ])('DATABASE_TLS=%s with address …%s', async (DATABASE_TLS, query, more, isEncrypted) => {
    const service = await Service.running({ DATABASE_URL: `${postgres.url}${query}`, DATABASE_TLS, ...more });
    closing.push(() => service.close());
    await service.until('/health/ready', 200);
    const connections = await postgres.query(
      `SELECT DISTINCT a.application_name AS name, s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
       WHERE a.application_name LIKE 'vexil%' ORDER BY 1`,
    );
    expect(connections).toEqual([
      { name: 'vexil-listener', ssl: isEncrypted },
      { name: 'vexil-service', ssl: isEncrypted },
    ]);
  });

  it('does not start on a certificate that it should verify and cannot, and says so', async () => {
    const service = await Service.prepared({ DATABASE_URL: postgres.url, DATABASE_TLS: 'verified' });
    closing.push(() => service.close());
    const { code, stderr } = await service.spawn().exited;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^The database \(Postgres at 127\.0\.0\.1:\d+\/vexil\) cannot be used: self-signed/m,
    );
  });
});

describeWithRedis('Redis with a certificate of its own', () => {
  it.each([
    ['unverified', {}, 'connected'],
    ['verified', { NODE_EXTRA_CA_CERTS: certificate }, 'connected'],
    ['verified', {}, 'disconnected'],
  ])('REDIS_TLS=%s, authorities known: %j', async (REDIS_TLS, more, state) => {
    const port = String(await freePort());
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key];
    const redis = await RedisServer.running('--tls-port', port, '--tls-auth-clients', 'no', ...files);
    closing.push(() => redis.close());
    const service = await Service.running({ REDIS_URL: `rediss://127.0.0.1:${port}`, REDIS_TLS, ...more });
    closing.push(() => service.close());
    await eventually(async () => {
      const { body } = await service.client.ask('/health');
      // Whoever cannot connect says so after the first try.
      return (
        body.cache === state && (state === 'connected' || service.process.stdout.includes('certificate'))
      );
    }, 120_000);
  });
});
