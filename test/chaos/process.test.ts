import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, randomFrom, report, rounds, SEED, verdictOf } from '../support/chaos.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(120_000);

const ROUNDS = rounds(5);
const WRITERS = 6;

const closing: (() => Promise<void>)[] = [];
beforeAll(ensureBuilt, 120_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe('kill -9 of the service under writes', () => {
  it(
    'loses no acknowledged write on the embedded database',
    async () => {
      await killUnderWrites('embedded', await Service.running());
    },
    120_000 + ROUNDS * 30_000,
  );

  it('makes a database anew whose making was broken off', async () => {
    const random = randomFrom(SEED);
    const service = await Service.prepared();
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

describeWithPostgres('kill -9 of the service under writes on Postgres', () => {
  it(
    'loses no acknowledged write',
    async () => {
      const postgres = await PostgresServer.running();
      closing.push(() => postgres.close());
      await killUnderWrites('postgres', await Service.running({ DATABASE_URL: postgres.url }));
    },
    120_000 + ROUNDS * 30_000,
  );
});

async function killUnderWrites(name: string, service: Service): Promise<void> {
  closing.push(() => service.close());
  const random = randomFrom(SEED);
  const token = await service.setUp();
  const load = new Load(service.client, token);
  await load.prepare(WRITERS);
  load.write(WRITERS);
  const faults: number[] = [];
  const startsMs: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await load.untilAcknowledged();
    const wait = Math.round(random() * 600);
    faults.push(wait);
    await sleep(wait);
    await service.kill();
    startsMs.push(Math.round(await service.start()));
  }
  await load.untilAcknowledged();
  await load.stop();
  const verdict = await verdictOf(service.client, token, load);
  report(`kill -9 of the service, ${name}`, {
    rounds: ROUNDS,
    killedAfterMs: faults,
    startsMs,
    acknowledged: load.acknowledged.length,
    lost: verdict.lost.length,
    refusals: Object.fromEntries(load.refusals),
  });
  expect(verdict).toMatchObject({
    lost: [],
    twice: [],
    gaps: [],
    chain: { valid: true, checked: verdict.entries },
  });
  expect(load.badRefusals).toEqual([]);
}
