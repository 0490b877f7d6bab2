/**
 * Claim: one instance holds 5,000 idle streams in 400 MB of resident memory, and a change reaches all of them. `DATABASE_URL` names
 * a server on which a database of its own is made and dropped, as production has one; without it the embedded database is
 * in the same process, and its memory is counted too.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { cpuSecondsOf, judge, printMachine } from './harness.js';

const CLIENTS = Number(process.env['VEXIL_BENCH_CLIENTS'] ?? 5_000);
const AT_ONCE = 100;
const FLAGS = 100;
const LIMIT_MB = 400;
/** Long enough for several heartbeats. */
const IDLE_SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 30);
const SERVER = process.env['DATABASE_URL'] ?? '';
const DATABASE = `vexil_bench_${randomBytes(4).toString('hex')}`;

const dataDir = mkdtempSync(join(tmpdir(), 'vexil-bench-'));
const sockets: Socket[] = [];
let child: ChildProcess | undefined;

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: SERVER });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function start(): Promise<{ pid: number; port: number; setupToken: string }> {
  const databaseUrl = SERVER && new URL(`/${DATABASE}`, SERVER).href;
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    REDIS_URL: '',
    JWT_SECRET_KEY: randomBytes(32).toString('hex'),
    LOG_LEVEL: 'warn',
    STREAM_MAX_PER_CALLER: String(CLIENTS),
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
  return { pid: child.pid ?? 0, port, setupToken: /setup token: +(\S+)/.exec(said)?.[1] ?? '' };
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

/** What has come on one stream is searched for words, and forgotten. */
class Idle {
  hasRuleset = false;
  hasChange = false;

  constructor(port: number, token: string) {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `GET /stream?environment_key=development HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      ),
    );
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (text.includes('event: ruleset')) this.hasRuleset = true;
      if (text.includes('event: change')) this.hasChange = true;
    });
    socket.on('error', (error) => console.log(`  WRONG ANSWER: ${error.message}`));
    sockets.push(socket);
  }
}

async function until(what: string, holds: () => boolean): Promise<number> {
  const started = performance.now();
  while (!holds()) {
    if (performance.now() - started > 60_000) throw new Error(`not within a minute: ${what}`);
    await sleep(5);
  }
  return performance.now() - started;
}

printMachine();
try {
  if (SERVER) await onServer(`CREATE DATABASE ${DATABASE}`);
  const { pid, port, setupToken } = await start();
  const headers: Record<string, string> = { 'Content-Type': 'application/json' };
  const post = async (path: string, body: object): Promise<Record<string, string>> => {
    const init = { method: 'POST', headers, body: JSON.stringify(body) };
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, string>;
  };
  const password = randomBytes(16).toString('hex');
  const person = { email: 'bench@example.com', password, name: 'Bench', token: setupToken };
  const token = (await post('/auth/setup', person))['access_token'] ?? '';
  headers['Authorization'] = `Bearer ${token}`;
  const flag = (key: string) => ({ key, name: key, environment_key: 'development' });
  for (let index = 0; index < FLAGS; index += 1) await post('/flags', flag(`flag-${index}`));

  console.log(`\n${CLIENTS} idle streams, ${FLAGS} flags, ${SERVER ? 'Postgres' : 'the embedded database'}`);
  console.log(`  before          ${residentMb(pid).toFixed(0)} MB`);
  const clients: Idle[] = [];
  const opening = performance.now();
  while (clients.length < CLIENTS) {
    for (let count = 0; count < AT_ONCE; count += 1) clients.push(new Idle(port, token));
    await until('every client has the ruleset', () => clients.every(({ hasRuleset }) => hasRuleset));
  }
  console.log(`  opened in       ${((performance.now() - opening) / 1000).toFixed(1)} s`);
  const cpu = cpuSecondsOf(pid);
  let most = 0;
  for (let second = 0; second < IDLE_SECONDS; second += 1) {
    await sleep(1_000);
    most = Math.max(most, residentMb(pid));
  }
  const busy = ((cpuSecondsOf(pid) - cpu) / IDLE_SECONDS) * 100;
  console.log(`  idle, at most   ${most.toFixed(0)} MB ${judge(most, LIMIT_MB, ' MB')}`);
  console.log(`  idle, processor ${busy.toFixed(1)} % of a core`);
  const writing = post('/flags', flag('last'));
  const reached = await until('every client has the change', () => clients.every((each) => each.hasChange));
  await writing;
  console.log(`  a change, sent by its writer and had by all: ${reached.toFixed(0)} ms`);
} finally {
  for (const socket of sockets) socket.destroy();
  if (child && child.exitCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  if (SERVER) await onServer(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
  rmSync(dataDir, { recursive: true, force: true });
}
