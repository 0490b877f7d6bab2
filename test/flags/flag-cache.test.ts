import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, eventually, flagPath } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase } from '../support/database.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';

const kinds: [string, typeof describeWithRedis, () => Promise<RedisServer | undefined>][] = [
  ['in memory', describe, () => Promise.resolve(undefined)],
  ['in Redis', describeWithRedis, () => RedisServer.running()],
];

for (const [place, describeKind, open] of kinds) {
  describeKind(`given two instances and a cache ${place}`, () => {
    let redis: RedisServer | undefined;
    let database: DatabaseSource;
    let [one, two]: TestApp[] = [];
    let [here, there]: Api[] = [];
    beforeAll(async () => {
      redis = await open();
      const env = { REDIS_URL: redis?.url ?? '' };
      database = await migratedDatabase(testConfig());
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

    const look = async (api: Api, path: string) => {
      const { status, headers, body } = await api.get(path);
      return { status, cache: headers['x-cache'], total: headers['x-total-count'], body };
    };

    it('misses once and hits then, with the same answer and total', async () => {
      await here!.newFlag({ key: 'hit', environment_key: 'staging' });
      for (const path of ['/flags?environment_key=staging', flagPath('hit', 'staging')]) {
        const [first, second] = [await look(here!, path), await look(here!, path)];
        expect([first.cache, second.cache]).toEqual(['MISS', 'HIT']);
        expect({ ...second, cache: '' }).toEqual({ ...first, cache: '' });
      }
      expect((await look(here!.as('viewer'), '/flags?environment_key=staging')).total).toBe('1');
    });

    it('keeps no failure', async () => {
      for (const path of [flagPath('unmade', 'staging'), '/flags?environment_key=unmade']) {
        for (let round = 0; round < 2; round += 1)
          expect(await look(here!, path)).toMatchObject({ status: 404, cache: 'MISS' });
      }
    });

    it('never hits what changed, here or on the other instance', async () => {
      await here!.newFlag({ key: 'fresh' });
      for (let round = 0; round < 10; round += 1) {
        const [writer, reader] = round % 2 === 0 ? [here!, there!] : [there!, here!];
        await look(reader, flagPath('fresh'));
        await look(reader, '/flags');
        const { version } = await writer.change('fresh', { description: `round ${round}` });
        const flag = await look(reader, flagPath('fresh'));
        expect([flag.cache, flag.body.version]).toEqual(['MISS', version]);
        const list = await look(reader, '/flags?q=fresh');
        expect(list.body[0].version).toBe(version);
      }
      await there!.delete(flagPath('fresh'));
      expect((await look(here!, flagPath('fresh'))).status).toBe(404);
      expect((await look(here!, '/flags?q=fresh')).total).toBe('0');
    });

    it('supersedes only what a change touches', async () => {
      await here!.newFlag({ key: 'apart' });
      await look(here!, '/flags?environment_key=production');
      await here!.change('apart', { is_enabled: true });
      expect((await look(here!, '/flags?environment_key=production')).cache).toBe('HIT');
      expect((await look(here!, '/flags?environment_key=development')).cache).toBe('MISS');
    });

    it('does not take an environment for one of the same key that was deleted', async () => {
      await here!.post('/environments', { key: 'twin', name: 'Twin' });
      await here!.newFlag({ key: 'twin-flag', environment_key: 'twin', description: 'first' });
      expect((await look(here!, '/flags?environment_key=twin')).total).toBe('1');
      await here!.delete('/environments/twin?force=true');
      expect((await look(here!, '/flags?environment_key=twin')).status).toBe(404);
      await here!.post('/environments', { key: 'twin', name: 'Twin' });
      await here!.put('/environments/twin', { description: 'again' });
      expect((await look(here!, '/flags?environment_key=twin')).total).toBe('0');
    });

    it('forgets on request, and tells how it does', async () => {
      await look(here!, '/flags?limit=7');
      expect((await look(here!, '/flags?limit=7')).cache).toBe('HIT');
      for (const key of ['hit', 'unknown']) {
        const dropped = await here!.as('developer').delete(`/flags/${key}/cache`);
        expect([dropped.status, dropped.body]).toEqual([200, { status: 'cache_invalidated', flag_key: key }]);
      }
      expect((await look(here!, '/flags?limit=7')).cache).toBe('MISS');
      expect((await here!.as('viewer').delete('/flags/hit/cache')).status).toBe(403);

      const before = (await here!.as('viewer').get('/cache/stats')).body;
      await look(here!, '/flags?limit=7');
      const { status, body } = await here!.as('viewer').get('/cache/stats');
      expect([status, body.hits - before.hits, body.misses - before.misses]).toEqual([200, 1, 0]);
      expect(body).toMatchObject({
        backend: redis ? 'redis' : 'memory',
        state: 'up',
        errors: 0,
        keys: expect.any(Number),
        hit_rate: expect.any(Number),
      });
      expect(
        body.snapshots.map((snapshot: { environment_key: string }) => snapshot.environment_key).sort(),
      ).toEqual(expect.arrayContaining(['development', 'production', 'staging']));
    });

    it('answers on while Redis is gone, and hits again when it is back', async () => {
      if (!redis) return;
      await redis.kill();
      for (let round = 0; round < 5; round += 1) {
        expect(await look(here!, '/flags')).toMatchObject({ status: 200, cache: 'MISS' });
        await here!.change('hit', { description: `without ${round}` }, 'staging');
      }
      await redis.start();
      await eventually(async () => {
        await look(here!, '/flags');
        return (await look(here!, '/flags')).cache === 'HIT';
      }, 15_000);
    });
  });
}

it('keeps nothing when CACHE_TTL_SECONDS is 0', async () => {
  const vexil = await startApp({ CACHE_TTL_SECONDS: '0' });
  try {
    const api = new Api(vexil);
    for (let round = 0; round < 3; round += 1)
      expect((await api.get('/flags')).headers['x-cache']).toBe('MISS');
  } finally {
    await vexil.close();
  }
});

it('forgets after CACHE_TTL_SECONDS', async () => {
  const vexil = await startApp({ CACHE_TTL_SECONDS: '1', REDIS_URL: '' });
  try {
    const api = new Api(vexil);
    const ask = async () => (await api.get('/flags')).headers['x-cache'];
    expect([await ask(), await ask()]).toEqual(['MISS', 'HIT']);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await ask()).toBe('MISS');
  } finally {
    await vexil.close();
  }
});
