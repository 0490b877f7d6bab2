import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, verdictOf } from '../support/chaos.js';
import { Drill, Durations, outOf, rounds } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const WRITERS = 6;
const LONG = 120_000 + rounds(4, 20) * 30_000;

const closing: (() => Promise<void>)[] = [];
beforeAll(ensureBuilt, 300_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('kill -9 of the service under writes', () => {
  it(
    'R3: loses no acknowledged write on the embedded database',
    async () => {
      await killUnderWrites('kill -9 of the only instance', [await Service.running()], rounds(1, 10));
    },
    LONG,
  );

  it('makes a database anew whose making was broken off', async () => {
    const { random } = new Drill('R3', 'killed while it makes its database');
    const service = await Service.new();
    closing.push(() => service.close());
    for (let round = 0; round < 2; round += 1) {
      service.spawn();
      await sleep(300 + random() * 2_500);
      await service.kill();
    }
    await service.start();
    await service.until('/health/ready', 200);
    const token = await service.setUp();
    const load = new Load(service.client, token);
    await load.prepare(1);
    expect(await verdictOf(service.client, token, load)).toMatchObject({
      lost: [],
      gaps: [],
      chain: { valid: true },
    });
  });
});

describeWithPostgres('kill -9 of one instance of two under writes', () => {
  it(
    'R3: loses no acknowledged write, and the other goes on serving',
    async () => {
      const postgres = await PostgresServer.running();
      closing.push(() => postgres.close());
      const services = await Service.several(2, { DATABASE_URL: postgres.url });
      await killUnderWrites('kill -9 of one instance of two', services, rounds(3, 20));
    },
    LONG,
  );
});

/** Kills the first of them again and again; the others must not be touched by it. */
async function killUnderWrites(title: string, services: Service[], times: number): Promise<void> {
  for (const service of services) closing.push(() => service.close());
  const [victim, ...others] = services;
  if (!victim) throw new Error('nobody to kill');
  const drill = new Drill('R3', title);
  const token = await victim.setUp();
  const load = new Load(
    services.map(({ client }) => client),
    token,
  );
  await load.prepare(WRITERS);
  load.write(WRITERS);
  const elsewhere = new Load(
    others.map(({ client }) => client),
    token,
  );
  if (others.length > 0) elsewhere.evaluate(4);
  const starts = new Durations();
  for (let round = 0; round < times; round += 1) {
    await load.untilAcknowledged();
    await sleep(drill.random() * 600);
    drill.fault('kill -9');
    await victim.kill();
    if (others.length > 0) await load.untilAcknowledged();
    starts.add(await victim.start());
    drill.fault('started');
  }
  await load.untilAcknowledged();
  await load.stop();
  await elsewhere.stop();
  const verdict = await verdictOf(victim.client, token, load);
  drill.report(
    {
      kills: times,
      ...(others.length > 0 && {
        'failed or wrong evaluations elsewhere': outOf(
          elsewhere.failedEvaluations.length,
          elsewhere.evaluations,
        ),
      }),
      ...load.counts,
      'lost writes': outOf(verdict.lost.length, load.acknowledged.length),
      'writes found twice': outOf(verdict.twice.length, load.acknowledged.length),
      'audit entries in an unbroken chain': verdict.entries,
    },
    { 'evaluations elsewhere': elsewhere.durations.evaluations, writes: load.durations.writes, starts },
  );
  expect(verdict).toMatchObject({
    lost: [],
    twice: [],
    gaps: [],
    chain: { valid: true, checked: verdict.entries },
  });
  expect(elsewhere.failedEvaluations).toEqual([]);
  expect(load.badRefusals).toEqual([]);
}
