import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Ruleset } from '../../src/core/index.js';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { bound, Drill, outOf, rounds, scaled } from '../support/drill.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';
import { Follower, StreamConnection } from '../support/stream-client.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const CHANGES = rounds(150, 10_000);
/** Each connection lasts so long, at random between the two. */
const SHORTEST_MS = scaled(50, 1_000);
const LONGEST_MS = scaled(700, 10_000);
const CLIENTS = 6;
const WRITERS = 3;
const LONG = 180_000 + CHANGES * 100;

const closing: (() => unknown)[] = [];
beforeAll(ensureBuilt, 300_000);
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Clients that follow one environment of a service, somebody who cuts their connections, and writers. */
class Crowd {
  readonly followers: Follower[];
  acknowledged = 0;
  cuts = 0;
  private readonly cutting: Promise<unknown>;
  private readonly over = new AbortController();

  constructor(
    private readonly service: Service,
    private readonly token: string,
    private readonly drill: Drill,
  ) {
    this.followers = Array.from(
      { length: CLIENTS },
      () =>
        new Follower(
          () => service.client.url,
          () => token,
        ),
    );
    this.cutting = Promise.all(this.followers.map((follower) => this.cut(follower)));
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

  report(more: Record<string, number | readonly number[]>): void {
    const total: Record<string, number> = {};
    for (const { counts } of this.followers)
      for (const [what, count] of Object.entries(counts)) total[what] = (total[what] ?? 0) + count;
    const apart = this.followers.filter(({ flaws }) => flaws.length > 0);
    this.drill.report({
      changes: this.acknowledged,
      'connections cut': this.cuts,
      'clients that differ from the database': outOf(apart.length, this.followers.length),
      'events and connections': total,
      ...more,
    });
  }

  async stop(): Promise<void> {
    this.over.abort();
    await this.cutting;
    await Promise.all(this.followers.map((follower) => follower.stop()));
  }

  private async cut(follower: Follower): Promise<void> {
    const { signal } = this.over;
    while (!signal.aborted) {
      const lasts = SHORTEST_MS + this.drill.random() * (LONGEST_MS - SHORTEST_MS);
      await sleep(lasts, undefined, { signal }).catch(() => undefined);
      follower.cut();
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

describeWithPostgres('followers of a service on Postgres', () => {
  let postgres: PostgresServer;
  beforeAll(async () => {
    postgres = await PostgresServer.running();
  }, 120_000);
  afterAll(async () => {
    // It may not have come so far.
    await (postgres as PostgresServer | undefined)?.close();
  });

  it(
    'R8: gives every client the state of the database, and takes none back, whatever breaks between them',
    async () => {
      const drill = new Drill('R8', 'streams cut while changes are made');
      const service = await started({ DATABASE_URL: await database('cut') });
      const crowd = new Crowd(service, await service.setUp(), drill);
      closing.push(() => crowd.stop());
      await crowd.prepare();
      const writing = crowd.write(CHANGES);
      await eventually(() => crowd.acknowledged > CHANGES / 3, LONG);
      drill.fault('kill -9 of the service');
      await service.kill();
      await service.start();
      await eventually(() => crowd.acknowledged > (CHANGES * 2) / 3, LONG);
      drill.fault('SIGTERM to the service');
      service.process.signal('SIGTERM');
      expect((await service.process.exited).code).toBe(0);
      await service.start();
      await writing;
      const { revision } = await crowd.expectAgreement();
      crowd.report({ revision });
      expect(revision).toBeGreaterThanOrEqual(CHANGES);
      expect(service.internalErrors()).toEqual([]);
    },
    LONG,
  );

  it('R8: takes every client back to a database put back from a backup, by a resync and never without', async () => {
    const drill = new Drill('R8', 'database put back from a backup');
    const service = await started({ DATABASE_URL: await database('live') });
    const crowd = new Crowd(service, await service.setUp(), drill);
    closing.push(() => crowd.stop());
    await crowd.prepare();
    await crowd.write(40);
    const before = await crowd.expectAgreement();
    await service.kill();
    await postgres.query('CREATE DATABASE backup TEMPLATE live');
    drill.fault('backup made');
    await service.start();
    await crowd.write(60);
    const lost = await crowd.expectAgreement();
    await service.kill();
    await postgres.query('DROP DATABASE live WITH (FORCE)');
    await postgres.query('ALTER DATABASE backup RENAME TO live');
    drill.fault('backup put back');
    await service.start();
    await crowd.write(20);
    const after = await crowd.expectAgreement();
    expect(after.revision).toBeGreaterThan(before.revision);
    expect(after.revision).toBeLessThan(lost.revision);
    crowd.report({
      'revision at the backup, at the loss, at the end': [before, lost, after].map((r) => r.revision),
    });
    for (const { counts } of crowd.followers) expect(counts.resync).toBeGreaterThan(0);
  });

  it('R8: answers an id that is too old, unknown or of another history with one resync and the state', async () => {
    const service = await started({ DATABASE_URL: await database('ids'), STREAM_HISTORY_CHANGES: '5' });
    const token = await service.setUp();
    const crowd = new Crowd(service, token, new Drill('R8', 'ids of another history'));
    closing.push(() => crowd.stop());
    await crowd.prepare();
    const first = await StreamConnection.open(service.client.url, { token });
    const { id: old } = await first.first();
    first.cut();
    const staging = await StreamConnection.open(service.client.url, { token, environment: 'staging' });
    const { id: ofStaging } = await staging.first();
    staging.cut();
    await crowd.write(20);
    const truth = await crowd.expectAgreement();
    const [revision = '', mark = ''] = (crowd.followers[0]?.id ?? '').split('-');
    const ids = {
      'too old': old,
      'of another environment': ofStaging,
      'ahead of the database': `${Number(revision) + 1_000}-${mark}`,
      'of another epoch': `${revision}-${mark.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}`,
      garbage: 'no id at all',
      'as another system makes them': '1700000000000-0',
    };
    for (const [what, lastEventId] of Object.entries(ids)) {
      const stream = await StreamConnection.open(service.client.url, { token, lastEventId });
      const events = await stream.until(2);
      expect([what, stream.names.slice(0, 2)]).toEqual([what, ['resync', 'ruleset']]);
      expect([what, JSON.stringify(events[1]?.data)]).toEqual([what, JSON.stringify(truth)]);
      stream.cut();
    }
    crowd.report({ 'ids answered with a resync': Object.keys(ids).length });
  });

  async function database(name: string): Promise<string> {
    await postgres.query(`CREATE DATABASE ${name}`);
    return postgres.urlOf(name);
  }
});

describe('SIGTERM while streams are open', () => {
  it('R19: tells every one of them and ends soon', async () => {
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
    expect(performance.now() - told).toBeLessThan(bound(20_000));
    await Promise.all(streams.map(({ ended }) => ended));
    expect(streams.map(({ names }) => names)).toEqual(streams.map(() => ['ruleset', 'closed']));
    expect(streams.every(({ retryMs }) => retryMs! >= 0 && retryMs! <= 5_000)).toBe(true);
  });
});
