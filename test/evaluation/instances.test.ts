import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, eventually, flagPath, PATIENT } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase } from '../support/database.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';

const kinds: [string, typeof describeWithRedis, () => Promise<RedisServer | undefined>][] = [
  ['without Redis', describe, () => Promise.resolve(undefined)],
  ['with Redis', describeWithRedis, () => RedisServer.running()],
];

for (const [place, describeKind, open] of kinds) {
  describeKind(`given two instances on one database ${place}`, () => {
    let redis: RedisServer | undefined;
    let database: DatabaseSource;
    let [one, two]: TestApp[] = [];
    let [here, there]: Api[] = [];
    beforeAll(async () => {
      redis = await open();
      database = await migratedDatabase(testConfig(PATIENT));
      // So seldom that only a notification can be meant.
      const env = { ...PATIENT, REDIS_URL: redis?.url ?? '', REVISION_POLL_SECONDS: '300' };
      one = await startApp(env, { database });
      two = await startApp(env, { database });
      [here, there] = [new Api(one), new Api(two)];
    });
    afterAll(async () => {
      await one?.close();
      await two?.close();
      await database.close();
      await redis?.close();
    });

    it('evaluates on one what was changed on the other, within a second', async () => {
      await here!.newFlag({ key: 'spread' });
      for (let round = 0; round < 10; round += 1) {
        const [writer, reader] = round % 2 === 0 ? [here!, there!] : [there!, here!];
        const { version } = await writer.change('spread', { is_enabled: round % 2 === 0 });
        const took = await eventually(
          async () => (await reader.evaluate('spread'))['flag_version'] === version,
          3_000,
        );
        expect(took).toBeLessThan(1_000);
        expect(await reader.evaluate('spread')).toMatchObject({ enabled: round % 2 === 0 });
      }
      await here!.delete(flagPath('spread'));
      await eventually(
        async () => (await there!.evaluate('spread'))['error_code'] === 'FLAG_NOT_FOUND',
        1_000,
      );
    });

    it('takes up a new environment, and lets go of one that is deleted', async () => {
      await here!.post('/environments', { key: 'brief', name: 'Brief' });
      await here!.newFlag({ key: 'there', environment_key: 'brief', is_enabled: true });
      await eventually(
        async () => (await there!.evaluate('there', 'a', 'brief'))['enabled'] === true,
        10_000,
      );
      await here!.delete('/environments/brief?force=true');
      expect(await here!.evaluate('there', 'a', 'brief')).toMatchObject({
        reason: "Environment 'brief' not found",
      });
      await eventually(
        async () =>
          (await there!.evaluate('there', 'a', 'brief'))['reason'] === "Environment 'brief' not found",
        1_000,
      );
    });

    it('agrees with the database at the end of a storm of changes on both', async () => {
      await here!.newFlag({ key: 'storm' });
      await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          (index % 2 === 0 ? here! : there!).change('storm', { rollout_percentage: index }),
        ),
      );
      const { version } = await here!.flag('storm');
      expect(version).toBe(61);
      for (const api of [here!, there!]) {
        await eventually(async () => (await api.evaluate('storm'))['flag_version'] === version, 10_000);
      }
      expect(await here!.evaluate('storm', 'alice')).toEqual(await there!.evaluate('storm', 'alice'));
    });
  });
}

it('finds out by comparing revisions when a notification is lost', async () => {
  const vexil = await startApp({ REVISION_POLL_SECONDS: '1' });
  try {
    const api = new Api(vexil);
    await api.newFlag({ key: 'quiet' });
    await vexil.query(
      `UPDATE flag_settings SET is_enabled = true, version = 2 WHERE flag_id = (SELECT id FROM flags WHERE key = 'quiet')`,
    );
    await vexil.query(`UPDATE environments SET revision = revision + 1 WHERE key = 'development'`);
    const took = await eventually(async () => (await api.evaluate('quiet'))['enabled'] === true, 4_000);
    expect(took).toBeLessThan(3_000);
    expect(await api.evaluate('quiet')).toMatchObject({ flag_version: 2, revision: 2 });

    // Put back from a backup: the database is right, even where it is behind.
    await vexil.query(`UPDATE flag_settings SET is_enabled = false, version = 1`);
    await vexil.query(`UPDATE environments SET revision = 1 WHERE key = 'development'`);
    await eventually(async () => (await api.evaluate('quiet'))['revision'] === 1, 4_000);
    expect(await api.evaluate('quiet')).toMatchObject({ enabled: false, flag_version: 1 });

    await vexil.query(`DELETE FROM flag_settings`);
    await vexil.query(`DELETE FROM environments WHERE key = 'development'`);
    await eventually(async () => (await api.evaluate('quiet'))['revision'] === null, 4_000);
  } finally {
    await vexil.close();
  }
});
