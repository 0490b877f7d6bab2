import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';
import { Api, eventually, PATIENT } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase } from '../support/database.js';
import { randomFrom, SEED } from '../support/drill.js';
import { Follower, StreamConnection } from '../support/stream-client.js';

let database: DatabaseSource;
let [one, two]: TestApp[] = [];
beforeAll(async () => {
  database = await migratedDatabase(testConfig(PATIENT));
  // So seldom compared that only a notification, or a client that knows more, can be meant.
  const JWT_SECRET_KEY = randomBytes(32).toString('hex');
  const env = { ...PATIENT, JWT_SECRET_KEY, REVISION_POLL_SECONDS: '300' };
  one = await startApp(env, { database });
  two = await startApp(env, { database });
});
afterAll(async () => {
  await one?.close();
  await two?.close();
  await database.close();
});

it('carries a change that was written to one instance to a stream at the other', async () => {
  const { token } = await one!.as('viewer');
  const there = await StreamConnection.open(two!.url, { token });
  await there.until(1);
  await new Api(one!).newFlag({ key: 'spread' });
  const [, change] = await there.until(2);
  expect(change).toMatchObject({ name: 'change', data: { flags: { put: [{ key: 'spread' }] } } });
  there.cut();
});

it('gives a state the same id on both, so that a client may go from one to the other', async () => {
  const { token } = await one!.as('viewer');
  const here = await StreamConnection.open(one!.url, { token });
  const { id, data } = await here.first();
  const revision = data.revision as number;
  here.cut();
  await eventually(async () => {
    const { headers } = await new Api(two!).get('/ruleset?environment_key=development');
    return headers['etag'] === `"${id!}"`;
  });
  const there = await StreamConnection.open(two!.url, { token, lastEventId: id });
  await new Api(one!).newFlag({ key: 'moved' });
  expect(await there.first()).toMatchObject({
    name: 'change',
    data: { prev_revision: revision, revision: revision + 1 },
  });
  there.cut();
});

it('never takes a client back that goes from one to the other while both are written to', async () => {
  const random = randomFrom(SEED);
  const { token } = await one!.as('viewer');
  const urls = [one!.url, two!.url];
  const followers = Array.from(
    { length: 4 },
    () =>
      new Follower(
        () => urls[Math.floor(random() * 2)]!,
        () => token,
        'staging',
      ),
  );
  const writers = [new Api(one!), new Api(two!)];
  for (const [index, api] of writers.entries())
    await api.newFlag({ key: `w${index}`, environment_key: 'staging', flag_type: 'percentage' });
  for (let round = 1; round <= 40; round += 1) {
    await Promise.all(
      writers.map((api, index) => api.change(`w${index}`, { rollout_percentage: round }, 'staging')),
    );
    if (random() < 0.5) followers[Math.floor(random() * followers.length)]?.cut();
    await sleep(random() * 10);
  }
  const path = '/ruleset?environment_key=staging';
  const { body } = await writers[0]!.get(path);
  for (const follower of followers) {
    await eventually(() => follower.ruleset?.revision === body.revision, 20_000);
    await follower.stop();
    expect(follower.ruleset).toEqual(body);
    expect(follower.flaws).toEqual([]);
  }
}, 120_000);
