import { createSecretKey } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { compile, evaluateAll, parseSnapshot } from '../../src/core/index.js';
import { EnvironmentRevisions } from '../../src/environments/environment-revisions.js';
import { SnapshotStore } from '../../src/evaluation/snapshot-store.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../../src/platform/patterns/pattern-engine.js';
import { StreamsService } from '../../src/stream/streams.service.js';
import { Api, eventually, flagPath, PATIENT, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { send } from '../support/send.js';
import { Follower, StreamConnection, type Opening } from '../support/stream-client.js';

const ID = /^\d+-[\da-f]{12}$/;

let vexil: TestApp;
let api: Api;
const open: { cut(): unknown }[] = [];
beforeAll(async () => {
  vexil = await startApp({ ...PATIENT, STREAM_HEARTBEAT_SECONDS: '1', STREAM_HISTORY_CHANGES: '5' });
  api = new Api(vexil);
});
afterEach(() => {
  for (const each of open.splice(0)) each.cut();
});
afterAll(() => vexil.close());

async function follow(opening: Opening = {}, app = vexil): Promise<StreamConnection> {
  const token = opening.token ?? (await app.as('viewer')).token;
  const stream = await StreamConnection.open(app.url, { ...opening, token });
  open.push(stream);
  return stream;
}

const metric = async (name: string, app = vexil): Promise<number> => {
  const { text } = await app.http.get('/metrics');
  return text
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
};

/** A new environment, so that nothing else happens in it; making it is its first revision. */
async function freshEnvironment(app = api): Promise<string> {
  const key = `e-${Math.random().toString(36).slice(2, 10)}`;
  const made = await app.post('/environments', { key, name: key });
  expect(made.status).toBe(201);
  return key;
}

const newFlag = (environment: string, key: string, more: Json = {}) =>
  api.newFlag({ key, environment_key: environment, is_enabled: true, ...more });

describe('a new stream', () => {
  it('begins with the whole ruleset, in an answer that nothing between holds back', async () => {
    const environment = await freshEnvironment();
    await newFlag(environment, 'first');
    const stream = await follow({ environment });
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    const [event] = await stream.until(1);
    expect(event).toMatchObject({ name: 'ruleset', data: { environment_key: environment, revision: 2 } });
    expect(event!.id).toMatch(ID);
    expect(event!.id).toMatch(/^2-/);
    expect(stream.retryMs).toBeGreaterThan(0);
  });

  it('gives what the core decides by just as the service does', async () => {
    const environment = await freshEnvironment();
    const at = { environment_key: environment };
    await api.post('/segments', { key: 'crowd', name: 'Crowd', ...at, included: ['ann'] });
    await newFlag(environment, 'rolled', { flag_type: 'percentage', rollout_percentage: 40 });
    await newFlag(environment, 'ruled', {
      default_serve: { variant: 'off' },
      rules: [
        {
          id: 'r',
          conditions: { any: [{ operator: 'in_segment', values: ['crowd'] }] },
          serve: { variant: 'on' },
        },
      ],
    });
    const stream = await follow({ environment });
    const [event] = await stream.until(1);
    const parsed = parseSnapshot(event!.data);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    expect(parsed.problems).toEqual([]);
    const patterns = vexil.app.get<LinearPatterns>(PATTERN_ENGINE, { strict: false });
    const mine = compile(parsed.snapshot, { patterns });
    const theirs = vexil.app.get(SnapshotStore, { strict: false }).get(environment)!.compiled;
    for (const user of ['ann', 'ben', 'cleo', 'dan', 'eve'])
      expect(evaluateAll(mine, { targetingKey: user }, 0)).toEqual(
        evaluateAll(theirs, { targetingKey: user }, 0),
      );
  });

  it('says 404 for an environment that does not exist, and 401 without a token', async () => {
    const unknown = await follow({ environment: 'nowhere' });
    expect([unknown.status, unknown.headers['content-type']]).toEqual([
      404,
      'application/problem+json; charset=utf-8',
    ]);
    expect((await api.as('nobody').get('/stream?environment_key=development')).status).toBe(401);
    expect((await api.get('/stream')).status).toBe(422);
  });

  it('answers HEAD with its headers alone', async () => {
    const headers = await vexil.bearer('viewer');
    const path = '/stream?environment_key=development';
    const answer = await send(vexil.url, { method: 'HEAD', path, headers });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream']);
    await eventually(async () => (await metric('vexil_streams_open')) === 0);
  });

  it('sends heartbeats while nothing happens', async () => {
    const stream = await follow();
    await eventually(() => stream.heartbeats >= 3, 15_000);
    expect(stream.names).toEqual(['ruleset']);
  });
});

describe('changes', () => {
  it('come one for each revision, with what was put and what was removed', async () => {
    const environment = await freshEnvironment();
    const at = `?environment_key=${environment}`;
    const stream = await follow({ environment });
    await newFlag(environment, 'one');
    await newFlag(environment, 'two');
    await api.change('one', { is_enabled: false }, environment);
    await api.post('/segments', { key: 'crowd', name: 'Crowd', environment_key: environment });
    await api.delete(`/segments/crowd${at}`);
    await api.delete(flagPath('two', environment));
    const events = await stream.until(7);
    expect(events.map(({ name }) => name)).toEqual(['ruleset', ...Array<string>(6).fill('change')]);
    const nothing = { put: [], removed: [] };
    const flag = (key: string, more: Json = {}) => expect.objectContaining({ key, ...more });
    const step = (revision: number, more: Json) => ({
      environment_key: environment,
      prev_revision: revision - 1,
      revision,
      flags: nothing,
      segments: nothing,
      ...more,
    });
    expect(events.slice(1).map(({ data }) => data as unknown)).toEqual([
      step(2, { flags: { put: [flag('one', { is_enabled: true })], removed: [] } }),
      step(3, { flags: { put: [flag('two')], removed: [] } }),
      step(4, { flags: { put: [flag('one', { is_enabled: false, version: 2 })], removed: [] } }),
      step(5, { segments: { put: [flag('crowd', { included: [] })], removed: [] } }),
      step(6, { segments: { put: [], removed: ['crowd'] } }),
      step(7, { flags: { put: [], removed: ['two'] } }),
    ]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(7);
  });

  it('are there before the writer hears that the change is made', async () => {
    const stream = await follow();
    await stream.until(1);
    await api.newFlag({ key: 'at-once' });
    // It was written before the answer was; only the way through the network is left.
    await stream.until(2, 20_000);
  });

  it('are sent again, all of them, to a client that comes back', async () => {
    const environment = await freshEnvironment();
    await newFlag(environment, 'again');
    const before = await follow({ environment });
    const { id, data } = await before.first();
    before.cut();
    for (const key of ['a', 'b', 'c']) await newFlag(environment, key);
    const after = await follow({ environment, lastEventId: id });
    const events = await after.until(3);
    expect(after.names).toEqual(['change', 'change', 'change']);
    expect(events[0]!.data.prev_revision).toBe(data.revision);
    expect(events.map((event) => event.data.revision as number)).toEqual([3, 4, 5]);
  });

  it('are none for a client that has the last state already', async () => {
    const first = await follow();
    const { id } = await first.first();
    const again = await follow({ lastEventId: id });
    await eventually(() => again.heartbeats >= 1, 15_000);
    expect(again.names).toEqual([]);
    await api.newFlag({ key: 'after-nothing' });
    expect((await again.until(1))[0]).toMatchObject({ name: 'change' });
  });
});

describe('a resync', () => {
  let environment: string;
  const ids: string[] = [];
  beforeAll(async () => {
    environment = await freshEnvironment();
    const stream = await follow({ environment });
    for (let index = 0; index < 8; index += 1) await newFlag(environment, `f-${index}`);
    ids.push(...(await stream.until(9)).map(({ id }) => id!));
  });

  const cases: [string, () => string][] = [
    ['too old', () => ids[1]!],
    ['malformed', () => 'yesterday'],
    ['malformed as well', () => '9'],
    ['very long', () => '9'.repeat(5_000)],
    ['of no known state', () => '8-000000000000'],
    ['of a revision to come', () => '900-000000000000'],
    ['of the present revision in another history', () => '9-000000000000'],
  ];
  it.each(cases)('is sent, and then the ruleset, to one whose id is %s', async (_, idOf) => {
    const stream = await follow({ environment, lastEventId: idOf() });
    const events = await stream.until(2);
    expect(events).toMatchObject([
      { name: 'resync', id: undefined, data: { reason: 'id_unknown' } },
      { name: 'ruleset', id: ids[8], data: { revision: 9 } },
    ]);
  });

  it('is sent to one whose id is from another environment', async () => {
    const other = await freshEnvironment();
    for (let index = 0; index < 8; index += 1) await newFlag(other, `f-${index}`);
    const { id } = await (await follow({ environment: other })).first();
    expect(id).toMatch(/^9-/);
    expect(id).not.toBe(ids[8]);
    const stream = await follow({ environment, lastEventId: id });
    await stream.until(2);
    expect(stream.names).toEqual(['resync', 'ruleset']);
  });

  it('is not sent to one who is still in the history', async () => {
    const stream = await follow({ environment, lastEventId: ids[3]! });
    await stream.until(5);
    expect(stream.names).toEqual(Array<string>(5).fill('change'));
  });

  it('is sent to those who are there when the database was put back, and the lower revision is taken', async () => {
    const own = await freshEnvironment();
    for (let index = 0; index < 4; index += 1) await newFlag(own, `f-${index}`);
    const stream = await follow({ environment: own });
    const { id: old } = await stream.first();
    await vexil.query(`UPDATE environments SET revision = 3, stamp = gen_random_uuid() WHERE key = $1`, [
      own,
    ]);
    const events = await stream.until(3);
    expect(events.slice(1)).toMatchObject([
      { name: 'resync', data: { reason: 'history_left' } },
      { name: 'ruleset', data: { revision: 3 } },
    ]);
    // Counting on, it comes through the same number with another name.
    await newFlag(own, 'again-a');
    await newFlag(own, 'again-b');
    const { id } = (await stream.until(5))[4]!;
    expect([old!.split('-')[0], id!.split('-')[0]]).toEqual(['5', '5']);
    expect(id).not.toBe(old);
    const late = await follow({ environment: own, lastEventId: old });
    await late.until(2);
    expect(late.names).toEqual(['resync', 'ruleset']);
  });

  it('asks the database first when a client has what is not known here, and takes nobody back without it', async () => {
    const revisions = vexil.app.get(EnvironmentRevisions, { strict: false });
    const broken = jest.spyOn(revisions, 'current').mockRejectedValue(new Error('no database'));
    try {
      for (const ahead of ['900-000000000000', '9-000000000000']) {
        const refused = await follow({ environment, lastEventId: ahead });
        expect(refused.status).toBe(503);
        expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
        await refused.ended;
        expect(refused.text).toContain('"behind_client"');
      }
      const behind = await follow({ environment, lastEventId: '2-000000000000' });
      await behind.until(2);
      expect(behind.names).toEqual(['resync', 'ruleset']);
    } finally {
      broken.mockRestore();
    }
  });
});

describe('a stream ends', () => {
  const admin = () => vexil.bearer('admin');
  const endings: [string, (id: string) => Promise<unknown>][] = [
    [
      'the account is disabled',
      async (id) =>
        vexil.http
          .put(`/auth/users/${id}/active`)
          .set(await admin())
          .send({ is_active: false }),
    ],
    [
      'the role is lowered',
      async (id) => vexil.http.put(`/auth/users/${id}/role?new_role=viewer`).set(await admin()),
    ],
    [
      'the role is raised',
      async (id) => vexil.http.put(`/auth/users/${id}/role?new_role=admin`).set(await admin()),
    ],
  ];
  it.each(endings)('soon after %s, and says why', async (_, act) => {
    const { id, token } = await vexil.person('developer');
    const stream = await follow({ token });
    await stream.until(1);
    await vexil.as('admin');
    await act(id);
    const took = await eventually(() => stream.isEnded, 10_000);
    expect(took).toBeLessThan(8_000);
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
  });

  it('when the session expires', async () => {
    const { token } = await vexil.as('viewer');
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Json;
    const expiring = await new SignJWT({ ...claims, exp: Math.floor(Date.now() / 1000) + 5 })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(createSecretKey(Buffer.from(vexil.config.jwtSecretKey!)));
    const stream = await follow({ token: expiring });
    expect(stream.status).toBe(200);
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
  });

  it('when its environment is deleted, and begins anew with one that takes its key', async () => {
    const environment = await freshEnvironment();
    const stream = await follow({ environment });
    const { id } = await stream.first();
    await api.delete(`/environments/${environment}?force=true`);
    await stream.ended;
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'environment_deleted' } });
    await api.post('/environments', { key: environment, name: environment });
    const next = await follow({ environment, lastEventId: id });
    await next.until(2);
    expect(next.names).toEqual(['resync', 'ruleset']);
  });

  it('when the service stops, which tells it when to come again and lets nobody in', async () => {
    const own = await startApp();
    const streams = await Promise.all(Array.from({ length: 5 }, () => follow({}, own)));
    for (const stream of streams) await stream.until(1);
    own.app.get(StreamsService, { strict: false }).close();
    await Promise.all(streams.map((stream) => stream.ended));
    for (const stream of streams)
      expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'shutting_down' } });
    expect(new Set(streams.map(({ retryMs }) => retryMs)).size).toBeGreaterThan(1);
    const refused = await follow({}, own);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    await own.close();
  });

  it('and is counted no more when the client goes', async () => {
    const before = await metric('vexil_streams_open');
    const streams = await Promise.all(Array.from({ length: 10 }, () => follow()));
    expect(await metric('vexil_streams_open')).toBe(before + 10);
    for (const stream of streams) stream.cut();
    await eventually(async () => (await metric('vexil_streams_open')) <= before);
  });
});

describe('given little room', () => {
  let small: TestApp;
  beforeAll(async () => {
    small = await startApp({
      ...PATIENT,
      STREAM_MAX: '4',
      STREAM_MAX_PER_CALLER: '2',
      STREAM_MAX_RULESETS_SENDING: '1',
      STREAM_SLOW_READER_BYTES: '2000000',
    });
  });
  afterAll(() => small.close());
  afterEach(async () => {
    for (const each of open.splice(0)) each.cut();
    await eventually(async () => (await metric('vexil_streams_open', small)) === 0);
  });

  it('refuses the third stream of one caller with 429, until one of the others ends', async () => {
    const first = await follow({}, small);
    await follow({}, small);
    const refused = await follow({}, small);
    expect(refused.status).toBe(429);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    first.cut();
    await eventually(async () => (await follow({}, small)).status === 200);
    expect(await metric('vexil_streams_refused_total{code="too_many_streams"}', small)).toBeGreaterThan(0);
  });

  it('refuses everybody with 503 when it is full', async () => {
    const tokens = [];
    for (let index = 0; index < 3; index += 1) tokens.push((await small.person('viewer')).token);
    for (const token of [tokens[0], tokens[0], tokens[1], tokens[1]])
      expect((await follow({ token }, small)).status).toBe(200);
    const refused = await follow({ token: tokens[2] }, small);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    await refused.ended;
    expect(refused.text).toContain('"streams_full"');
  });

  it('cuts a reader that takes nothing while changes pile up, and no other', async () => {
    const admin = new Api(small);
    const wide = async (mark: string) => {
      const included = Array.from({ length: 60_000 }, (_, index) => `${mark}-user-of-some-length-${index}`);
      const at = '/segments/wide?environment_key=staging';
      const body = { key: 'wide', name: 'Wide', environment_key: 'staging', included };
      const made = mark === '0' ? await admin.post('/segments', body) : await admin.put(at, { included });
      expect(made.status).toBeLessThan(300);
    };
    await wide('0');
    const [slow, quick] = [
      await follow({ environment: 'staging' }, small),
      await follow({ environment: 'staging' }, small),
    ];
    await Promise.all([slow.until(1), quick.until(1)]);
    slow.pause();
    // As much as the operating system takes for both sides, and then more than may wait.
    for (let round = 1; (await metric('vexil_streams_cut_total', small)) === 0; round += 1) {
      expect(round).toBeLessThan(100);
      await wide(String(round));
    }
    expect(await metric('vexil_streams_open', small)).toBe(1);
    slow.resume();
    await slow.ended;
    expect(slow.names).not.toContain('closed');
    expect(quick.isEnded).toBe(false);
  }, 120_000);
});

describe('GET /ruleset', () => {
  const path = '/ruleset?environment_key=development';

  it('is what the stream begins with, under its id', async () => {
    const [event] = await (await follow()).until(1);
    const answer = await api.as('viewer').get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      etag: `"${event!.id!}"`,
      'cache-control': 'private, no-cache',
      'x-snapshot': 'FRESH',
    });
    expect(answer.body).toEqual(event!.data);
  });

  it('answers 304 to one who has it, until something changes', async () => {
    const { headers } = await api.get(path);
    const known = { 'If-None-Match': headers['etag']! };
    const same = await api.get(path, known);
    expect([same.status, same.text, same.headers['etag'], same.headers['x-snapshot']]).toEqual([
      304,
      '',
      headers['etag'],
      'FRESH',
    ]);
    await api.newFlag({ key: 'polled' });
    const next = await api.get(path, known);
    expect(next.status).toBe(200);
    expect(next.headers['etag']).not.toBe(headers['etag']);
    expect((await api.get(path, { 'If-None-Match': '"1-000000000000", nonsense' })).status).toBe(200);
  });

  it('answers 304 to fetch, which adds that no cache may answer', async () => {
    const { token } = await vexil.as('viewer');
    const ask = (more: Record<string, string>) =>
      fetch(`${vexil.url}${path}`, { headers: { authorization: `Bearer ${token}`, ...more } });
    const tag = (await ask({})).headers.get('etag')!;
    expect((await ask({ 'If-None-Match': tag })).status).toBe(304);
  });

  it('says 404 for an environment that does not exist', async () => {
    const { status, body } = await api.get('/ruleset?environment_key=nowhere');
    expect([status, body.code]).toEqual([404, 'environment_not_found']);
  });

  it('answers from memory while the database is away, and says when that is stale', async () => {
    const revisions = vexil.app.get(EnvironmentRevisions, { strict: false });
    const broken = jest.spyOn(revisions, 'current').mockRejectedValue(new Error('no database'));
    const clock = jest
      .spyOn(vexil.app.get(SnapshotStore, { strict: false }), 'isStale')
      .mockReturnValue(true);
    try {
      const answer = await api.get(path, { 'If-None-Match': '"9999-000000000000"' });
      expect([answer.status, answer.headers['x-snapshot']]).toEqual([200, 'STALE']);
    } finally {
      broken.mockRestore();
      clock.mockRestore();
    }
  });
});

it('keeps two clients of one instance at the same state through a storm of changes', async () => {
  const environment = await freshEnvironment();
  await newFlag(environment, 'storm', { flag_type: 'percentage', rollout_percentage: 1 });
  const { token } = await vexil.as('viewer');
  const followers = [1, 2].map(
    () =>
      new Follower(
        () => vexil.url,
        () => token,
        environment,
      ),
  );
  await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      api.change('storm', { rollout_percentage: index + 2 }, environment),
    ),
  );
  const { body } = await api.get(`/ruleset?environment_key=${environment}`);
  for (const follower of followers) {
    await eventually(() => follower.ruleset?.revision === body.revision);
    expect(follower.ruleset).toEqual(body);
    expect(follower.flaws).toEqual([]);
    await follower.stop();
  }
});
