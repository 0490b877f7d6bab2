import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, verdictOf } from '../support/chaos.js';
import { bound, Drill, Durations, outOf, rounds, scaled } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const ROUNDS = rounds(3, 10);
const AWAY_MS = scaled(700, 5_000);

describeWithPostgres('faults of Postgres', () => {
  let postgres: PostgresServer;
  let services: Service[] = [];
  let token: string;

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    services = await Service.several(2, { DATABASE_URL: postgres.url });
    token = await services[0]!.setUp();
    await new Load(services[0]!.client, token).prepare(8);
  }, 300_000);
  afterAll(async () => {
    for (const service of services) await service.close();
    // It may not have come so far.
    await (postgres as PostgresServer | undefined)?.close();
  });

  it(
    'R1: killed under two instances that write, it loses no acknowledged write and fails no evaluation',
    async () => {
      const drill = new Drill('R1', 'kill -9 of Postgres');
      const load = new Load(
        services.map(({ client }) => client),
        token,
      );
      load.write(8).evaluate(4);
      const back = new Durations();
      for (let round = 0; round < ROUNDS; round += 1) {
        await load.untilAcknowledged();
        await sleep(drill.random() * 500);
        drill.fault('kill -9');
        await postgres.kill();
        await sleep(AWAY_MS);
        await postgres.start();
        drill.fault('started');
        back.add(await load.untilAcknowledged());
      }
      await load.stop();
      const verdict = await verdictOf(services[0]!.client, token, load);
      drill.report(
        {
          kills: ROUNDS,
          instances: services.length,
          ...load.counts,
          'lost writes': outOf(verdict.lost.length, load.acknowledged.length),
          'writes found twice': outOf(verdict.twice.length, load.acknowledged.length),
          'audit entries in an unbroken chain': verdict.entries,
        },
        { ...load.durations, 'first write after it is back': back },
      );
      expect(verdict).toMatchObject({
        lost: [],
        twice: [],
        gaps: [],
        chain: { valid: true, checked: verdict.entries },
      });
      expect(load.failedEvaluations).toEqual([]);
      expect(services.flatMap((service) => service.internalErrors())).toEqual([]);
      expect(load.badRefusals).toEqual([]);
      expect([...load.refusals.keys()]).toEqual([503]);
      expect(load.durations['refused writes'].max).toBeLessThan(bound(3_000));
      expect(back.max).toBeLessThan(bound(3_000));
    },
    300_000 + ROUNDS * 30_000,
  );
});
