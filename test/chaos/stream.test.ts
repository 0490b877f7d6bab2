import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Ruleset } from '../../src/core/index.js';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { randomFrom, report, rounds, SEED } from '../support/chaos.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';
import { Follower, StreamConnection } from '../support/stream-client.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(180_000);

/** `CHAOS_ROUNDS=10000` for a long run. */
const CHANGES = rounds(300);
const CLIENTS = 6;
const WRITERS = 3;
const LONG = 180_000 + CHANGES * 100;

const closing: (() => unknown)[] = [];
beforeAll(ensureBuilt, 120_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Clients that follow one environment of a service, somebody who cuts their connections, and writers. */
class Crowd {
  readonly followers: Follower[];
  acknowledged = 0;
  cuts = 0;
  private readonly random = randomFrom(SEED);
  private readonly cutting: Promise<void>;
  private isOver = false;

  constructor(
    private readonly service: Service,
    private readonly token: string,
  ) {
    this.followers = Array.from(
      { length: CLIENTS },
      () =>
        new Follower(
          () => service.client.url,
          () => token,
        ),
    );
    this.cutting = this.cut();
  }

  async prepare(): Promise<void> {
    for (let index = 0; index < WRITERS; index += 1) await this.ask('POST', '/flags', newFlag(`w${index}`));
  }

  /** So many acknowledged changes: of flags, of segments, some that add a thing and some that remove it. */
  async write(changes: number): Promise<void> {
    const until = this.acknowledged + changes;
    const writers = Array.from({ length: WRITERS }, async (_, index) => {
      for (let count = 1; this.acknowledged < until; count += 1) {
        const isDone = await this.change(index, count).catch(() => false);
        if (isDone) this.acknowledged += 1;
        else await sleep(20);
      }
    });
    await Promise.all(writers);
  }

  /** What the database has, read anew; waits until every client has come there. */
  async expectAgreement(): Promise<Ruleset> {
    await this.ask('DELETE', '/flags/w0/cache');
    const path = '/ruleset?environment_key=development';
    const { status, body } = await this.service.client.ask(path, { token: this.token });
    expect(status).toBe(200);
    const truth = JSON.stringify(body);
    for (const follower of this.followers)
      await eventually(() => JSON.stringify(follower.ruleset) === truth, 30_000).catch(() => undefined);
    expect(this.followers.map(({ ruleset }) => ruleset)).toEqual(this.followers.map(() => body as unknown));
    expect(this.followers.flatMap(({ flaws }) => flaws)).toEqual([]);
    return body as Ruleset;
  }

  report(name: string, more: object = {}): void {
    const total: Record<string, number> = {};
    for (const { counts } of this.followers)
      for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count;
    report(name, { changes: this.acknowledged, clients: CLIENTS, cuts: this.cuts, ...total, ...more });
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.cutting;
    await Promise.all(this.followers.map((follower) => follower.stop()));
  }

  private async cut(): Promise<void> {
    while (!this.isOver) {
      await sleep(this.random() * 120);
      this.followers[Math.floor(this.random() * CLIENTS)]?.cut();
      this.cuts += 1;
    }
  }

  private async change(writer: number, count: number): Promise<boolean> {
    const at = '?environment_key=development';
    const passing = `passing-${writer}`;
    const kind = count % 6;
    if (kind === 1) return this.ask('POST', '/segments', { ...newThing(passing), included: [`u${count}`] });
    if (kind === 3) return this.ask('DELETE', `/segments/${passing}${at}`);
    if (kind === 4) return this.ask('POST', '/flags', newFlag(passing));
    if (kind === 5) return this.ask('DELETE', `/flags/${passing}${at}`);
    return this.ask('PUT', `/flags/w${writer}${at}`, { rollout_percentage: (count % 9_999) / 100 + 0.01 });
  }

  private async ask(method: string, path: string, body?: object): Promise<boolean> {
    const { status } = await this.service.client.ask(path, { method, body, token: this.token });
    return status < 300;
  }
}

const newThing = (key: string) => ({ key, name: key, environment_key: 'development' });
const newFlag = (key: string) => ({ ...newThing(key), flag_type: 'percentage', rollout_percentage: 1 });

async function started(env: Record<string, string> = {}): Promise<Service> {
  const service = await Service.running({ STREAM_HISTORY_CHANGES: '100', ...env });
  closing.push(() => service.close());
  return service;
}

it(
  'gives every client the state of the database, and takes none back, whatever breaks between them',
  async () => {
    const service = await started();
    const crowd = new Crowd(service, await service.setUp());
    closing.push(() => crowd.stop());
    await crowd.prepare();
    const writing = crowd.write(CHANGES);
    await eventually(() => crowd.acknowledged > CHANGES / 3, LONG);
    await service.kill();
    await service.start();
    await eventually(() => crowd.acknowledged > (CHANGES * 2) / 3, LONG);
    service.process.signal('SIGTERM');
    expect((await service.process.exited).code).toBe(0);
    await service.start();
    await writing;
    const { revision } = await crowd.expectAgreement();
    crowd.report('streams cut while changes are made', { revision, restarts: 2 });
    expect(revision).toBeGreaterThanOrEqual(CHANGES);
    expect(service.internalErrors()).toEqual([]);
  },
  LONG,
);

describeWithPostgres('a database that is put back from a backup', () => {
  it('takes every client back to it, by a resync and never without', async () => {
    const postgres = await PostgresServer.running();
    closing.push(() => postgres.close());
    const service = await started({ DATABASE_URL: postgres.url });
    const crowd = new Crowd(service, await service.setUp());
    closing.push(() => crowd.stop());
    await crowd.prepare();
    await crowd.write(40);
    const before = await crowd.expectAgreement();
    await service.kill();
    await postgres.query('CREATE DATABASE backup TEMPLATE vexil');
    await service.start();
    await crowd.write(60);
    const lost = await crowd.expectAgreement();
    await service.kill();
    await postgres.query('DROP DATABASE vexil WITH (FORCE)');
    await postgres.query('ALTER DATABASE backup RENAME TO vexil');
    await service.start();
    await crowd.write(20);
    const after = await crowd.expectAgreement();
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(after.revision).toBeLessThan(lost.revision);
    crowd.report('streams of a database put back', {
      revisions: [before, lost, after].map((r) => r.revision),
    });
    for (const { counts } of crowd.followers) expect(counts.resync).toBeGreaterThan(0);
  });
});

describe('SIGTERM while streams are open', () => {
  it('tells every one of them and ends soon', async () => {
    const service = await started();
    const token = await service.setUp();
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => StreamConnection.open(service.client.url, { token })),
    );
    for (const stream of streams) await stream.until(1);
    const told = performance.now();
    service.process.signal('SIGTERM');
    const { code } = await service.process.exited;
    expect(code).toBe(0);
    expect(performance.now() - told).toBeLessThan(20_000);
    await Promise.all(streams.map(({ ended }) => ended));
    expect(streams.map(({ names }) => names)).toEqual(streams.map(() => ['ruleset', 'closed']));
    expect(streams.every(({ retryMs }) => retryMs! >= 0 && retryMs! <= 5_000)).toBe(true);
  });
});
