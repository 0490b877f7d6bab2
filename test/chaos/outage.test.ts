import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../support/built-service.js';
import { eventually } from '../support/api.js';
import { Load } from '../support/chaos.js';
import { bound, Drill, outOf } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { RedisServer } from '../support/redis-server.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

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
  }, 300_000);
  afterAll(async () => {
    // It may not have come so far.
    await (service as Service | undefined)?.close();
    await (redis as RedisServer | undefined)?.close();
    await (postgres as PostgresServer | undefined)?.close();
  });

  it('R4: frozen, then killed, under load: no evaluation fails or waits', async () => {
    const drill = new Drill('R4', 'both stores frozen, then killed');
    const load = new Load(service.client, token).evaluate(4);
    await sleep(300);
    drill.fault('SIGSTOP');
    postgres.freeze();
    redis.freeze();
    await sleep(1_500);
    drill.fault('kill -9');
    await postgres.kill();
    await redis.kill();
    await sleep(500);
    await load.stop();
    drill.report(load.counts, load.durations);
    expect(load.failedEvaluations).toEqual([]);
    expect(load.slowestMs).toBeLessThan(bound(1_000));
  });

  it('R5: started with both down, answers as before from disk, and says that it is stale', async () => {
    await service.kill();
    const bootMs = await service.start();
    const { status, body } = await service.client.ask(question);
    expect([status, body]).toEqual([200, known]);
    const ready = await service.client.ask('/health/ready');
    expect([ready.status, ready.body.ready]).toEqual([200, true]);
    expect(ready.body.degraded.sort()).toEqual(['database', 'redis', 'snapshots']);
    for (const environment of ready.body.environments)
      expect(environment).toMatchObject({ source: 'disk', stale: true, age_seconds: expect.any(Number) });
    const ages = (await service.client.ask('/metrics')).body as string;
    expect(ages).toMatch(/^vexil_snapshot_age_seconds\{environment="staging"\} \d/m);
    const write = await service.client.ask('/flags/w0?environment_key=staging', {
      method: 'PUT',
      token,
      body: { is_enabled: false },
    });
    expect([write.status, write.headers['retry-after']]).toEqual([503, '2']);
    new Drill('R5', 'start with both stores down').report({
      'environments served from disk, marked stale': outOf(
        ready.body.environments.length,
        ENVIRONMENTS.length,
      ),
      'answers after (ms)': Math.round(bootMs),
    });
  });

  it('R5: passes over a file that was altered, cut or emptied, for the generation before it', async () => {
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
    const refused = files.filter((name) =>
      service.process.stdout.includes(`${name} is damaged, or not of this version, and was passed over`),
    );
    expect(refused).toEqual(files);
    expect((await service.client.ask('/health/ready')).body.environments).toHaveLength(3);
    new Drill('R5', 'a snapshot altered, cut or emptied').report({
      'files refused for the generation before': outOf(refused.length, files.length),
    });
  });

  it('R5: with frozen stores it starts as well, and takes the database up when that thaws', async () => {
    await service.kill();
    await postgres.start();
    postgres.freeze();
    const bootMs = await service.start();
    expect((await service.client.ask(question)).status).toBe(200);
    postgres.thaw();
    await service.until('/flags', 401);
    await eventually(async () => {
      const { body } = await service.client.ask('/health/ready');
      return !body.degraded.includes('database');
    });
    expect((await service.client.ask(question)).body).toEqual(known);
    new Drill('R5', 'start with a frozen Postgres').report({ 'answers after (ms)': Math.round(bootMs) });
    expect(bootMs).toBeLessThan(bound(10_000));
  });

  it('R5: on a full disk it goes on, and the snapshot before stays whole', async () => {
    const drill = new Drill('R5', 'disk full');
    await service.until('/health/ready', 200);
    await changeEverywhere(8);
    await sleep(600);
    const before = (await service.client.ask(question)).body as unknown;
    const folder = join(service.dataDir, 'snapshots');
    const whole = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    const wholeBefore = whole();
    // No file of the process may grow beyond this, so each write breaks off in the middle.
    const limit = ['--pid', String(service.process.child.pid), '--fsize=300:300'];
    drill.fault('no file beyond 300 bytes');
    execFileSync('prlimit', limit, { stdio: 'ignore' });
    await service.client.ask('/flags/w0?environment_key=staging', {
      method: 'PUT',
      token,
      body: { rollout_percentage: 77 },
    });
    await eventually(() => service.process.stdout.includes('A snapshot could not be saved to disk'));
    expect((await service.client.ask(question)).body.reason).toContain('77%');
    const wholeAfter = whole();
    const kept = wholeBefore.filter((text) => wholeAfter.includes(text));
    expect(kept).toEqual(wholeBefore);
    await service.kill();
    await postgres.kill();
    drill.fault('killed, and started without Postgres');
    await service.start();
    expect((await service.client.ask(question)).body).toEqual(before);
    expect((await service.client.ask('/health/ready')).body.degraded).toContain('snapshots');
    drill.report({ 'generations left whole': outOf(kept.length, wholeBefore.length) });
    await postgres.start();
    await service.until('/flags', 401);
  });

  it('R5: without any snapshot, is not ready and guesses nothing', async () => {
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

  it('R5: without a disk of its own, starts with what Redis has', async () => {
    await redis.start();
    await service.kill();
    await service.start();
    await service.until('/health/ready', 200);
    // A change fills Redis again, which came back empty.
    await changeEverywhere(7);
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

function flipBit(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = bytes[at]! ^ 1;
  writeFileSync(file, bytes);
}
