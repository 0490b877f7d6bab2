/**
 * Does what a new user does: clones into an empty folder, `npm ci` with an empty cache, `npm start`, the README's first
 * flag word for word, then stops the service, starts it again and looks for the data. On the embedded database; and, when
 * DATABASE_URL (a role that may create databases) is given, once more on Postgres, with REDIS_URL if there is one.
 *
 * `--working-tree` takes along what is not committed yet.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { root } from './build-if-old.mjs';

const START_SECONDS = 90;
const ANSWER = 'User bucket 139 is within 25% rollout';

const home = mkdtempSync(join(tmpdir(), 'vexil-fresh-'));
const clone = join(home, 'vexil');
const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, ...rest } = process.env;
// Of this machine's environment only what a shell has anyway.
const bare = {
  PATH: rest.PATH,
  HOME: rest.HOME,
  ...(rest.npm_config_registry ? { npm_config_registry: rest.npm_config_registry } : {}),
  npm_config_cache: join(home, 'npm-cache'),
};

/** The commands of the README under `## A first flag`, asked of the service at `url`. */
function firstFlag(url) {
  const readme = readFileSync(join(clone, 'README.md'), 'utf8');
  const block = /^## A first flag$.*?^```sh\n(.*?)^```$/ms.exec(readme)?.[1];
  if (!block?.includes('http://localhost:8000')) throw new Error('The README has no first flag any more');
  return block.replaceAll('http://localhost:8000', url);
}

function take(args) {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', root, clone], { stdio: 'inherit' });
  if (!args.includes('--working-tree')) return;
  const changed = ['ls-files', '-z', '--modified', '--others', '--exclude-standard'];
  for (const file of execFileSync('git', changed, { cwd: root, encoding: 'utf8' }).split('\0')) {
    if (file === '') continue;
    rmSync(join(clone, file), { force: true });
    if (!existsSync(join(root, file))) continue;
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file));
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const isAlive = (group) => {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
};

/** `npm start`, in a group of its own so that the service can be stopped with npm around it. */
async function start(env, url) {
  const child = spawn('npm', ['start'], {
    cwd: clone,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
  const began = Date.now();
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() - began > START_SECONDS * 1000) {
      await stop(child.pid);
      throw new Error(`The service did not start:\n${said}`);
    }
    await sleep(100);
  }
  console.log(`    ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return child.pid;
}

async function isReady(url) {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false;
  }
}

async function stop(group) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    if (!isAlive(group)) return;
    process.kill(-group, signal);
    for (let tenths = 0; tenths < 150 && isAlive(group); tenths += 1) await sleep(100);
    if (signal === 'SIGTERM' && isAlive(group)) throw new Error('The service did not stop within 15 s');
  }
}

async function expectAnswer(url) {
  const response = await fetch(`${url}/evaluate/new-checkout?environment_key=production&user_id=alice`);
  const { enabled, reason } = await response.json();
  if (enabled !== true || reason !== ANSWER) throw new Error(`Not the answer of before: ${reason}`);
}

async function tryOut(name, settings) {
  console.log(`  ${name}`);
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const env = { ...bare, ...settings, PORT: String(port) };

  let group = await start(env, url);
  try {
    // Bash for `pipefail` alone; the commands are for any shell.
    const script = ['--norc', '-e', '-u', '-o', 'pipefail', '-c', firstFlag(url)];
    const said = execFileSync('bash', script, {
      cwd: clone,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for (const wanted of [ANSWER, '"action":"created"', 'promoted to admin']) {
      if (!said.includes(wanted)) throw new Error(`The README's commands did not say ${wanted}:\n${said}`);
    }
    console.log("    the README's first flag works");
    await stop(group);
    group = await start(env, url);
    await expectAnswer(url);
    console.log('    its data are there after a restart');
  } finally {
    await stop(group);
  }
}

/** A database of its own on the server of `address`, for as long as `work` takes. */
async function withDatabase(address, work) {
  const name = `vexil_fresh_${randomBytes(4).toString('hex')}`;
  const onServer = async (sql) => {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(address);
  url.pathname = `/${name}`;
  try {
    await work(url.href);
  } finally {
    await onServer(`DROP DATABASE ${name} WITH (FORCE)`);
  }
}

try {
  take(process.argv.slice(2));
  console.log('  npm ci, with an empty cache');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: clone, env: bare, stdio: 'inherit' });
  await tryOut('npm start, on the embedded database', {});
  if (databaseUrl) {
    await withDatabase(databaseUrl, (url) =>
      tryOut('npm start, on Postgres and Redis', {
        DATABASE_URL: url,
        ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
      }),
    );
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
