import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { Load, report } from '../support/chaos.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(120_000);

const ENVIRONMENTS = ['development', 'staging', 'production'];
const question = '/evaluate/w0?environment_key=staging&user_id=alice';

describeWithPostgres('Postgres and Redis both away', () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let service: Service;
  let token: string;
  let known: unknown;

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    redis = await RedisServer.running();
    service = await Service.running({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
    token = await service.setUp();
    await new Load(service.client, token).prepare(2);
    // The files are written a moment after a change. This makes two generations that know the flags.
    await sleep(600);
    await changeEverywhere(6);
    await sleep(600);
    known = (await service.client.ask(question)).body;
  }, 180_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  it('frozen, then killed, under load: no evaluation fails or waits', async () => {
    const load = new Load(service.client, token).evaluate(4);
    await sleep(300);
    postgres.freeze();
    redis.freeze();
    await sleep(1_500);
    await postgres.kill();
    await redis.kill();
    await sleep(500);
    await load.stop();
    report('both stores frozen, then killed', {
      evaluations: load.evaluations,
      failedEvaluations: load.failedEvaluations.length,
      slowestMs: Math.round(load.slowestMs),
    });
    expect(load.failedEvaluations).toEqual([]);
    expect(load.slowestMs).toBeLessThan(1_000);
  });

  it('started with both down, answers as before from disk, and says that it is stale', async () => {
    await service.kill();
    const bootMs = await service.start();
    const { status, body } = await service.client.ask(question);
    expect([status, body]).toEqual([200, known]);
    const ready = await service.client.ask('/health/ready');
    expect([ready.status, ready.body.ready]).toEqual([200, true]);
    expect(ready.body.degraded.sort()).toEqual([
      'database',
      'redis',
      ...(isOld(ready.body) ? ['snapshots'] : []),
    ]);
    for (const environment of ready.body.environments)
      expect(environment).toMatchObject({ source: 'disk', age_seconds: expect.any(Number) });
    const write = await service.client.ask('/flags/w0?environment_key=staging', {
      method: 'PUT',
      token,
      body: { is_enabled: false },
    });
    expect([write.status, write.headers['retry-after']]).toEqual([503, '2']);
    report('start with both stores down', { bootMs: Math.round(bootMs) });
  });

  it('passes over a file that was altered, cut or emptied, for the generation before it', async () => {
    await service.kill();
    const folder = join(service.dataDir, 'snapshots');
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    expect(files).toHaveLength(3);
    const damages = [
      flipBit,
      (file: string) => truncateSync(file, 200),
      (file: string) => truncateSync(file, 0),
    ];
    for (const [index, name] of files.entries()) damages[index]!(join(folder, name));
    await service.start();
    for (const environment of ENVIRONMENTS) {
      const { status, body } = await service.client.ask(
        `/evaluate/w0?environment_key=${environment}&user_id=alice`,
      );
      expect([status, body.reason_code]).toEqual([200, 'SPLIT']);
    }
    for (const name of files)
      expect(service.process.stdout).toContain(`${name} is damaged and was passed over`);
    expect((await service.client.ask('/health/ready')).body.environments).toHaveLength(3);
  });

  it('with frozen stores it starts as well, and takes the database up when that thaws', async () => {
    await service.kill();
    await postgres.start();
    postgres.freeze();
    const bootMs = await service.start();
    expect((await service.client.ask(question)).status).toBe(200);
    postgres.thaw();
    await service.until('/flags', 401);
    const deadline = Date.now() + 8_000;
    let degraded: string[] = ['database'];
    while (degraded.includes('database') && Date.now() < deadline) {
      await sleep(100);
      degraded = (await service.client.ask('/health/ready')).body.degraded as string[];
    }
    expect(degraded).not.toContain('database');
    expect((await service.client.ask(question)).body).toEqual(known);
    report('start with a frozen Postgres', { bootMs: Math.round(bootMs) });
    expect(bootMs).toBeLessThan(10_000);
  });

  it('without any snapshot, is not ready and guesses nothing', async () => {
    await postgres.kill();
    const empty = await Service.prepared({ DATABASE_URL: postgres.url });
    try {
      await empty.start();
      expect((await empty.client.ask('/health/ready')).status).toBe(503);
      const answer = await empty.client.ask(question);
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
        503,
        'not_ready',
        '2',
      ]);
      await postgres.start();
      await empty.until('/health/ready', 200, 10_000);
    } finally {
      await empty.close();
    }
  });

  it('without a disk of its own, starts with what Redis has', async () => {
    await redis.start();
    await service.kill();
    await service.start();
    await service.until('/health/ready', 200);
    // A change fills Redis again, which came back empty.
    for (const environment of ['development', 'staging', 'production'])
      await service.client.ask(`/flags/w1?environment_key=${environment}`, {
        method: 'PUT',
        token,
        body: { rollout_percentage: 7 },
      });
    await sleep(300);
    await postgres.kill();
    const fresh = await Service.prepared({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
    try {
      await fresh.start();
      await fresh.until('/health/ready', 200, 5_000);
      const { body } = await fresh.client.ask('/health/ready');
      expect(body.environments.map((e: { source: string }) => e.source)).toEqual(['redis', 'redis', 'redis']);
      for (const { age_seconds } of body.environments) expect(age_seconds).toBeLessThan(60);
      expect((await fresh.client.ask(question)).body.reason_code).toBe('SPLIT');
    } finally {
      await fresh.close();
    }
  });

  async function changeEverywhere(rollout: number): Promise<void> {
    for (const environment of ENVIRONMENTS) {
      const body = { rollout_percentage: rollout };
      const { status } = await service.client.ask(`/flags/w1?environment_key=${environment}`, {
        method: 'PUT',
        token,
        body,
      });
      expect(status).toBe(200);
    }
  }
});

const isOld = (body: { environments: { stale: boolean }[] }): boolean =>
  body.environments.some(({ stale }) => stale);

function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}
