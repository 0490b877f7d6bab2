import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, ensureBuilt, MAIN } from '../support/built-service.js';
import { freePort } from '../support/free-port.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { ADMIN, NodeProcess, Service, type Exit } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const SECRET = '7b1f0c9d2e8a46535f1e0d9c8b7a69584736251403f2e1d0';
const closing: (() => unknown)[] = [];
beforeAll(ensureBuilt, 300_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vexil-start-'));
  closing.push(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** Runs it until it ends, as it should at once. */
async function ending(
  env: Record<string, string>,
  file = MAIN,
  args: string[] = [],
  options = {},
): Promise<Exit> {
  const started = new NodeProcess(
    file,
    args,
    { NODE_ENV: 'test', HOST: '127.0.0.1', PORT: '0', ...env },
    options,
  );
  const timer = setTimeout(() => started.signal('SIGKILL'), 40_000);
  const exit = await started.exited;
  clearTimeout(timer);
  return exit;
}

/** A clear line, or list, and nothing else: no stack, no secret. */
function expectRefusal({ code, stdout, stderr }: Exit, ...said: (string | RegExp)[]): void {
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  for (const text of said) expect(stderr).toMatch(text);
  expect(stderr).not.toMatch(/^\s+at |node:internal|\.js:\d+/m);
  expect(stderr).not.toContain(SECRET);
  expect(stderr).not.toContain('chaos-only-pass');
}

describe('a start that cannot be', () => {
  it('names the port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    closing.push(() => server.close());
    await once(server, 'listening');
    const port = String((server.address() as { port: number }).port);
    const DATA_DIR = folder();
    expectRefusal(await ending({ DATA_DIR, PORT: port }), `Port ${port} on 127.0.0.1 is in use`);
  });

  it('names the process that has the data folder, which goes on undisturbed; tools still reach the database', async () => {
    const service = await Service.running();
    closing.push(() => service.close());
    const { environment: env } = service;
    expectRefusal(await ending({ ...env, PORT: '0' }), `in use by process ${service.process.child.pid}`);
    expect((await service.client.ask('/health/live')).status).toBe(200);

    const registered = await service.client.ask('/auth/register', { method: 'POST', body: ADMIN });
    const makeAdmin = async (...who: string[]) => ending(env, command('make-admin'), who);
    expect(await makeAdmin()).toMatchObject({ code: 2, stderr: expect.stringContaining('Say whom') });
    expect(await makeAdmin('nobody@example.com')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('User not found: nobody@example.com'),
    });
    expect(await makeAdmin('ADMIN@example.com ')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('has been promoted'),
    });
    expect(await makeAdmin(ADMIN.email)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is already an admin'),
    });
    // At once, not after the next poll.
    const old = await service.client.ask('/auth/me', { token: registered.body.access_token as string });
    expect(old.status).toBe(401);
    const { body } = await service.client.ask('/auth/login', {
      method: 'POST',
      body: { email: ADMIN.email, password: ADMIN.password },
    });
    expect(body.user.role).toBe('admin');

    expect(await ending(env, command('migrate'))).toMatchObject({
      code: 0,
      stdout: 'The database is up to date.\n',
    });
    expect(await ending(env, command('migrate'), ['sideways'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'sideways'"),
    });
  });

  it('names a data folder that cannot be written', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    expectRefusal(await ending({ DATA_DIR: join(file, 'data') }), /DATA_DIR.*cannot be used.*ENOTDIR/);
    if (process.getuid?.() === 0) {
      const closed = folder();
      chmodSync(closed, 0o755);
      mkdirSync(join(closed, 'data'), { mode: 0o755 });
      const nobody = { uid: 65_534, gid: 65_534 };
      expectRefusal(
        await ending({ DATA_DIR: join(closed, 'data') }, MAIN, [], nobody),
        /DATA_DIR.*cannot be used.*EACCES/,
      );
    }
  });

  it('lists every mistake in the settings at once', async () => {
    const exit = await ending({
      DATA_DIR: folder(),
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      DATABASE_URL: `mysql://u:${SECRET}@h/d`,
      CACHE_TTL_SECONDS: '-1',
    });
    expectRefusal(exit, '4 mistake', /- PORT /, /- LOG_LEVEL /, /- DATABASE_URL /, /- CACHE_TTL_SECONDS /);
  });

  it.each([
    ['missing', undefined, 'JWT_SECRET_KEY is missing'],
    ['short', 'abc123', 'JWT_SECRET_KEY is too short'],
    ['well known', 'changeme-secret-password-default-vexil-jwt-dev', 'JWT_SECRET_KEY is a well-known'],
    ['monotonous', 'a'.repeat(64), 'JWT_SECRET_KEY repeats'],
  ])('asks for a real secret in production, not for one that is %s', async (_name, secret, said) => {
    const env = {
      NODE_ENV: 'production',
      DATA_DIR: folder(),
      ...(secret === undefined ? {} : { JWT_SECRET_KEY: secret }),
    };
    const exit = await ending(env);
    expectRefusal(exit, said);
    if (secret !== undefined) expect(exit.stderr).not.toContain(secret);
  });

  it('tools say in one line that the database does not answer', async () => {
    const port = await freePort();
    const env = { DATA_DIR: folder(), DATABASE_URL: `postgres://vexil:${SECRET}@localhost:${port}/vexil` };
    for (const [tool, ...args] of [['migrate'], ['migrate', 'revert'], ['make-admin', 'a@example.com']] as [
      string,
      ...string[],
    ][])
      expectRefusal(
        await ending(env, command(tool), args),
        new RegExp(`Postgres at localhost:${port}/vexil\\) does not answer: connect ECONNREFUSED`),
      );
    expectRefusal(
      await ending({ ...env, DATABASE_URL: 'nonsense' }, command('migrate')),
      'DATABASE_URL must be',
    );
  });
});

describe('the secret that development makes', () => {
  it('is readable by its owner only, and tokens survive a restart', async () => {
    const service = await Service.running();
    closing.push(() => service.close());
    const token = await service.setUp();
    const file = join(service.dataDir, 'jwt-secret');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, 'utf8');
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    await service.kill();
    await service.start();
    expect(readFileSync(file, 'utf8')).toBe(secret);
    expect((await service.client.ask('/auth/me', { token })).body.email).toBe(ADMIN.email);
  });

  it('is one, when several processes make it at once', async () => {
    const DATA_DIR = join(folder(), 'new');
    const module = JSON.stringify(join(MAIN, '../platform/config/signing-secret.js'));
    const script = join(folder(), 'race.mjs');
    writeFileSync(
      script,
      `const { signingSecret } = await import(${module});
       while (Date.now() < Number(process.argv[2]));
       console.log(signingSecret({ dataDir: ${JSON.stringify(DATA_DIR)} }));`,
    );
    const at = String(Date.now() + 1_000);
    const exits = await Promise.all(Array.from({ length: 6 }, () => ending({}, script, [at])));
    expect(new Set(exits.map(({ stdout }) => stdout)).size).toBe(1);
    expect(exits[0]?.stdout).toMatch(/^[0-9a-f]{64}\n$/);
  });
});

describeWithPostgres('a start that Postgres refuses', () => {
  it('tells how the first admin comes in once Postgres is there', async () => {
    const postgres = await PostgresServer.running();
    closing.push(() => postgres.close());
    await postgres.kill();
    const service = await Service.running({ DATABASE_URL: postgres.url });
    closing.push(() => service.close());
    expect(await service.banner()).toMatch(/is running\.(?![^]*setup token)/);
    await postgres.start();
    expect(await service.setUp()).not.toBe('');
    expect(service.process.stdout.match(/setup token/g)).toHaveLength(1);
  });

  it('says why in one line: the password, the database, the migrations that must run first', async () => {
    const postgres = await PostgresServer.running();
    closing.push(() => postgres.close());
    const start = (url: string, env = {}) => ending({ DATA_DIR: folder(), DATABASE_URL: url, ...env });
    expectRefusal(
      await start(postgres.urlOf('vexil', SECRET)),
      /Postgres at .*\/vexil.*password authentication failed/,
    );
    expectRefusal(await start(postgres.urlOf('nowhere')), /database "nowhere" does not exist/);

    const off = { MIGRATE_ON_START: 'false' };
    expectRefusal(
      await start(postgres.url, off),
      /CreateAudit\d+.*must run first.*npm run migrate.*MIGRATE_ON_START=true/,
    );
    const env = { DATA_DIR: folder(), DATABASE_URL: postgres.url };
    expect(await ending(env, command('migrate'))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Ran CreateAudit\d+, .*\.\n$/),
    });
    const service = await Service.running({ DATABASE_URL: postgres.url, ...off });
    closing.push(() => service.close());
    await service.until('/health/ready', 200);
    await service.kill();
    expect(await ending(env, command('migrate'), ['revert'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Took back '),
    });
    expectRefusal(await start(postgres.url, off), /must run first/);
  });
});
