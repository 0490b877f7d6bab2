/**
 * Claim: what the service adds to a bare node:http server that looks up, hashes and serialises by hand. A later aim is 0.85 of
 * that limit, which is 1.18× of its CPU time; until the claim is made the figure is printed, not judged.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Limit } from './evaluate-http.limit.js';
import { compare, cpuSecondsOf, printMachine, type Side } from './harness.js';
import { HttpLoad } from './http-load.js';

const FLAGS = 1_000;
const CONNECTIONS = 50;
const ENVIRONMENT = 'development';
const THRESHOLD = 2_500;
/** For a first look: `VEXIL_BENCH_ROUNDS=3 VEXIL_BENCH_SECONDS=3`. */
const ROUNDS = Number(process.env['VEXIL_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 8);

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

const keys = Array.from({ length: FLAGS }, (_, index) => `checkout-feature-${index}`);
const pathOf = (index: number): string =>
  `/evaluate/${keys[index % FLAGS] ?? ''}?environment_key=${ENVIRONMENT}&user_id=user-${index * 7_919}`;
// A prime number of paths, so that the connections do not fall into step with the flags.
const paths = Array.from({ length: 4_001 }, (_, index) => pathOf(index));

const secret = randomBytes(32).toString('hex');
const dataDir = mkdtempSync(join(tmpdir(), 'vexil-bench-'));
const servers: Server[] = [];

/** Starts a process and waits until it says something that `portIn` understands. */
async function startServer(
  args: readonly string[],
  env: Record<string, string>,
  portIn: (said: string) => number | undefined,
  input = '',
): Promise<Server & { readonly said: string }> {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  child.stderr.pipe(process.stderr);
  child.stdin.end(input);
  let said = '';
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${String(code)}: ${said}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      // What comes after the start is the log: read, so that the pipe never fills up, and forgotten.
      if (said.length > 10_000) return;
      said += chunk.toString();
      const found = portIn(said);
      if (found !== undefined) resolve(found);
    });
  });
  const server = { child, port, said };
  servers.push(server);
  return server;
}

const startVexil = (logLevel: string) =>
  startServer(
    ['--disable-proto=delete', join('dist', 'src', 'main.js')],
    {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      DATABASE_URL: '',
      REDIS_URL: '',
      JWT_SECRET_KEY: secret,
      RATE_LIMIT_PER_MINUTE: '0',
      LOG_LEVEL: logLevel,
    },
    // The banner ends with an empty line.
    (said) => (/\n\n$/.test(said) ? Number(/Service +http:\/\/localhost:(\d+)/.exec(said)?.[1]) : undefined),
  );
const startLimit = (limit: Limit) =>
  startServer(
    [join(import.meta.dirname, 'evaluate-http.limit.js')],
    {},
    (said) => (said.endsWith('\n') ? Number(said) : undefined),
    JSON.stringify(limit),
  );

async function stopServer({ child }: Server): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function ask<T>({ port }: Server, path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function createFlags(vexil: Server & { readonly said: string }): Promise<void> {
  const headers = { 'Content-Type': 'application/json' };
  const person = { email: 'bench@example.com', password: randomBytes(16).toString('hex'), name: 'Bench' };
  const token = /setup token: +(\S+)/.exec(vexil.said)?.[1] ?? '';
  const body = JSON.stringify({ ...person, token });
  const { access_token: access } = await ask<{ access_token: string }>(vexil, '/auth/setup', {
    method: 'POST',
    headers,
    body,
  });
  const flag = { environment_key: ENVIRONMENT, is_enabled: true, flag_type: 'percentage' };
  for (const key of keys) {
    await ask(vexil, '/flags', {
      method: 'POST',
      headers: { ...headers, Authorization: `Bearer ${access}` },
      body: JSON.stringify({ ...flag, key, name: key, rollout_percentage: THRESHOLD / 100 }),
    });
  }
}

async function sideOf(name: string, server: Server): Promise<Side & { readonly load: HttpLoad }> {
  const load = await HttpLoad.open(server.port, CONNECTIONS, paths);
  const { pid = 0 } = server.child;
  return { name, load, run: (requests) => load.run(requests), cpuSeconds: () => cpuSecondsOf(pid) };
}

async function disagreements(vexil: Server, limit: Server): Promise<string[]> {
  const wrong: string[] = [];
  for (const path of paths.slice(0, 200)) {
    const [ours, byHand] = [await ask(vexil, path), await ask(limit, path)];
    if (!isDeepStrictEqual(ours, byHand))
      wrong.push(`${path}: ${JSON.stringify(ours)}, by hand ${JSON.stringify(byHand)}`);
  }
  return wrong;
}

async function compareAt(logLevel: string, title: string, vexil: Server, limit: Server): Promise<void> {
  const subject = await sideOf(`Vexil, LOG_LEVEL=${logLevel}`, vexil);
  const rival = await sideOf('node:http by hand', limit);
  await compare({
    title: `GET /evaluate/{flag}, ${FLAGS} flags, ${CONNECTIONS} connections, ${title}`,
    subject,
    rivals: [rival],
    verify: () => disagreements(vexil, limit),
    rounds: ROUNDS,
    roundSeconds: SECONDS,
  });
  subject.load.close();
  rival.load.close();
}

printMachine();
try {
  const first = await startVexil('warn');
  await createFlags(first);
  const { revision } = await ask<{ revision: number }>(first, paths[0] ?? '');
  const limit = await startLimit({
    environmentKey: ENVIRONMENT,
    revision,
    thresholds: keys.map((key) => [key, THRESHOLD] as const),
  });
  await compareAt('warn', 'no request log', first, limit);
  await stopServer(first);

  const second = await startVexil('info');
  await compareAt('info', 'a log line for each request, as by default', second, limit);
} finally {
  await Promise.all(servers.map(stopServer));
  rmSync(dataDir, { recursive: true, force: true });
}
