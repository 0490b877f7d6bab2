/**
 * Clients that decide all the time while the service is killed, its databases die and their connections are cut.
 * In its full form twenty kills, cuts every one to ten seconds, and clients as they are when nothing is set.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { build } from 'esbuild';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Drill, IS_FULL, outOf, rounds, scaled } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

const KILLS = rounds(3, 20);
const CUT_MS = scaled(600, 10_000);
/** So that clients come back soon after short cuts, too. */
const PATIENCE = IS_FULL ? {} : { maxBackoffMs: 1_000, staleAfterMs: 500 };
const KEYS = ['w0', 'w1', 'w2'];
const CLIENTS = 3;
const drill = new Drill('sdk', 'the SDK while everything breaks');
const { random } = drill;

const closing: (() => unknown)[] = [];
let folder: string;
beforeAll(ensureBuilt, 120_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Passes bytes on to the service, and cuts all connections now and then. */
async function cutter(port: number) {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((incoming) => {
    const outgoing = connect(port, '127.0.0.1');
    keep(incoming);
    keep(outgoing);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  let cuts = 0;
  const cutting = { isOn: true };
  const ended = (async () => {
    while (cutting.isOn) {
      await sleep(CUT_MS * (0.1 + 0.9 * random()));
      cuts += 1;
      for (const socket of sockets) socket.destroy();
    }
  })();
  closing.push(() => {
    cutting.isOn = false;
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    async stop() {
      cutting.isOn = false;
      await ended;
    },
  };
}

/** The program of chaos-child.mjs. */
class Program {
  private said = '';
  private readonly child: ChildProcess;

  constructor(settings: object) {
    const file = 'test/sdk/chaos-child.mjs';
    this.child = spawn(process.execPath, [file, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.said += chunk.toString()));
    closing.push(() => this.child.kill('SIGKILL'));
  }

  ready(): Promise<number> {
    return eventually(() => this.said.startsWith('ready\n'), 120_000);
  }

  async end() {
    const exited = once(this.child, 'close');
    this.child.stdin!.write('end\n');
    const [code] = (await exited) as [number | null];
    expect(code).toBe(0);
    return JSON.parse(this.said.slice('ready\n'.length)) as {
      counts: { evaluations: number; failed: number; slowestMs: number; stale: number; changes: number };
      states: { revision: number; isStale: boolean }[];
    };
  }
}

describeWithPostgres('with Postgres', () => {
  describeWithRedis('and Redis', () => {
    it(
      'decides through all of it, and comes to where the database is',
      async () => {
        folder = mkdtempSync(join(tmpdir(), 'vexil-sdk-chaos-'));
        closing.push(() => rmSync(folder, { recursive: true, force: true }));
        const bundle = join(folder, 'sdk.mjs');
        await build({
          entryPoints: ['sdk/src/index.ts'],
          bundle: true,
          format: 'esm',
          platform: 'node',
          outfile: bundle,
          logLevel: 'error',
        });

        const postgres = await PostgresServer.running();
        closing.push(() => postgres.close());
        const redis = await RedisServer.running();
        closing.push(() => redis.close());
        const service = await Service.running({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
        closing.push(() => service.close());
        const token = await service.setUp();
        const ask = (method: string, path: string, body?: object) =>
          service.client.ask(path, { method, body, token });
        const made = await ask('POST', '/auth/api-keys', {
          name: 'Chaos',
          kind: 'server',
          environment_key: 'development',
        });
        for (const key of KEYS)
          await ask('POST', '/flags', {
            key,
            name: key,
            flag_type: 'percentage',
            rollout_percentage: 50,
            is_enabled: true,
          });

        const proxy = await cutter(service.port);
        const files = Array.from({ length: CLIENTS }, (_, index) => join(folder, `ruleset-${index}.json`));
        const program = new Program({
          bundle: pathToFileURL(bundle).href,
          keys: KEYS,
          clients: files.map((persistTo) => ({
            baseUrl: proxy.url,
            apiKey: made.body.secret as string,
            environment: 'development',
            ...PATIENCE,
            persistTo,
          })),
        });
        await program.ready();

        let acknowledged = 0;
        const writers = { areOver: false };
        const writing = (async () => {
          for (let count = 1; !writers.areOver; count += 1) {
            const path = `/flags/${KEYS[count % KEYS.length]}?environment_key=development`;
            const percentage = (count % 9_998) / 100 + 0.01;
            const answer = await ask('PUT', path, { rollout_percentage: percentage }).catch(() => undefined);
            if (answer?.status === 200) acknowledged += 1;
            await sleep(answer?.status === 200 ? 5 : 50);
          }
        })();
        const untilWritten = (more: number) => {
          const wanted = acknowledged + more;
          return eventually(() => acknowledged >= wanted, 120_000);
        };
        for (let kill = 1; kill <= KILLS; kill += 1) {
          await untilWritten(10);
          if (kill % 3 === 1) await postgres.kill();
          if (kill % 3 === 2) await redis.kill();
          await sleep(300 * random());
          await service.kill();
          await sleep(500 * random());
          if (kill % 3 === 1) await postgres.start();
          if (kill % 3 === 2) await redis.start();
          await service.start();
        }
        await untilWritten(10);
        writers.areOver = true;
        await writing;
        await proxy.stop();

        await ask('DELETE', '/flags/w0/cache');
        const truth = await ask('GET', '/ruleset?environment_key=development');
        const { revision } = truth.body as { revision: number };
        // What is kept on disk is what is decided by.
        const kept = (): unknown[] =>
          files.map(
            (file) =>
              (JSON.parse(readFileSync(file, 'utf8').split('\n')[1]!) as { ruleset: unknown }).ruleset,
          );
        await eventually(
          () => kept().every((each) => (each as { revision: number }).revision === revision),
          60_000,
        );
        const { counts, states } = await program.end();
        expect(kept()).toEqual(files.map(() => truth.body as unknown));
        expect(states).toEqual(files.map(() => ({ revision, isStale: false })));
        expect(counts.failed).toBe(0);
        expect(counts.evaluations).toBeGreaterThan(1_000);
        drill.report({
          failedEvaluations: outOf(counts.failed, counts.evaluations),
          kills: KILLS,
          cuts: proxy.cuts(),
          acknowledged,
          revision,
          ...counts,
        });
      },
      300_000 + KILLS * 30_000,
    );
  });
});
