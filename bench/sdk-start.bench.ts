/**
 * Claims, against a local service with 1,000 flags: a client is ready in under 150 ms, and a change is visible in it in under 200 ms
 * (p99) after it was sent to the service. `DATABASE_URL` names a server on which a database of its own is made and dropped;
 * without it the service is on the embedded database.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createServerClient, type ServerClient } from '../sdk/src/index.js';
import { judge, printMachine } from './harness.js';

const FLAGS = 1_000;
const STARTS = 30;
const CHANGES = 300;
const SERVER = process.env['DATABASE_URL'] ?? '';
const DATABASE = `vexil_bench_${randomBytes(4).toString('hex')}`;
const dataDir = mkdtempSync(join(tmpdir(), 'vexil-bench-'));
let child: ChildProcess | undefined;

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function start(): Promise<{ url: string; setupToken: string }> {
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: SERVER && new URL(`/${DATABASE}`, SERVER).href,
    REDIS_URL: '',
    JWT_SECRET_KEY: randomBytes(32).toString('hex'),
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '0',
  };
  const args = ['--disable-proto=delete', join('dist', 'src', 'main.js')];
  child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  while (!/is running\.[^]*\n\n$/.test(said)) {
    if (child.exitCode !== null) throw new Error(`The service ended: ${said}`);
    await sleep(50);
  }
  const port = Number(/Service +http:\/\/localhost:(\d+)/.exec(said)?.[1]);
  return { url: `http://127.0.0.1:${port}`, setupToken: /setup token: +(\S+)/.exec(said)?.[1] ?? '' };
}

let url = '';
let token = '';

async function ask(method: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Record<string, unknown>;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;

function tell(what: string, times: number[], share: number, limitMs: number): void {
  times.sort((a, b) => a - b);
  const figures = [0.5, 0.9, 0.99, 1].map((each) => at(times, each).toFixed(1)).join(' · ');
  console.log(`  ${what}: ${figures} ms (median · p90 · p99 · longest of ${times.length})`);
  console.log(`    p${share * 100} ${judge(at(times, share), limitMs, ' ms')}`);
}

function clientOf(apiKey: string): ServerClient {
  return createServerClient({ baseUrl: url, apiKey, environment: 'development' });
}

printMachine();
try {
  if (SERVER) await onServer(`CREATE DATABASE ${DATABASE}`);
  const started = await start();
  url = started.url;
  const admin = { email: 'bench@example.com', password: 'correct horse battery', name: 'Bench' };
  token = String((await ask('POST', '/auth/setup', { ...admin, token: started.setupToken }))['access_token']);
  const key = { name: 'Bench', kind: 'server', environment_key: 'development' };
  const apiKey = String((await ask('POST', '/auth/api-keys', key))['secret']);
  for (let index = 0; index < FLAGS; index += 1) {
    const flag = { key: `flag-${index}`, name: 'A flag', environment_key: 'development', is_enabled: true };
    await ask('POST', '/flags', { ...flag, flag_type: 'percentage', rollout_percentage: 25 });
  }

  const starts: number[] = [];
  for (let count = 0; count < STARTS; count += 1) {
    const begun = performance.now();
    const client = clientOf(apiKey);
    await client.ready();
    starts.push(performance.now() - begun);
    if (Object.keys(client.evaluateAll({})).length !== FLAGS) throw new Error('not all flags are there');
    await client.close();
  }
  console.log(`\nFrom nothing to ready, ${FLAGS} flags`);
  tell('ready', starts, 0.5, 150);

  const client = clientOf(apiKey);
  await client.ready();
  await sleep(500);
  const visible: number[] = [];
  for (let count = 1; count <= CHANGES; count += 1) {
    const flag = `flag-${(count * 7) % FLAGS}`;
    const seen = new Promise<number>((resolve) => {
      const end = client.on('change', ({ flagsChanged }) => {
        if (!flagsChanged.includes(flag)) return;
        end();
        resolve(performance.now());
      });
    });
    const begun = performance.now();
    const change = ask('PUT', `/flags/${flag}?environment_key=development`, {
      rollout_percentage: (2_600 + count) / 100,
    });
    const [seenAt] = await Promise.all([seen, change]);
    visible.push(seenAt - begun);
  }
  console.log(`\nA change of one flag of ${FLAGS}, from its being sent to its being decided by`);
  tell('visible', visible, 0.99, 200);
  await client.close();
} finally {
  if (child && child.exitCode === null) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  if (SERVER) await onServer(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  rmSync(dataDir, { recursive: true, force: true });
}
