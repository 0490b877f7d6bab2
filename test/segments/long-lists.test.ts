import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compile, evaluate, parseSnapshot, type CompiledSnapshot } from '../../src/core/index.js';
import { documentOf, FlagSnapshotReader } from '../../src/flags/flag-snapshot.reader.js';
import { Api, PATIENT, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { conditionWire, flagWire, ruleWire } from '../support/builders.js';
import { segmentPath } from './support.js';

const MANY = 100_000;

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
});
afterAll(() => vexil.close());

/** As long as the ids that people really have. */
const userId = (index: number): string => `user-${String(index).padStart(6, '0')}-9d53-6f7c2f1f5a10`;
const userIds = Array.from({ length: MANY }, (_, index) => userId(index));

const keysPage = (query: string) =>
  api.get(`/segments/crowd/keys?environment_key=development&list=included&${query}`);
const lastEntry = async (): Promise<Json> =>
  (await api.get('/audit?entity_type=segment&entity_key=crowd&limit=1')).body[0];

/** What the environment serves, with a flag that is on for those in the segment. */
async function compiledWith(segment: string): Promise<CompiledSnapshot> {
  const parts = await vexil.app.get(FlagSnapshotReader, { strict: false }).read('development');
  if (!parts) throw new Error('no environment');
  const rule = ruleWire('in', [conditionWire('targetingKey', 'in_segment', [segment])]);
  const flag = flagWire('asks', { rules: [rule], default_serve: { variant: 'off' } });
  const parsed = parseSnapshot({ ...documentOf(parts).ruleset, flags: [flag] });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return compile(parsed.snapshot);
}

describe('a segment that lists 100,000 users', () => {
  it('is saved at once, and shown with the first thousand', async () => {
    const { status, body } = await api.post('/segments', {
      key: 'crowd',
      name: 'Crowd',
      environment_key: 'development',
      included: [...userIds].reverse(),
      excluded: [userId(7)],
    });
    expect([status, body.included_count, body.excluded_count]).toEqual([201, MANY, 1]);
    expect(body.included).toBeNull();
    const found = await api.get(segmentPath('crowd'));
    expect(found.body).toEqual(body);
    const [listed] = (await api.get('/segments?q=crowd')).body;
    expect(listed).toMatchObject({ key: 'crowd', included_count: MANY });
  });

  it('is read page by page, and searched', async () => {
    const { headers, body } = await keysPage('skip=99990&limit=100');
    expect([headers['x-total-count'], body]).toEqual([String(MANY), userIds.slice(-10)]);
    expect((await keysPage('')).body).toEqual(userIds.slice(0, 1_000));
    expect((await keysPage('limit=10000&skip=50000')).body).toEqual(userIds.slice(50_000, 60_000));
    const searched = await keysPage('q=USER-0012&skip=98');
    expect([searched.headers['x-total-count'], searched.body]).toEqual(['100', [userId(1298), userId(1299)]]);
    for (const query of ['q=%25', 'q=_', 'q=nobody', 'skip=100000'])
      expect((await keysPage(query)).body).toEqual([]);
    const excluded = await api.get('/segments/crowd/keys?environment_key=development&list=excluded');
    expect([excluded.headers['x-total-count'], excluded.body]).toEqual(['1', [userId(7)]]);
    for (const query of ['limit=10001', 'limit=0', 'skip=-1', 'list=both'])
      expect((await keysPage(query)).status).toBe(422);
  });

  it('is evaluated, and each of its keys counts', async () => {
    const compiled = await compiledWith('crowd');
    const isIn = (user: string) => evaluate(compiled, 'asks', { targetingKey: user }, 0).value;
    expect([0, 1, 7, 50_000, 99_999, 100_000].map((index) => isIn(userId(index)))).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  it('is changed key by key, and the audit log does not repeat the rest', async () => {
    const newcomers = [userId(200_000), userId(200_001)];
    const sent = JSON.stringify(userIds);
    const digest = createHash('sha256').update(sent).digest('hex');
    const full = await api.put(segmentPath('crowd'), { included_add: newcomers });
    expect([full.status, full.body.errors]).toEqual([
      422,
      [{ path: 'included', message: 'would have 100002 items; 100000 are allowed' }],
    ]);
    const changed = await api.put(segmentPath('crowd'), {
      included_add: newcomers,
      included_remove: userIds.slice(0, 3),
    });
    expect([changed.status, changed.body.included_count]).toEqual([200, MANY - 1]);
    expect((await keysPage('limit=1')).body).toEqual([userId(3)]);
    expect((await keysPage('q=user-20')).body).toEqual(newcomers);
    const { changes, before } = await lastEntry();
    expect(changes).toEqual({
      included: {
        old: { count: MANY, sha256: digest },
        new: {
          count: MANY - 1,
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          added: 2,
          added_keys: newcomers,
          removed: 3,
          removed_keys: userIds.slice(0, 3),
        },
      },
    });
    // Short lists are told whole.
    expect(before).toMatchObject({ excluded: [userId(7)] });
  });

  it('is renamed without a word about its keys', async () => {
    await api.put(segmentPath('crowd'), { name: 'Big crowd' });
    expect((await lastEntry())['changes']).toEqual({ name: { old: 'Crowd', new: 'Big crowd' } });
  });

  it('is emptied, and told so', async () => {
    const { body } = await api.put(segmentPath('crowd'), { included: [userId(7)] });
    expect(body.warnings).toEqual([expect.objectContaining({ code: 'empty_segment' })]);
    expect((await lastEntry())['changes']).toMatchObject({
      included: { new: { count: 1, added: 0, removed: MANY - 2 } },
    });
  });
});

describe('a body of such a size', () => {
  const crowd = (key: string, included: readonly string[] = userIds) =>
    JSON.stringify({ key, name: 'x', environment_key: 'development', included });

  it.each([
    ['nobody', 401],
    ['viewer', 403],
  ] as const)('is not read when it comes from %s', async (caller, status) => {
    // Not JSON, which nobody finds out.
    const text = crowd('unread').slice(0, -1);
    expect((await api.as(caller).raw('post', '/segments', text)).status).toBe(status);
    expect((await api.as(caller).raw('put', segmentPath('unread'), text)).status).toBe(status);
    expect((await api.as('developer').raw('post', '/segments', text)).status).toBe(400);
  });

  it('is refused above 8 MiB, with more keys than a list may have, or elsewhere', async () => {
    const huge = crowd('huge', ['x'.repeat(8 * 1024 * 1024)]);
    const refused = await api.raw('post', '/segments', huge);
    expect([refused.status, refused.body.code]).toEqual([413, 'body_too_large']);
    const many = await api.raw('post', '/segments', crowd('many', [...userIds, 'one-more']));
    expect([many.status, many.body.errors]).toEqual([
      422,
      [{ path: 'included', message: 'must have at most 100000 items' }],
    ]);
    const values = await api.raw('post', '/segments', crowd('values', new Array<string>(500_001).fill('x')));
    expect([values.status, values.body.code]).toEqual([413, 'too_many_values']);
    expect((await api.raw('post', '/environments', crowd('elsewhere'))).status).toBe(413);
  });

  it.each(['', '/', '?environment_key=development'])('is read at /segments%s', async (rest) => {
    const key = `at-${rest.length}`;
    expect((await api.raw('post', `/segments${rest}`, crowd(key))).status).toBe(201);
  });
});
