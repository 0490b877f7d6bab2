import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load } from '../support/chaos.js';
import { bound, Drill, Durations, outOf, scaled } from '../support/drill.js';
import { FailoverProxy } from '../support/failover-proxy.js';
import { HttpClient } from '../support/http-client.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { ADMIN, Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const STOPS = scaled(1, 20);

const closing: (() => unknown)[] = [];
beforeAll(ensureBuilt, 300_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function running(env: Record<string, string> = {}): Promise<Service> {
  const service = await Service.running(env);
  closing.push(() => service.close());
  return service;
}

describe('SIGTERM', () => {
  it('R19: under load from keep-alive clients: not ready first, no request fails, exit code 0', async () => {
    const service = await running({ SHUTDOWN_GRACE_SECONDS: '1' });
    const token = await service.setUp();
    await new Load(service.client, token).prepare(1);
    const drill = new Drill('R19', 'SIGTERM under load');
    const failed: string[] = [];
    const last: (string | undefined)[] = [];
    let [answered, neverTaken] = [0, 0];
    let isTold = false;
    const clients = Array.from({ length: 6 }, async () => {
      const client = new HttpClient(service.client.url);
      for (;;) {
        try {
          const { status, headers } = await client.ask('/evaluate/w0?environment_key=staging&user_id=u');
          answered += 1;
          if (status !== 200) failed.push(String(status));
          if (isTold) last.push(headers.connection);
        } catch (error) {
          // Nobody listens any more, or did no more when it was this connection's turn: a proxy goes elsewhere.
          if (isNeverTaken(error)) neverTaken += 1;
          else failed.push(String(error));
          break;
        }
        await sleep(3);
      }
      client.close();
    });
    await sleep(300);
    drill.fault('SIGTERM');
    service.process.signal('SIGTERM');
    await sleep(150);
    isTold = true;
    const ready = await service.client.ask('/health/ready');
    expect([ready.status, ready.body.ready]).toEqual([503, false]);
    expect((await service.client.ask('/health/live')).status).toBe(200);
    const { code, durationMs } = await service.process.exited;
    await Promise.all(clients);
    drill.report({
      'failed requests': outOf(failed.length, answered),
      'never taken': neverTaken,
      'exit code': code ?? 'none',
    });
    expect(failed).toEqual([]);
    expect(code).toBe(0);
    expect(new Set(last.slice(10))).toEqual(new Set(['close']));
    expect(durationMs).toBeLessThan(bound(30_000));
  });

  it('R19: answers what is under way, twice told or not, and ends soon although clients keep connections open', async () => {
    const service = await running();
    const idle = connect(service.port, '127.0.0.1');
    idle.on('error', () => undefined);
    await once(idle, 'connect');
    idle.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(idle, 'data');
    // Hashing a password takes a while, so these are under way for certain.
    const logins = Array.from({ length: 6 }, (_, index) =>
      service.client.ask('/auth/register', {
        method: 'POST',
        body: { ...ADMIN, email: `person-${index}@example.com` },
      }),
    );
    await sleep(30);
    const told = performance.now();
    service.process.signal('SIGTERM');
    service.process.signal('SIGTERM');
    service.process.signal('SIGINT');
    const statuses = (await Promise.all(logins)).map(({ status }) => status);
    const { code } = await service.process.exited;
    new Drill('R19', 'SIGTERM, again, and SIGINT').report({
      'requests under way without their answer': outOf(
        statuses.filter((status) => status !== 201).length,
        logins.length,
      ),
      'ended after (ms)': Math.round(performance.now() - told),
    });
    expect(statuses).toEqual(statuses.map(() => 201));
    expect(code).toBe(0);
    expect(performance.now() - told).toBeLessThan(bound(8_000));
  });

  it('R19: during the start: ends at once with code 0, and the next start is fine', async () => {
    const service = await Service.new();
    closing.push(() => service.close());
    // While it loads, while it makes its database, and a little later.
    for (const delayMs of [400, 1_200, 2_400]) {
      const process = service.spawn();
      await sleep(delayMs);
      const told = performance.now();
      process.signal('SIGTERM');
      const { code, stderr } = await process.exited;
      expect([delayMs, code, stderr]).toEqual([delayMs, 0, '']);
      expect(performance.now() - told).toBeLessThan(bound(4_000));
    }
    await service.start();
    await service.until('/health/ready', 200);
  });
});

/** A reset on a new connection, before anything came back. */
function isNeverTaken(error: unknown): boolean {
  const { code, isReused } = error as { code?: string; isReused?: boolean };
  return code === 'ECONNREFUSED' || (code === 'ECONNRESET' && isReused === false);
}

describeWithPostgres('SIGTERM on Postgres', () => {
  it(
    'R19: behind a proxy with a second instance: no request fails',
    async () => {
      const drill = new Drill('R19', 'SIGTERM behind a proxy');
      const postgres = await PostgresServer.running();
      closing.push(() => postgres.close());
      const env = { DATABASE_URL: postgres.url, SHUTDOWN_GRACE_SECONDS: '1' };
      const instances = await Service.several(2, env);
      for (const instance of instances) closing.push(() => instance.close());
      const proxy = await FailoverProxy.to(...instances.map(({ client }) => client.url));
      closing.push(() => proxy.close());
      const client = new HttpClient(proxy.url);
      const durations = new Durations();
      let [answered, isOver] = [0, false];
      const failed: unknown[] = [];
      const codes: unknown[] = [];
      const clients = Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const outcome = await client.ask('/evaluate/any?environment_key=staging&user_id=u').then(
            ({ status, body, durationMs }) => {
              durations.add(durationMs);
              return status === 200 ? undefined : [status, body];
            },
            (error: unknown) => String(error),
          );
          answered += 1;
          if (outcome !== undefined) failed.push(outcome);
          await sleep(3);
        }
      });
      for (let stop = 0; stop < STOPS; stop += 1) {
        const instance = instances[stop % 2]!;
        await sleep(300);
        drill.fault('SIGTERM');
        instance.process.signal('SIGTERM');
        codes.push((await instance.process.exited).code);
        await sleep(200);
        if (stop === STOPS - 1) break;
        await instance.start();
        await instance.until('/health/ready', 200);
        drill.fault('started');
        // The proxy asks who is ready several times a second.
        await sleep(500);
      }
      isOver = true;
      await Promise.all(clients);
      client.close();
      drill.report(
        { 'failed requests': outOf(failed.length, answered), stops: STOPS },
        { evaluations: durations },
      );
      expect(failed).toEqual([]);
      expect(codes).toEqual(codes.map(() => 0));
    },
    300_000 + STOPS * 30_000,
  );

  it('R19: while Postgres is frozen, ends with code 0', async () => {
    const postgres = await PostgresServer.running();
    closing.push(() => postgres.close());
    const service = await running({ DATABASE_URL: postgres.url });
    await service.until('/health/ready', 200);
    postgres.freeze();
    service.process.signal('SIGTERM');
    const told = performance.now();
    const { code } = await service.process.exited;
    expect(code).toBe(0);
    expect(performance.now() - told).toBeLessThan(bound(6_000));
  });
});
