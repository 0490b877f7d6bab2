import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Load, verdictOf } from '../support/chaos.js';
import { bound, Drill, Durations, outOf, rounds, scaled } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const FROZEN_MS = scaled(4_000, 60_000);
const TIMES = rounds(2, 30);
const ON_OFF_MS = scaled(500, 2_000);
/** No request takes longer, whether a store hangs or comes and goes: the deadline for what it asks of the database, and a little. */
const LONGEST_MS = bound(3_000);

describeWithPostgres('Postgres and Redis that hang', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let service: Service;
  let token: string;

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    redis = await RedisServer.running();
    service = await Service.running({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
    token = await service.setUp();
    await new Load(service.client, token).prepare(8);
  }, 300_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  it(
    'R4: frozen together, they keep no evaluation waiting, no half transaction, and no socket',
    async () => {
      const drill = new Drill('R4', 'Postgres and Redis frozen');
      service.client.close();
      const socketsBefore = service.sockets;
      const load = new Load(service.client, token).write(8).evaluate(4);
      await load.untilAcknowledged();
      await service.client.ask('/auth/me', { token });
      // In the middle of transactions, not between them.
      await sleep(drill.random() * 100);
      freeze();
      const frozenAt = performance.now();
      const [probes, reads] = [new Durations(), new Durations()];
      let degraded: string[] = [];
      let mostSockets = 0;
      while (performance.now() - frozenAt < FROZEN_MS) {
        const ready = await service.client.ask('/health/ready');
        probes.add(ready.durationMs);
        expect(ready.status).toBe(200);
        degraded = ready.body.degraded as string[];
        const read = await service.client.ask('/flags?environment_key=staging', { token });
        reads.add(read.durationMs);
        if (read.status !== 200) expect([read.status, read.headers['retry-after']]).toEqual([503, '2']);
        mostSockets = Math.max(mostSockets, service.sockets);
      }
      const slowestWhileFrozenMs = load.slowestMs;
      thaw();
      const back = new Durations();
      back.add(await load.untilAcknowledged());
      expect(degraded).toEqual(expect.arrayContaining(['database', 'redis']));

      for (let time = 0; time < TIMES; time += 1) {
        freeze();
        await sleep(ON_OFF_MS);
        thaw();
        await sleep(ON_OFF_MS);
      }
      back.add(await load.untilAcknowledged());
      await load.stop();
      const verdict = await verdictOf(service.client, token, load);
      // Idle connections to Postgres are given up after 10 s; the test's own are closed.
      let socketsAfter = Infinity;
      await eventually(() => {
        service.client.close();
        socketsAfter = service.sockets;
        return socketsAfter <= socketsBefore + 2;
      }, 60_000).catch(() => undefined);
      drill.report(
        {
          'frozen for': `${FROZEN_MS / 1000} s, then ${TIMES} times ${ON_OFF_MS / 1000} s on and off`,
          ...load.counts,
          'lost writes': outOf(verdict.lost.length, load.acknowledged.length),
          'longest request while frozen for long (ms)': Math.round(Math.max(slowestWhileFrozenMs, reads.max)),
          'sockets before, at the most, after': [socketsBefore, mostSockets, socketsAfter],
        },
        {
          ...load.durations,
          'reads while frozen': reads,
          'readiness probes while frozen': probes,
          'first write after the thaw': back,
        },
      );
      expect(verdict).toMatchObject({
        lost: [],
        twice: [],
        gaps: [],
        chain: { valid: true, checked: verdict.entries },
      });
      expect(load.failedEvaluations).toEqual([]);
      expect(service.internalErrors()).toEqual([]);
      expect(load.badRefusals).toEqual([]);
      expect(Math.max(slowestWhileFrozenMs, reads.max)).toBeLessThan(LONGEST_MS);
      expect(load.slowestMs).toBeLessThan(LONGEST_MS);
      expect(socketsAfter).toBeLessThanOrEqual(socketsBefore + 2);
      expect(await openTransactions(postgres)).toEqual([]);

      function freeze(): void {
        drill.fault('SIGSTOP');
        postgres.freeze();
        redis.freeze();
      }

      function thaw(): void {
        drill.fault('SIGCONT');
        postgres.thaw();
        redis.thaw();
      }
    },
    300_000 + FROZEN_MS + TIMES * ON_OFF_MS * 4,
  );
});

/** Connections of the service that nobody uses and that yet hold a transaction. */
async function openTransactions(postgres: PostgresServer): Promise<unknown[]> {
  return postgres.query(
    `SELECT state, query FROM pg_stat_activity WHERE application_name LIKE 'vexil-%' AND state LIKE 'idle in transaction%'`,
  );
}
