import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Load } from '../support/chaos.js';
import { bound, Drill, Durations, scaled } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

/** The full form is long enough for a snapshot to be called stale. */
const APART_MS = scaled(2_500, 33_000);
const HEALED_MS = bound(5_000);
const FLAG = '/flags/w0?environment_key=staging';
const question = '/evaluate/w0?environment_key=staging&user_id=alice';

describeWithPostgres('instances on one Postgres and one Redis', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let [toPostgres, toRedis]: TcpProxy[] = [];
  let services: Service[] = [];
  let apart: Service;
  let token: string;
  let percentage = 1;
  const loads: Load[] = [];

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    redis = await RedisServer.running();
    [toPostgres, toRedis] = [await TcpProxy.to(postgres.port), await TcpProxy.to(redis.port)];
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, REVISION_POLL_SECONDS: '2' };
    services = await Service.several(2, env);
    const { JWT_SECRET_KEY = '' } = services[0]!.environment;
    apart = await Service.running({
      ...env,
      JWT_SECRET_KEY,
      DATABASE_URL: toPostgres.through(postgres.url),
      REDIS_URL: toRedis.through(redis.url),
    });
    services.push(apart);
    token = await services[0]!.setUp();
    await new Load(services[0]!.client, token).prepare(1);
  }, 300_000);
  afterEach(async () => {
    for (const load of loads.splice(0)) await load.stop();
  });
  afterAll(async () => {
    for (const service of services) await service.close();
    toPostgres?.close();
    toRedis?.close();
    // It may not have come so far.
    await (redis as RedisServer | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  it('R7: carry each change to all, with Redis up, frozen and dead', async () => {
    const drill = new Drill('R7', 'changes while Redis is up, frozen, dead');
    const seen = { up: new Durations(), frozen: new Durations(), dead: new Durations() };
    for (const [state, durations] of Object.entries(seen)) {
      if (state === 'frozen') redis.freeze();
      if (state === 'dead') await redis.kill();
      drill.fault(`Redis ${state}`);
      for (let count = 0; count < scaled(10, 200); count += 1)
        durations.add(await converge(await change(services[count % 2]!)));
    }
    await redis.start();
    drill.report({ instances: services.length }, seen);
  });

  const partitions = [
    ['cut', 'resumed'],
    ['black hole', 'forgotten'],
    ['no answers', 'resumed'],
    ['no questions', 'resumed'],
    ['black hole', 'resumed'],
    ['black hole', 'reset'],
  ] as const;
  it.each(partitions.slice(0, scaled(3, partitions.length)))(
    'R7: one that is cut off (%s, then %s) answers, tells how old it is, and comes back',
    async (weather, aftermath) => {
      const drill = new Drill('R7', `partition: ${weather}, then ${aftermath}`);
      await converge(await change(services[0]!));
      const before = (await apart.client.ask(question)).body as unknown;
      const load = new Load(apart.client, token).evaluate(2);
      loads.push(load);
      drill.fault(weather);
      toPostgres!.break(weather);
      toRedis!.break(weather);
      const since = performance.now();
      // What the others say meanwhile does not reach it.
      await sleep(200);
      const version = await change(services[0]!);
      while (performance.now() - since < APART_MS) {
        await sleep(APART_MS / 5);
        expect((await apart.client.ask(question)).body).toEqual(before);
      }
      const secondsApart = Math.floor((performance.now() - since) / 1000);
      const ready = (await apart.client.ask('/health/ready')).body;
      const [{ age_seconds: age, stale }] = ready.environments.filter(
        ({ key }: { key: string }) => key === 'staging',
      );
      const metrics = (await apart.client.ask('/metrics')).body as string;
      const metric = Number(/^vexil_snapshot_age_seconds\{environment="staging"\} (\S+)/m.exec(metrics)?.[1]);
      expect(ready.degraded).toEqual(expect.arrayContaining(['database', 'redis']));
      expect(Math.min(age as number, metric)).toBeGreaterThanOrEqual(secondsApart - 1);
      expect(stale).toBe(age > 30);
      expect(ready.degraded.includes('snapshots')).toBe(age > 30);

      drill.fault(`healed: ${aftermath}`);
      toPostgres!.heal(aftermath);
      toRedis!.heal(aftermath);
      const convergedMs = await converge(version);
      const healthyMs = await eventually(
        async () => (await apart.client.ask('/health/ready')).body.status === 'healthy',
        60_000,
      );
      const hintMs = await converge(await change(services[0]!));
      await load.stop();
      drill.report(
        {
          ...load.counts,
          'age told by /health/ready and /metrics (s)': [age as number, Math.round(metric)],
          'converged after it healed (ms)': Math.round(convergedMs),
          'said to be well after that (ms)': healthyMs,
          'next change seen after (ms)': Math.round(hintMs),
        },
        { evaluations: load.durations.evaluations },
      );
      expect(load.failedEvaluations).toEqual([]);
      expect(convergedMs).toBeLessThan(HEALED_MS);
    },
    300_000,
  );

  it('R7: one that was started while it was cut off takes the others up when it can', async () => {
    const drill = new Drill('R7', 'started while cut off');
    drill.fault('black hole');
    toPostgres!.break('black hole');
    toRedis!.break('black hole');
    await apart.kill();
    await apart.start();
    const version = await change(services[0]!);
    // Until its attempts are as far apart as they become.
    await sleep(scaled(5_000, 20_000));
    drill.fault('healed');
    toPostgres!.heal('reset');
    toRedis!.heal('reset');
    const convergedMs = await converge(version);
    drill.report({ 'converged after it healed (ms)': Math.round(convergedMs) });
    expect(convergedMs).toBeLessThan(HEALED_MS);
  });

  /** @returns the version that was acknowledged */
  async function change(writer: Service): Promise<number> {
    percentage = (percentage % 99) + 1;
    const body = { rollout_percentage: percentage };
    const answer = await writer.client.ask(FLAG, { method: 'PUT', token, body });
    expect(answer.status).toBe(200);
    return answer.body.version as number;
  }

  /** Waits until every instance answers with this version. @returns how long the last of them took, in milliseconds */
  async function converge(version: number): Promise<number> {
    const from = performance.now();
    for (const { client } of services)
      while (!((await client.ask(question)).body.flag_version >= version)) {
        if (performance.now() - from > 60_000) throw new Error(`version ${version} does not arrive`);
        await sleep(2);
      }
    return performance.now() - from;
  }
});
