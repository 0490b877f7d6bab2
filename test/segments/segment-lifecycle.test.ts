import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SegmentUsers } from '../../src/segments/segment-users.js';
import { Api, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { inSegments, segmentPath } from './support.js';

let vexil: TestApp;
let api: Api;
let made = 0;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const newKey = () => `segment-${(made += 1)}`;

/** @throws unless it was made */
async function newSegment(body: Json = {}): Promise<Json & { key: string }> {
  const segment = { key: newKey(), name: 'A segment', environment_key: 'development', ...body };
  const answer = await api.post('/segments', segment);
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body;
}

const historyOf = async (key: string): Promise<Json[]> =>
  (await api.get(`/audit?entity_type=segment&entity_key=${key}&limit=200`)).body;

describe('making one', () => {
  it('answers with all of it, as reading it does', async () => {
    const revision = await api.revision();
    const key = newKey();
    const { status, headers, body } = await api.post('/segments', {
      key,
      name: ' Beta ',
      description: 'Early birds',
      environment_key: 'development',
      included: ['bob', 'alice', 'bob'],
      excluded: ['carol'],
      conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro'] }] },
    });
    expect([status, headers['etag']]).toEqual([201, '"1"']);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      key,
      name: 'Beta',
      description: 'Early birds',
      environment_id: expect.any(String),
      environment_key: 'development',
      included: ['alice', 'bob'],
      included_count: 2,
      excluded: ['carol'],
      excluded_count: 1,
      conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro'], negate: false }] },
      used_by: { flags: [], segments: [] },
      warnings: [],
      version: 1,
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect((await api.get(segmentPath(key))).body).toEqual(body);
    expect(await api.revision()).toBe(revision + 1);
  });

  it('in every environment makes one in each, with a history of its own', async () => {
    const key = newKey();
    const { status, body } = await api.post('/segments', { key, name: 'Everywhere', included: ['a'] });
    expect([status, body.environment_key]).toEqual([201, 'development']);
    await api.put(segmentPath(key, 'staging'), { name: 'Only here' });
    expect((await api.get(segmentPath(key, 'production'))).body).toMatchObject({
      name: 'Everywhere',
      version: 1,
    });
    const entries = (await historyOf(key)).map(({ action, environment_key, revisions }) => [
      action,
      environment_key,
      Object.keys(revisions as object),
    ]);
    expect(entries).toEqual([
      ['updated', 'staging', ['staging']],
      ['created', 'production', ['production']],
      ['created', 'staging', ['staging']],
      ['created', 'development', ['development']],
    ]);
  });

  it('takes the environment from the query too, and refuses two different ones', async () => {
    const key = newKey();
    const { status } = await api.post('/segments?environment_key=staging', { key, name: 'x' });
    expect(status).toBe(201);
    expect((await api.get(segmentPath(key, 'development'))).status).toBe(404);
    const both = await api.post('/segments?environment_key=staging', {
      key: newKey(),
      name: 'x',
      environment_key: 'development',
    });
    expect(both.status).toBe(422);
  });

  it('is refused where there is one of that key, and then made nowhere', async () => {
    const { key } = await newSegment({ environment_key: 'staging' });
    const { status, body } = await api.post('/segments', { key, name: 'x' });
    expect([status, body.code]).toEqual([409, 'segment_exists']);
    expect(body.detail).toBe(`Segment '${key}' already exists in environment 'staging'`);
    expect((await api.get(segmentPath(key))).status).toBe(404);
  });

  it.each([
    ['key', { key: 'A' }],
    ['key', { key: '' }],
    ['key', { key: '__proto__' }],
    ['key', { key: 'a'.repeat(101) }],
    ['name', { name: ' ' }],
    ['included[1]', { included: ['a', ''] }],
    ['included[0]', { included: [7] }],
    ['included[0]', { included: ['a\0'] }],
    ['included[0]', { included: ['x'.repeat(1025)] }],
    ['excluded', { excluded: 'a' }],
    ['included_add', { included_add: ['a'] }],
    ['version', { version: 3 }],
    ['environment_id', { environment_id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21' }],
  ])('refuses a wrong or unknown %s: %j', async (path, fields) => {
    const { status, body } = await api.post('/segments', {
      key: newKey(),
      name: 'x',
      environment_key: 'development',
      ...fields,
    });
    expect([status, body.errors?.map((problem: Json) => problem['path'])]).toEqual([422, [path]]);
  });

  it('says 404 of an environment that is not there', async () => {
    const { status, body } = await api.post('/segments', { key: newKey(), name: 'x', environment_key: 'no' });
    expect([status, body.code]).toEqual([404, 'environment_not_found']);
  });
});

describe('reading', () => {
  it.each(['nothing', '__proto__', '%25', `x'--`])('says 404 of %j', async (key) => {
    for (const path of [
      segmentPath(key),
      `/segments/${key}/keys?environment_key=development&list=included`,
    ]) {
      const { status, body } = await api.get(path);
      expect([status, body.code]).toEqual([404, 'segment_not_found']);
    }
  });

  it('gives no 304, since users and warnings change while the version does not', async () => {
    const { key } = await newSegment();
    const { status, headers } = await api.get(segmentPath(key), { 'If-None-Match': '"1"' });
    expect([status, headers['etag']]).toEqual([200, '"1"']);
  });

  it('lists them by key without their keys, and pages and finds', async () => {
    const names = ['list-c', 'list-a', 'list-b'];
    for (const key of names) await newSegment({ key, environment_key: 'staging', included: ['u'] });
    await newSegment({ key: 'list-a', name: '100% Percent', environment_key: 'production' });
    const { headers, body } = await api.get('/segments?q=list-&environment_key=staging');
    expect([headers['x-total-count'], body.map(({ key }: Json) => key)]).toEqual([
      '3',
      ['list-a', 'list-b', 'list-c'],
    ]);
    expect(body[0]).toMatchObject({ included_count: 1, excluded_count: 0, warnings: [] });
    expect(body[0]).not.toHaveProperty('included');
    const page = await api.get('/segments?q=LIST-&skip=1&limit=2');
    expect([page.headers['x-total-count'], page.body.length]).toEqual(['4', 2]);
    expect(page.body.map(({ key, environment_key }: Json) => [key, environment_key])).toEqual([
      ['list-a', 'production'],
      ['list-b', 'staging'],
    ]);
    expect((await api.get('/segments?q=100%25&environment_key=production')).body).toHaveLength(1);
    expect((await api.get('/segments?q=1_0')).body).toEqual([]);
    expect((await api.get('/segments?environment_key=nowhere')).status).toBe(404);
  });
});

describe('changing one', () => {
  it('changes the fields that are given, and leaves one entry with old and new', async () => {
    const segment = await newSegment({ included: ['a'], description: 'd' });
    const answer = await api.put(segmentPath(segment.key), {
      description: null,
      included: ['b', 'a'],
      reason: 'more',
    });
    expect([answer.status, answer.headers['etag']]).toEqual([200, '"2"']);
    expect(answer.body).toEqual({
      ...segment,
      description: null,
      included: ['a', 'b'],
      included_count: 2,
      version: 2,
      updated_at: expect.any(String),
    });
    expect((await api.get(segmentPath(segment.key))).body).toEqual(answer.body);
    const [entry] = await historyOf(segment.key);
    expect(entry).toMatchObject({
      entity_id: segment['id'],
      action: 'updated',
      environment_key: 'development',
      revision: await api.revision(),
      reason: 'more',
      changes: { description: { old: 'd', new: null }, included: { old: ['a'], new: ['a', 'b'] } },
    });
    expect(Object.keys(entry!['changes'] as object)).toHaveLength(2);
  });

  it('adds to and takes from the lists', async () => {
    const { key } = await newSegment({ included: ['a', 'b'], excluded: ['x'] });
    const { body } = await api.put(segmentPath(key), {
      included_add: ['c', 'a', 'both'],
      included_remove: ['b', 'never-was', 'both'],
      excluded_remove: ['x'],
    });
    expect(body).toMatchObject({ included: ['a', 'both', 'c'], excluded: [], version: 2 });
    const both = await api.put(segmentPath(key), { included: [], included_add: ['a'] });
    expect(both.body.errors).toEqual([{ path: 'included_add', message: 'cannot be given with included' }]);
  });

  it.each([
    {},
    { name: 'A segment' },
    { included: ['b', 'a', 'a'] },
    { included_add: ['a'], excluded_remove: ['nobody'] },
    { conditions: { all: [{ attribute: 'n', operator: 'equals', values: [0], negate: false }] } },
    { reason: 'none' },
  ])('to what it is already leaves no entry and no revision: %j', async (fields) => {
    const segment = await newSegment({
      included: ['a', 'b'],
      conditions: { all: [{ attribute: 'n', operator: 'equals', values: [-0] }] },
    });
    const revision = await api.revision();
    const { status, body } = await api.put(segmentPath(segment.key), fields);
    expect([status, body]).toEqual([200, segment]);
    expect(await api.revision()).toBe(revision);
    expect(await historyOf(segment.key)).toHaveLength(1);
  });

  it.each([
    ['"1"', 412],
    ['"2"', 200],
    ['W/"2"', 200],
    ['"1", "2"', 200],
    ['*', 200],
    ['"3"', 412],
    ['yesterday', 400],
  ])('takes If-Match %s at version 2 as %i', async (header, status) => {
    const { key } = await newSegment();
    await api.put(segmentPath(key), { name: 'Second' });
    const answer = await api.put(segmentPath(key), { name: 'Third' }, { 'If-Match': header });
    expect(answer.status).toBe(status);
    expect((await api.get(segmentPath(key))).body.name).toBe(status === 200 ? 'Third' : 'Second');
    if (status === 412)
      expect(answer.body).toMatchObject({
        code: 'stale_version',
        detail: expect.stringContaining(`Segment '${key}' in 'development' has changed`),
      });
  });

  it('leaves conditions of a later version as they are until somebody says otherwise', async () => {
    const { key } = await newSegment();
    const later = { all: [{ attribute: 'x', operator: 'from_the_future', values: [1] }] };
    const stored = async () =>
      (await vexil.query('SELECT conditions FROM segments WHERE key = $1', [key]))[0]?.['conditions'];
    await vexil.query('UPDATE segments SET conditions = $1 WHERE key = $2', [later, key]);
    expect((await api.put(segmentPath(key), { name: 'Seen' })).body).toMatchObject({
      name: 'Seen',
      conditions: null,
      warnings: [],
    });
    expect(await stored()).toEqual(later);
    await api.put(segmentPath(key), { conditions: null });
    expect(await stored()).toEqual(later);
    await api.put(segmentPath(key), { conditions: { any: [] } });
    expect(await stored()).toEqual({ any: [] });
  });
});

describe('deleting one', () => {
  it('removes it, and leaves an entry with all that it was', async () => {
    const { key, id } = await newSegment({ included: ['a'] });
    expect((await api.delete(`${segmentPath(key)}&reason=over`, { 'If-Match': '"2"' })).status).toBe(412);
    expect((await api.delete(`${segmentPath(key)}&reason=over`)).status).toBe(204);
    expect((await api.delete(segmentPath(key))).status).toBe(404);
    const [deleted, created] = await historyOf(key);
    expect(deleted).toMatchObject({ action: 'deleted', entity_id: id, reason: 'over', after: null });
    expect(deleted!['before']).toEqual(created!['after']);
    expect(deleted!['revision']).toBe(await api.revision());
  });

  it('is refused while others use it, and names them', async () => {
    const { key } = await newSegment({ included: ['a'] });
    const { key: user } = await newSegment({ conditions: inSegments(key) });
    const users = vexil.app.get(SegmentUsers, { strict: false });
    const { id } = (await api.get('/environments/development')).body;
    users.registerFlags({
      usesIn: (environmentId) =>
        Promise.resolve(
          new Map(
            environmentId === id
              ? [
                  ['flag-b', [key]],
                  ['flag-a', [key, 'other']],
                ]
              : [],
          ),
        ),
    });
    try {
      expect((await api.get(segmentPath(key))).body.used_by).toEqual({
        flags: ['flag-a', 'flag-b'],
        segments: [user],
      });
      const { status, body } = await api.delete(segmentPath(key));
      expect([status, body.code]).toEqual([409, 'segment_in_use']);
      expect(body.detail).toBe(
        `Segment '${key}' is used by flags 'flag-a', 'flag-b' and segment '${user}'. Take it out there first.`,
      );
    } finally {
      users.registerFlags({ usesIn: () => Promise.resolve(new Map()) });
    }
    await api.put(segmentPath(user), { conditions: null });
    expect((await api.delete(segmentPath(key))).status).toBe(204);
  });
});

describe('warnings', () => {
  it('tell of a segment that is empty, and of those that use it, as things change', async () => {
    const { key, warnings } = await newSegment({ included: ['a'], excluded: ['a', 'b'] });
    const empty = [{ code: 'empty_segment', path: '', message: 'has nobody in it' }];
    expect(warnings).toEqual(empty);
    const { key: user } = await newSegment({ included: ['z'], conditions: inSegments(key) });
    const ofUser = async () => (await api.get(segmentPath(user))).body.warnings;
    expect(await ofUser()).toEqual([
      { code: 'empty_segment', path: 'conditions', message: `segment '${key}' has nobody in it` },
    ]);
    const listed = (await api.get(`/segments?q=${key}&environment_key=development`)).body;
    expect(listed.find((segment: Json) => segment['key'] === key).warnings).toEqual(empty);
    expect((await api.put(segmentPath(key), { excluded: [] })).body.warnings).toEqual([]);
    expect(await ofUser()).toEqual([]);
  });
});

describe('who may', () => {
  it.each([
    ['development', true],
    ['production', false],
  ])('a developer change one in %s: %s', async (environment, may) => {
    const developer = api.as('developer');
    const key = newKey();
    const body = { key, name: 'x', environment_key: environment };
    expect((await developer.post('/segments', body)).status).toBe(may ? 201 : 403);
    if (!may) await api.post('/segments', body);
    const changed = await developer.put(segmentPath(key, environment), { name: 'y' });
    expect([changed.status, changed.body.code]).toEqual(
      may ? [200, undefined] : [403, 'environment_protected'],
    );
    expect((await developer.delete(segmentPath(key, environment))).status).toBe(403);
    expect((await api.as('viewer').get(segmentPath(key, environment))).status).toBe(200);
    expect((await api.delete(segmentPath(key, environment))).status).toBe(204);
  });

  it('not a developer make one everywhere, for production is among them', async () => {
    const key = newKey();
    expect((await api.as('developer').post('/segments', { key, name: 'x' })).status).toBe(403);
    expect((await api.get(segmentPath(key))).status).toBe(404);
  });
});

describe('an environment with segments', () => {
  it('is deleted only by force, and then with an entry for each', async () => {
    await api.post('/environments', { key: 'doomed', name: 'Doomed' });
    const used = await newSegment({ environment_key: 'doomed', included: ['a'] });
    const user = await newSegment({ environment_key: 'doomed', conditions: inSegments(used.key) });
    const refused = await api.delete('/environments/doomed');
    expect([refused.status, refused.body.code]).toEqual([409, 'environment_in_use']);
    expect(refused.body.detail).toContain('2 segment(s)');
    expect((await api.delete('/environments/doomed?force=true')).status).toBe(204);
    const entries: Json[] = (await api.get('/audit?environment_key=doomed')).body;
    expect(
      entries.slice(0, 3).map(({ entity_type, entity_key, action }) => [entity_type, entity_key, action]),
    ).toEqual([
      ['environment', 'doomed', 'deleted'],
      ['segment', user.key, 'deleted'],
      ['segment', used.key, 'deleted'],
    ]);
    expect((await api.get(segmentPath(used.key, 'doomed'))).status).toBe(404);
    expect((await api.get('/audit/verify')).body.valid).toBe(true);
  });
});
