import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import pg from 'pg';
import { freePort } from './free-port.js';
import { isThere } from './required-services.js';

const BIN = newestBin();
const owner = ownerOf();
export const postgresAvailable = isThere('initdb', 'postgresql', BIN !== undefined && owner !== undefined);

/** `describe` where Postgres' binaries are installed, else `describe.skip`. */
export const describeWithPostgres = postgresAvailable ? describe : describe.skip;

const PASSWORD = 'chaos-only-pass';

/** A Postgres cluster of this test alone, on 127.0.0.1. Faults go to its recorded process and to the children of that. */
export class PostgresServer {
  private child: ChildProcess | undefined;
  private readonly data: string;
  /** What it has written to its own log. */
  log = '';

  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly settings: readonly string[],
  ) {
    this.data = join(folder, 'data');
  }

  /** @param settings as in `log_statement=all` */
  static async running(settings: readonly string[] = []): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'vexil-postgres-'));
    chmodSync(folder, 0o755);
    if (owner?.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
    const server = new PostgresServer(await freePort(), folder, settings);
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, PASSWORD);
    execFileSync(
      join(BIN ?? '', 'initdb'),
      [
        '-D',
        server.data,
        '-U',
        'vexil',
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        '-N',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], ...owner, cwd: folder },
    );
    await server.start();
    await server.query('CREATE DATABASE vexil');
    return server;
  }

  get url(): string {
    return this.urlOf('vexil');
  }

  urlOf(database: string, password: string = PASSWORD): string {
    return `postgres://vexil:${password}@127.0.0.1:${this.port}/${database}`;
  }

  /** Copies a file into the folder of its data, to be read by the server alone. */
  keep(file: string, name: string): void {
    const copy = join(this.data, name);
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    if (owner?.uid !== undefined) chownSync(copy, owner.uid, owner.gid);
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    // After kill -9 the children of the old server may still be about to notice; the new one waits for them.
    const child = spawn(
      join(BIN ?? '', 'postgres'),
      [
        '-D',
        this.data,
        '-p',
        String(this.port),
        '-h',
        '127.0.0.1',
        '-k',
        this.folder,
        '-c',
        'max_connections=60',
        ...this.settings.flatMap((setting) => ['-c', setting]),
      ],
      {
        stdio: ['ignore', 'ignore', this.settings.length > 0 ? 'pipe' : 'ignore'],
        ...owner,
        cwd: this.folder,
      },
    );
    this.child = child;
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => (this.log += piece));
    for (let attempts = 0; attempts < 300; attempts += 1) {
      if (child.exitCode !== null) break;
      if (
        await this.query('SELECT 1').then(
          () => true,
          () => false,
        )
      )
        return;
      await sleep(20);
    }
    await this.kill();
    throw new Error(`Postgres did not start on port ${this.port}`);
  }

  async query(sql: string, database = 'postgres'): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: this.urlOf(database), connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** kill -9 of the server and of all its children. */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    const children = childrenOf(child.pid);
    child.kill('SIGKILL');
    for (const pid of children) signal(pid, 'SIGKILL');
    await exited;
  }

  /** Alive and connected, but it does nothing: SIGSTOP. */
  freeze(): void {
    this.signalAll('SIGSTOP');
  }

  thaw(): void {
    this.signalAll('SIGCONT');
  }

  /** Ends the cluster, frozen or not, and leaves no files. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  private signalAll(name: NodeJS.Signals): void {
    const pid = this.child?.pid;
    if (pid === undefined) return;
    // The server first, so that it makes no more children meanwhile.
    for (const each of [pid, ...childrenOf(pid)]) signal(each, name);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

/** Processes whose parent is `pid`, as the operating system tells it. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
      } catch {
        return false;
      }
    })
    .map(Number);
}

function newestBin(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (process.platform !== 'linux' || !existsSync(root)) return undefined;
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'))
    .find((folder) => existsSync(join(folder, 'initdb')));
}

/** Postgres refuses to run as root. */
function ownerOf(): { uid: number; gid: number } | undefined | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // There is no such user here.
    }
  }
  return undefined;
}
