import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN } from './built-service.js';
import { freePort } from './free-port.js';
import { HttpClient } from './http-client.js';
import { migrateByCopy } from './migrated-folder.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Only what is named: a test's own DATABASE_URL must not reach the process. */
const bareEnvironment = () => ({ PATH: process.env['PATH'], HOME: tmpdir(), LC_ALL: 'C' });

/** A process of the built service, or of one of its commands. */
export class NodeProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  stdout = '';
  stderr = '';

  constructor(
    file: string,
    args: readonly string[],
    env: Record<string, string>,
    options: SpawnOptions = {},
  ) {
    const started = performance.now();
    this.child = spawn(process.execPath, ['--disable-proto=delete', file, ...args], {
      cwd: tmpdir(),
      env: { ...bareEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (code, signal) =>
        resolve({
          code,
          signal,
          stdout: this.stdout,
          stderr: this.stderr,
          durationMs: performance.now() - started,
        }),
      );
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }
}

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery', name: 'Admin' };

/** The real service on a port and a data folder of its own; it can be killed and started again on both. */
export class Service {
  readonly client: HttpClient;
  private running: NodeProcess | undefined;

  private constructor(
    readonly port: number,
    readonly dataDir: string,
    private readonly env: Record<string, string>,
  ) {
    this.client = new HttpClient(`http://127.0.0.1:${port}`);
  }

  /** Not yet started. An embedded database is there and migrated. */
  static async prepared(env: Record<string, string> = {}): Promise<Service> {
    const service = await Service.new(env);
    if (!env['DATABASE_URL']) await migrateByCopy(service.dataDir);
    return service;
  }

  /** Not yet started, with nothing in its data folder. */
  static async new(env: Record<string, string> = {}): Promise<Service> {
    return new Service(await freePort(), mkdtempSync(join(tmpdir(), 'vexil-chaos-')), env);
  }

  static async running(env: Record<string, string> = {}): Promise<Service> {
    const service = await Service.prepared(env);
    try {
      await service.start();
    } catch (error) {
      await service.close();
      throw error;
    }
    return service;
  }

  /** Instances of one installation: what signs the tokens of one is believed by all. */
  static async several(count: number, env: Record<string, string>): Promise<Service[]> {
    const common = { JWT_SECRET_KEY: randomBytes(32).toString('hex'), ...env };
    // One after the other: the first brings the database up to date.
    const services: Service[] = [];
    for (let index = 0; index < count; index += 1) services.push(await Service.running(common));
    return services;
  }

  get process(): NodeProcess {
    if (!this.running) throw new Error('The service was not started.');
    return this.running;
  }

  spawn(env: Record<string, string> = {}): NodeProcess {
    this.running = new NodeProcess(MAIN, [], { ...this.environment, ...env });
    return this.running;
  }

  get environment(): Record<string, string> {
    return {
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: String(this.port),
      DATA_DIR: this.dataDir,
      LOG_LEVEL: 'warn',
      REVISION_POLL_SECONDS: '1',
      RATE_LIMIT_PER_MINUTE: '0',
      ...this.env,
    };
  }

  /** Starts it and waits until it answers. @returns how long that took, in milliseconds */
  async start(env: Record<string, string> = {}): Promise<number> {
    const started = performance.now();
    const { exited } = this.spawn(env);
    const ended = exited.then((exit) => {
      throw new Error(`The service ended instead of starting (${exit.code}): ${exit.stderr}${exit.stdout}`);
    });
    ended.catch(() => undefined);
    await Promise.race([ended, this.until('/health/live', 200, 300_000)]);
    return performance.now() - started;
  }

  /** Waits for a status. */
  async until(path: string, status: number, patienceMs = 240_000): Promise<void> {
    const deadline = Date.now() + patienceMs;
    while (Date.now() < deadline) {
      const answer = await this.client.ask(path, { timeoutMs: 2_000 }).catch(() => undefined);
      if (answer?.status === status) return;
      await sleep(20);
    }
    throw new Error(
      `${path} did not answer ${status} within ${patienceMs} ms: ${this.running?.stderr ?? ''}`,
    );
  }

  /** Makes the first admin. @returns a token */
  async setUp(): Promise<string> {
    const token = await this.setupToken();
    const { status, body } = await this.client.ask('/auth/setup', {
      method: 'POST',
      body: { ...ADMIN, token },
    });
    if (status !== 201) throw new Error(`setup: ${status} ${JSON.stringify(body)}`);
    return body.access_token as string;
  }

  /** Told when it has started, or later, when the database answers. */
  private async setupToken(): Promise<string | undefined> {
    for (let attempts = 0; attempts < 500; attempts += 1) {
      const token = /setup token: {2}(\S+)\n/.exec(this.process.stdout)?.[1];
      if (token !== undefined) return token;
      await sleep(20);
    }
    return undefined;
  }

  /** What it prints when it has started. */
  async banner(): Promise<string> {
    for (let attempts = 0; attempts < 200; attempts += 1) {
      if (/is running\.[^]*\n\n$/.test(this.process.stdout)) break;
      await sleep(20);
    }
    return this.process.stdout;
  }

  /** Lines of its log about requests that failed for a reason it has no name for. */
  internalErrors(): string[] {
    return this.process.stdout
      .split('\n')
      .filter((line) => line.startsWith('{') && /"status_code":500/.test(line));
  }

  /** Sockets that the process has open, as the operating system tells it. Linux only. */
  get sockets(): number {
    const folder = `/proc/${this.process.child.pid}/fd`;
    return readdirSync(folder).filter((name) => {
      try {
        return readlinkSync(join(folder, name)).startsWith('socket:');
      } catch {
        return false;
      }
    }).length;
  }

  async kill(): Promise<void> {
    await this.running?.kill();
  }

  /** Ends it and removes its data. @throws when it had already ended by itself, over something it did not foresee */
  async close(): Promise<void> {
    const crash = /^.*"level":"fatal".*$/m.exec(this.running?.stdout ?? '')?.[0];
    if (this.running?.isRunning) await this.running.kill();
    this.client.close();
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
    if (crash !== undefined) throw new Error(`The service crashed: ${crash}`);
  }
}
