/** What the benches over HTTP stand on: a database of their own, and the built service as production runs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A database on the server that `DATABASE_URL` names, until it is dropped. */
export class BenchDatabase {
  private constructor(
    private readonly server: string,
    private readonly name: string,
  ) {}

  /** @throws without a server to make it on */
  static async create(): Promise<BenchDatabase> {
    const server = process.env['DATABASE_URL'];
    if (!server)
      throw new Error('This bench needs DATABASE_URL: a Postgres on which it may make a database.');
    const database = new BenchDatabase(server, `vexil_bench_${randomBytes(4).toString('hex')}`);
    await query(server, `CREATE DATABASE ${database.name}`);
    return database;
  }

  get url(): string {
    return new URL(`/${this.name}`, this.server).href;
  }

  query(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return query(this.url, sql, values);
  }

  async drop(): Promise<void> {
    await query(this.server, `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
  }
}

type Row = Readonly<Record<string, unknown>>;

async function query(url: string, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}

const JWT_SECRET_KEY = randomBytes(32).toString('hex');

/** One process of the service, with a folder of its own. */
export class BenchService {
  private readonly headers: Record<string, string> = { 'Content-Type': 'application/json' };
  /** Who asks, once there is an admin. */
  readonly person = { email: 'bench@example.com', password: randomBytes(16).toString('hex'), name: 'Bench' };

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
    readonly port: number,
    private readonly banner: string,
  ) {}

  /**
   * Resolves when it answers. All that a bench starts share their signing secret.
   * @param node which Node runs it
   */
  static async start(
    env: Readonly<Record<string, string>> = {},
    node = process.execPath,
  ): Promise<BenchService> {
    const dataDir = mkdtempSync(join(tmpdir(), 'vexil-bench-'));
    const child = spawn(node, ['--disable-proto=delete', join('dist', 'src', 'main.js')], {
      env: {
        ...process.env,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: '0',
        DATA_DIR: dataDir,
        REDIS_URL: '',
        JWT_SECRET_KEY,
        RATE_LIMIT_PER_MINUTE: '0',
        LOG_LEVEL: 'warn',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      // What comes after the start is the log: read, so that the pipe never fills up, and forgotten.
      if (said.length < 10_000) said += chunk.toString();
    });
    while (!/is running\.[^]*\n\n$/.test(said)) {
      if (child.exitCode !== null) throw new Error(`The service ended: ${said}`);
      await sleep(20);
    }
    const port = Number(/Service +http:\/\/localhost:(\d+)/.exec(said)?.[1]);
    return new BenchService(child, dataDir, port, said);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Of the whole process, as the system counts it. Linux only. */
  get residentMb(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** Makes the first admin, who asks from then on. */
  async setUp(): Promise<void> {
    const token = /setup token: +(\S+)/.exec(this.banner)?.[1] ?? '';
    const { access_token: access } = await this.ask<{ access_token: string }>('POST', '/auth/setup', {
      ...this.person,
      token,
    });
    this.headers['Authorization'] = `Bearer ${access}`;
  }

  /** @returns the secret of a server key without a limit */
  async serverKey(environmentKey: string): Promise<string> {
    const { secret } = await this.ask<{ secret: string }>('POST', '/auth/api-keys', {
      name: 'bench',
      kind: 'server',
      environment_key: environmentKey,
      rate_limit_per_minute: 0,
    });
    return secret;
  }

  /** @throws on any answer but a 2xx */
  async ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T> {
    const init = { method, headers: this.headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    const answer = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
