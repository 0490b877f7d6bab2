import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ensureBuilt } from '../support/built-service.js';
import { freePort } from '../support/free-port.js';
import { HttpClient } from '../support/http-client.js';
import { postgresAvailable, PostgresServer } from '../support/postgres-server.js';
import { isThere } from '../support/required-services.js';
import { Service } from '../support/service-process.js';
import { StreamConnection } from '../support/stream-client.js';

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'].find((path) =>
  existsSync(path),
);
const isAvailable = isThere('nginx', 'nginx-light', NGINX !== undefined) && postgresAvailable;

/** nginx with our files, and as little around them as it takes. */
class Nginx {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async before(...ports: number[]): Promise<Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'vexil-nginx-'));
    const port = await freePort();
    const server = readFileSync('deploy/nginx/vexil.conf', 'utf8').replace(
      'listen 8080',
      `listen 127.0.0.1:${port}`,
    );
    const [first, second] = ports;
    const upstream = readFileSync('deploy/nginx/upstream-local.conf', 'utf8')
      .replace('127.0.0.1:8000', `127.0.0.1:${first}`)
      .replace('127.0.0.1:8001', `127.0.0.1:${second}`);
    writeFileSync(join(folder, 'vexil.conf'), server);
    writeFileSync(join(folder, 'upstream.conf'), upstream);
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${join(folder, name)};`)
      .join(' ');
    const config = join(folder, 'nginx.conf');
    writeFileSync(
      config,
      `${process.getuid?.() === 0 ? 'user root;' : ''} pid ${join(folder, 'pid')}; error_log ${join(folder, 'errors')};
       events {} http { access_log off; ${temporary} include ${folder}/upstream.conf; include ${folder}/vexil.conf; }`,
    );
    // What `nginx -t` of the guide says.
    execFileSync(NGINX!, ['-t', '-c', config], { stdio: 'pipe' });
    const child = spawn(NGINX!, ['-c', config, '-g', 'daemon off;'], { stdio: 'ignore' });
    return new Nginx(child, folder, `http://127.0.0.1:${port}`);
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Asks for a path as it stands: fetch would tidy it up. */
async function statusOf(url: string, path: string): Promise<number | undefined> {
  const [response] = (await once(get(`${url}/`, { path }), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

(isAvailable ? describe : describe.skip)(
  'nginx, with the files of deploy/nginx, before two instances',
  () => {
    const closing: (() => unknown)[] = [];
    let postgres: PostgresServer;
    let instances: Service[];
    let token: string;
    let client: HttpClient;

    beforeAll(async () => {
      await ensureBuilt();
      postgres = await PostgresServer.running();
      instances = await Service.several(2, {
        DATABASE_URL: postgres.url,
        TRUST_PROXY: '1',
        RATE_LIMIT_PER_MINUTE: '100000',
        SHUTDOWN_GRACE_SECONDS: '1',
        STREAM_HEARTBEAT_SECONDS: '1',
      });
      token = await instances[0]!.setUp();
      const nginx = await Nginx.before(...instances.map(({ port }) => port));
      closing.push(() => nginx.close());
      client = new HttpClient(nginx.url);
      const body = { key: 'shown', name: 'Shown', environment_key: 'development', is_enabled: true };
      for (let attempts = 0; ; attempts += 1) {
        const made = await client.ask('/flags', { method: 'POST', body, token }).catch(() => undefined);
        if (made?.status === 201) break;
        if (attempts > 100) throw new Error(`no flag was made through nginx: ${JSON.stringify(made)}`);
        await sleep(50);
      }
    }, 300_000);
    afterAll(async () => {
      for (const close of closing.reverse()) await close();
      client.close();
      for (const each of instances) await each.close();
      await postgres.close();
    });

    it('passes each event of a stream on when it happens, and heartbeats between', async () => {
      const stream = await StreamConnection.open(client.url, { token });
      await stream.until(1);
      for (const [index, isOn] of [false, true, false].entries()) {
        const path = '/flags/shown?environment_key=development';
        const { status } = await client.ask(path, { method: 'PUT', body: { is_enabled: isOn }, token });
        expect(status).toBe(200);
        // It has come before anything else is sent: nobody collects.
        await stream.until(index + 2);
      }
      expect(stream.names).toEqual(['ruleset', 'change', 'change', 'change']);
      for (let tries = 0; tries < 200 && stream.heartbeats === 0; tries += 1) await sleep(50);
      expect(stream.heartbeats).toBeGreaterThan(0);
      stream.cut();
    });

    it('says who calls, whatever the caller says', async () => {
      const left = async (forged: string): Promise<number> => {
        const response = await fetch(`${client.url}/evaluate/shown?environment_key=development&user_id=u`, {
          headers: { 'x-forwarded-for': forged },
        });
        return Number(response.headers.get('x-ratelimit-remaining'));
      };
      const first = await left('203.0.113.1');
      const numbers = [await left('203.0.113.2'), await left('203.0.113.3'), await left('203.0.113.4')];
      // Two instances without Redis count each by itself, and one network is counted at whichever answers.
      expect([first, ...numbers].every((number) => number < 100_000)).toBe(true);
      expect(Math.min(...numbers)).toBeLessThan(first);
    });

    it('keeps /metrics to itself', async () => {
      // The service knows both addresses, and nginx others for the same.
      for (const path of [
        '/metrics',
        '/metrics/',
        '/metrics?a',
        '//metrics/',
        '/%6detrics%2F',
        '/a/../metrics/',
      ])
        expect([path, await statusOf(client.url, path)]).toEqual([path, 404]);
      for (const path of ['/metrics', '/metrics/'])
        expect((await instances[0]!.client.ask(path)).status).toBe(200);
    });

    it('loses no request while one instance stops', async () => {
      const statuses = new Map<number | string, number>();
      let isOver = false;
      const callers = Array.from({ length: 4 }, async () => {
        while (!isOver) {
          const { status } = await client
            .ask('/evaluate/shown?environment_key=development&user_id=u')
            .catch((error: unknown) => ({ status: String(error) }));
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
          await sleep(2);
        }
      });
      instances[0]!.process.signal('SIGTERM');
      expect((await instances[0]!.process.exited).code).toBe(0);
      await sleep(300);
      isOver = true;
      await Promise.all(callers);
      expect([...statuses.keys()]).toEqual([200]);
    });
  },
);
