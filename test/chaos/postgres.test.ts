import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, randomFrom, report, rounds, SEED, verdictOf } from '../support/chaos.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(120_000);

const ROUNDS = rounds(3);
const AWAY_MS = 700;
const FROZEN_MS = 4_000;

describeWithPostgres('faults of Postgres', () => {
  let postgres: PostgresServer;
  let service: Service;
  let token: string;
  let load: Load;

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    service = await Service.running({ DATABASE_URL: postgres.url });
    token = await service.setUp();
    await new Load(service.client, token).prepare(8);
  }, 180_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  it(
    'kill -9: evaluates on, loses no acknowledged write, and writes again when it is back',
    async () => {
      const random = randomFrom(SEED);
      load = new Load(service.client, token).write(8).evaluate(4);
      const backMs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await load.untilAcknowledged();
        await sleep(random() * 500);
        await postgres.kill();
        await sleep(AWAY_MS);
        await postgres.start();
        backMs.push(Math.round(await load.untilAcknowledged()));
      }
      await load.stop();
      const verdict = await verdictOf(service.client, token, load);
      report('kill -9 of Postgres', {
        rounds: ROUNDS,
        ...figuresOf(load, verdict.lost),
        writesBackAfterMs: backMs,
      });
      expect(verdict).toMatchObject({
        lost: [],
        twice: [],
        gaps: [],
        chain: { valid: true, checked: verdict.entries },
      });
      expect(load.failedEvaluations).toEqual([]);
      expect(service.internalErrors()).toEqual([]);
      expect(load.badRefusals).toEqual([]);
      expect([...load.refusals.keys()]).toEqual([503]);
      expect(Math.max(...backMs)).toBeLessThan(3_000);
    },
    120_000 + ROUNDS * 30_000,
  );

  it('frozen: evaluates on, answers within 3 s, keeps no half transaction, and goes on when it thaws', async () => {
    load = new Load(service.client, token).write(8).evaluate(4);
    const cached = '/flags?environment_key=staging';
    await load.untilAcknowledged();
    await service.client.ask('/auth/me', { token });
    // In the middle of transactions, not between them.
    await sleep(randomFrom(SEED)() * 100);
    postgres.freeze();
    const frozenAt = performance.now();
    const health = [];
    const reads = [];
    while (performance.now() - frozenAt < FROZEN_MS) {
      health.push(await service.client.ask('/health/ready'));
      reads.push(await service.client.ask(cached, { token }));
    }
    const slowestMs = load.slowestMs;
    postgres.thaw();
    const backMs = await load.untilAcknowledged();
    await sleep(500);
    await load.stop();
    const verdict = await verdictOf(service.client, token, load);
    const readsMs = Math.max(...reads.map(({ durationMs }) => durationMs));
    const healthMs = Math.max(...health.map(({ durationMs }) => durationMs));
    report('Postgres frozen', {
      frozenMs: FROZEN_MS,
      ...figuresOf(load, verdict.lost),
      writesBackAfterMs: Math.round(backMs),
      slowestReadMs: Math.round(readsMs),
      slowestHealthMs: Math.round(healthMs),
      slowestRequestMs: Math.round(slowestMs),
    });
    expect(verdict).toMatchObject({
      lost: [],
      twice: [],
      gaps: [],
      chain: { valid: true, checked: verdict.entries },
    });
    expect(load.failedEvaluations).toEqual([]);
    expect(service.internalErrors()).toEqual([]);
    expect(load.badRefusals).toEqual([]);
    for (const { status, headers } of reads)
      if (status !== 200) expect([status, headers['retry-after']]).toEqual([503, '2']);
    for (const { status } of health) expect(status).toBe(200);
    expect(health.at(-1)?.body.degraded).toContain('database');
    expect(healthMs).toBeLessThan(1_000);
    expect(Math.max(readsMs, slowestMs)).toBeLessThan(3_200);
    expect(backMs).toBeLessThan(3_000);
    expect(await openTransactions(postgres)).toEqual([]);
  });
});

const figuresOf = (load: Load, lost: readonly string[]) => ({
  evaluations: load.evaluations,
  failedEvaluations: load.failedEvaluations.length,
  acknowledged: load.acknowledged.length,
  lost: lost.length,
  refusals: Object.fromEntries(load.refusals),
});

/** Connections of the service that nobody uses and that yet hold a transaction. */
async function openTransactions(postgres: PostgresServer): Promise<unknown[]> {
  return postgres.query(
    `SELECT state, query FROM pg_stat_activity WHERE application_name LIKE 'vexil-%' AND state LIKE 'idle in transaction%'`,
  );
}
