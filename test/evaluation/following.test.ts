import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { FlagSnapshotReader } from '../../src/flags/flag-snapshot.reader.js';
import { SnapshotStore } from '../../src/evaluation/snapshot-store.js';
import { SnapshotsService } from '../../src/evaluation/snapshots.service.js';
import { Api, eventually, flagPath, PATIENT } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase } from '../support/database.js';
import { Database } from '../../src/platform/database/database.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';

let database: DatabaseSource;
let [one, two]: TestApp[] = [];
let here: Api;
beforeAll(async () => {
  database = await migratedDatabase(testConfig(PATIENT));
  const env = { ...PATIENT, REVISION_POLL_SECONDS: '300' };
  one = await startApp(env, { database });
  two = await startApp(env, { database });
  here = new Api(one);
});
afterAll(async () => {
  jest.restoreAllMocks();
  await one?.close();
  await two?.close();
  await database.close();
});

const served = (vexil: TestApp, environment = 'development') => {
  const held = vexil.app.get(SnapshotStore, { strict: false }).get(environment)!;
  return { text: held.ruleset.json(), revision: held.revision, stamp: held.stamp };
};

/** Both instances serve what the database has, as somebody gets it who reads all of it. */
async function expectBothRight(environment = 'development'): Promise<void> {
  const mine = served(one!, environment);
  await eventually(() => Promise.resolve(served(two!, environment).revision === mine.revision), 5_000);
  const theirs = served(two!, environment);
  await one!.app.get(SnapshotsService, { strict: false }).reload();
  expect([mine, theirs]).toEqual([served(one!, environment), served(one!, environment)]);
}

/** What was read as a whole while something was done. */
async function wholeReads(work: () => Promise<unknown>): Promise<number> {
  const readers = [one!, two!].map((vexil) =>
    jest.spyOn(vexil.app.get(FlagSnapshotReader, { strict: false }), 'read'),
  );
  await work();
  await eventually(() => Promise.resolve(served(two!).revision === served(one!).revision), 5_000);
  const count = readers.reduce((sum, reader) => sum + reader.mock.calls.length, 0);
  for (const reader of readers) reader.mockRestore();
  return count;
}

it('reads what is different, and no more, when flags are made and changed', async () => {
  await here.newFlag({ key: 'm' });
  await expectBothRight();
  expect(await wholeReads(() => here.newFlag({ key: 'b' }))).toBe(0);
  expect(await wholeReads(() => here.newFlag({ key: 'z', is_enabled: true }))).toBe(0);
  expect(await wholeReads(() => here.change('m', { is_enabled: true }))).toBe(0);
  expect(await wholeReads(() => here.change('m', { client_visible: true }))).toBe(0);
  await expectBothRight();
  expect(await here.evaluate('m')).toMatchObject({ enabled: true });
});

it('reads all of it when a flag goes, or a segment or a prerequisite changes', async () => {
  expect(await wholeReads(() => here.delete(flagPath('b')))).toBeGreaterThan(0);
  await expectBothRight();
  const segment = { key: 's', name: 'S', environment_key: 'development', included: ['alice'] };
  expect(await wholeReads(() => here.post('/segments', segment))).toBeGreaterThan(0);
  await expectBothRight();
  const prerequisites = [{ flag_key: 'z', variants: ['on'] }];
  expect(await wholeReads(() => here.change('m', { prerequisites }))).toBeGreaterThan(0);
  expect(await here.evaluate('m')).toMatchObject({ enabled: true });
  expect(await wholeReads(() => here.change('z', { is_enabled: false }))).toBeGreaterThan(0);
  expect(await here.evaluate('m')).toMatchObject({ enabled: false });
  await expectBothRight();
});

it('ends with what the database has when many change at once, through both', async () => {
  const apis = [here, new Api(two!)];
  for (let flag = 0; flag < 6; flag += 1) await here.newFlag({ key: `busy-${flag}` });
  await Promise.all(
    apis.flatMap((api, side) =>
      Array.from({ length: 3 }, async (_, at) => {
        for (let round = 0; round < 8; round += 1)
          await api.change(`busy-${side * 3 + at}`, { is_enabled: round % 2 === 0 });
      }),
    ),
  );
  const revisions = () => [one!, two!].map((vexil) => served(vexil).revision);
  await eventually(() => Promise.resolve(revisions()[0] === revisions()[1]), 5_000);
  await expectBothRight();
});

it('reads all of it where the state before is not the one it holds: another history may have the same numbers', async () => {
  const { revision } = served(one!);
  // As after a restore: the same revision was reached another way.
  await one!.app.get(Database, { strict: false }).manager.query(
    `UPDATE flag_settings s SET is_enabled = true FROM environments e, flags f
     WHERE e.id = s.environment_id AND f.id = s.flag_id AND e.key = 'development' AND f.key = 'busy-1'`,
  );
  await one!.app
    .get(Database, { strict: false })
    .manager.query(`UPDATE environments SET stamp = gen_random_uuid() WHERE key = 'development'`);
  expect(await wholeReads(() => here.change('busy-0', { is_enabled: true }))).toBeGreaterThan(0);
  expect(served(one!).revision).toBe(revision + 1);
  await expectBothRight();
});
