import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '@jest/globals';
import { freePort } from './free-port.js';
import { isThere } from './required-services.js';

const redisAvailable = isThere('redis-server on the PATH', 'redis-server', hasRedis());

/** `describe` where redis-server is on the PATH, else `describe.skip`. */
export const describeWithRedis = redisAvailable ? describe : describe.skip;

/** A redis-server process of this test alone, on 127.0.0.1, without persistence. Faults go to its recorded pid. */
export class RedisServer {
  private child: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'vexil-redis-'));

  private constructor(
    readonly port: number,
    private readonly extraArguments: readonly string[],
  ) {}

  /** Reserves a port, and starts nothing on it yet. */
  static async absent(...extraArguments: string[]): Promise<RedisServer> {
    return new RedisServer(await freePort(), extraArguments);
  }

  static async running(...extraArguments: string[]): Promise<RedisServer> {
    const server = await RedisServer.absent(...extraArguments);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const settings = ['--save', '', '--appendonly', 'no', '--port', String(this.port), '--bind', '127.0.0.1'];
    const child = spawn('redis-server', [...settings, '--dir', this.folder, ...this.extraArguments], {
      stdio: 'ignore',
    });
    this.child = child;
    for (let attempts = 0; attempts < 250; attempts += 1) {
      if (child.exitCode !== null) break;
      if (await answers(this.port)) return;
      await sleep(20);
    }
    await this.kill();
    throw new Error(`redis-server did not start on port ${this.port}`);
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Alive and connected, but it does nothing: SIGSTOP. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Ends the process, frozen or not, and leaves no files. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function hasRedis(): boolean {
  try {
    execFileSync('which', ['redis-server'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    const finish = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('data', () => finish(true));
    socket.once('error', () => finish(false));
  });
}
