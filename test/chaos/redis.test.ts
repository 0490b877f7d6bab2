import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, report, rounds } from '../support/chaos.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(120_000);

const ROUNDS = rounds(1);

describeWithRedis('faults of Redis', () => {
  let redis: RedisServer;
  let service: Service;
  let token: string;

  beforeAll(async () => {
    await ensureBuilt();
    redis = await RedisServer.running();
    service = await Service.running({ REDIS_URL: redis.url, CACHE_TTL_SECONDS: '1' });
    token = await service.setUp();
    await new Load(service.client, token).prepare(3);
  }, 180_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
  });

  it(
    'kill -9, frozen, flushed: no request fails, and Redis is used again when it is back',
    async () => {
      const load = new Load(service.client, token).write(1).read(2).evaluate(3);
      const backMs: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await untilRedis('up');
        await redis.kill();
        await untilRedis('down');
        await sleep(500);
        const killed = performance.now();
        await redis.start();
        await untilRedis('up');
        backMs.push(Math.round(performance.now() - killed));

        redis.freeze();
        await untilRedis('down');
        await sleep(500);
        const frozen = performance.now();
        redis.thaw();
        await untilRedis('up');
        backMs.push(Math.round(performance.now() - frozen));

        execFileSync('redis-cli', ['-p', String(redis.port), 'FLUSHALL'], { stdio: 'ignore' });
        await sleep(200);
      }
      const hits = async () => (await service.client.ask('/cache/stats', { token })).body as unknown;
      await load.stop();
      report('Redis killed, frozen, flushed', {
        rounds: ROUNDS,
        evaluations: load.evaluations,
        failedEvaluations: load.failedEvaluations.length,
        reads: load.reads,
        failedReads: load.failedReads.length,
        writes: load.acknowledged.length,
        failedWrites: load.refusals.size,
        slowestMs: Math.round(load.slowestMs),
        redisBackAfterMs: backMs,
      });
      expect(load.failedEvaluations).toEqual([]);
      expect(load.failedReads).toEqual([]);
      expect(load.refusals.size).toBe(0);
      expect(load.slowestMs).toBeLessThan(3_000);
      expect(await hits()).toBeDefined();

      const path = '/flags?environment_key=development';
      await service.client.ask(path, { token });
      expect((await service.client.ask(path, { token })).headers['x-cache']).toBe('HIT');
    },
    120_000 + ROUNDS * 30_000,
  );

  /** By what the readiness probe says, which stays 200 all along. */
  async function untilRedis(state: 'up' | 'down'): Promise<void> {
    for (let attempts = 0; attempts < 400; attempts += 1) {
      const { status, body } = await service.client.ask('/health/ready');
      expect([status, body.ready]).toEqual([200, true]);
      if (body.degraded.includes('redis') === (state === 'down')) return;
      await sleep(25);
    }
    throw new Error(`Redis was never ${state}`);
  }
});
