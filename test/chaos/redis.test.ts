import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load } from '../support/chaos.js';
import { bound, Drill, Durations, outOf, rounds } from '../support/drill.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const ROUNDS = rounds(1, 10);
const KEY_LIMIT = 30;

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
  }, 300_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
  });

  it(
    'R2: killed, frozen and flushed, it fails no request, opens no limit, and is used again when it is back',
    async () => {
      const drill = new Drill('R2', 'Redis killed, frozen, flushed');
      const load = new Load(service.client, token).write(1).read(2).evaluate(3);
      const back = new Durations();
      const passed: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        await untilRedis('up');
        drill.fault('kill -9');
        await redis.kill();
        await untilRedis('down');
        passed.push(await passing());
        drill.fault('started');
        await redis.start();
        back.add(await untilRedis('up'));

        drill.fault('SIGSTOP');
        redis.freeze();
        await untilRedis('down');
        passed.push(await passing());
        drill.fault('SIGCONT');
        redis.thaw();
        back.add(await untilRedis('up'));

        drill.fault('FLUSHALL');
        execFileSync('redis-cli', ['-p', String(redis.port), 'FLUSHALL'], { stdio: 'ignore' });
        await sleep(200);
      }
      await load.stop();
      drill.report(
        {
          'kills, freezes and flushes': [ROUNDS, ROUNDS, ROUNDS],
          ...load.counts,
          'limits that let another number through than theirs': outOf(
            passed.filter((n) => n !== KEY_LIMIT).length,
            passed.length,
          ),
        },
        { ...load.durations, 'used again after it is back': back },
      );
      expect(load.failedEvaluations).toEqual([]);
      expect(load.failedReads).toEqual([]);
      expect(load.refusals.size).toBe(0);
      expect(load.slowestMs).toBeLessThan(bound(3_000));
      expect(passed).toEqual(passed.map(() => KEY_LIMIT));

      const path = '/flags?environment_key=development';
      await service.client.ask(path, { token });
      expect((await service.client.ask(path, { token })).headers['x-cache']).toBe('HIT');
    },
    300_000 + ROUNDS * 60_000,
  );

  it('R2: started without it, the service is ready, says what it lacks, limits, and takes it up when it comes', async () => {
    const drill = new Drill('R2', 'start without Redis');
    await service.kill();
    await redis.kill();
    drill.fault('started without Redis');
    await service.start();
    await service.until('/health/ready', 200);
    await untilRedis('down');
    const load = new Load(service.client, token).write(1).read(1).evaluate(2);
    const passed = await passing();
    drill.fault('Redis started');
    await redis.start();
    const backMs = await untilRedis('up');
    await load.untilAcknowledged();
    await load.stop();
    drill.report(
      {
        ...load.counts,
        'let through by a limit': outOf(passed, KEY_LIMIT),
        'used after (ms)': Math.round(backMs),
      },
      load.durations,
    );
    expect(load.failedEvaluations).toEqual([]);
    expect(load.failedReads).toEqual([]);
    expect(load.refusals.size).toBe(0);
    expect(passed).toBe(KEY_LIMIT);
  });

  /** How many of twice as many as are allowed a new key's limit lets through. */
  async function passing(): Promise<number> {
    const body = {
      name: 'limited',
      kind: 'server',
      environment_key: 'development',
      rate_limit_per_minute: KEY_LIMIT,
    };
    const made = await service.client.ask('/auth/api-keys', { method: 'POST', token, body });
    expect(made.status).toBe(201);
    let passed = 0;
    for (let n = 0; n < 2 * KEY_LIMIT; n += 1) {
      const { status, headers } = await service.client.ask(
        '/evaluate/w0?environment_key=development&user_id=u',
        { token: made.body.secret as string },
      );
      if (status === 200) passed += 1;
      else expect([status, headers['retry-after']]).toEqual([429, expect.stringMatching(/^[1-9]\d?$/)]);
    }
    return passed;
  }

  /** By what the readiness probe says, which stays 200 all along. @returns how long that took, in milliseconds */
  async function untilRedis(state: 'up' | 'down'): Promise<number> {
    const from = performance.now();
    for (let attempts = 0; attempts < 400; attempts += 1) {
      const { status, body } = await service.client.ask('/health/ready');
      expect([status, body.ready]).toEqual([200, true]);
      if (body.degraded.includes('redis') === (state === 'down')) return performance.now() - from;
      await sleep(25);
    }
    throw new Error(`Redis was never ${state}`);
  }
});
