import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, PATIENT, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { segmentPath } from './support.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const PLAN = { all: [{ attribute: 'plan', operator: 'in', values: ['pro'] }] };
const users = (count: number, prefix = 'u'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, '0')}`);

const make = async (key: string, body: Json = {}): Promise<void> => {
  const { status } = await api.post('/segments', { key, name: key, environment_key: 'development', ...body });
  expect(status).toBe(201);
};
const change = async (key: string, body: Json): Promise<number> => {
  expect((await api.put(segmentPath(key), body)).status).toBe(200);
  return positionOf(key);
};
const positionOf = async (key: string): Promise<number> => {
  const { body } = await api.get(`/audit?entity_type=segment&entity_key=${key}&limit=1`);
  return (body as [{ position: number }])[0].position;
};
const revert = (key: string, position: number, more: Json = {}, environment = 'development') =>
  api.post(`/segments/${key}/revert?environment_key=${environment}`, { position, ...more });
const contentOf = ({ version: _, updated_at: __, ...rest }: Json): Json => rest;

describe('taking a change of a segment back', () => {
  it.each<[string, Json, Json]>([
    ['name', {}, { name: 'Another' }],
    ['description', { description: 'Who came first' }, { description: null }],
    ['conditions', { conditions: PLAN }, { conditions: null }],
    ['new-conditions', {}, { conditions: PLAN }],
    ['users', { included: ['alice', 'bob'] }, { included: ['carol'], excluded: ['bob'] }],
    ['short-to-long', { included: ['alice'] }, { included: users(300) }],
    ['a-few-of-many', { included: users(300) }, { included_add: ['alice'], included_remove: ['u00007'] }],
    ['long-to-short', { excluded: users(250) }, { excluded: users(150) }],
  ])('restores what it was before: %s', async (key, made, changed) => {
    await make(key, made);
    const before = (await api.get(segmentPath(key))).body as Json;
    const position = await change(key, changed);
    const { status, body } = await revert(key, position);
    expect([status, contentOf(body as Json)]).toEqual([200, contentOf(before)]);
    const [entry] = (await api.get(`/audit?entity_type=segment&entity_key=${key}&limit=1`)).body as [Json];
    expect(entry).toMatchObject({ action: 'updated', reason: `Reverts change ${position}` });
  });

  it('leaves alone what others changed since', async () => {
    await make('beside');
    const position = await change('beside', { included: ['alice'] });
    await change('beside', { name: 'Renamed' });
    expect((await revert('beside', position)).body).toMatchObject({ included: [], name: 'Renamed' });
  });

  it('is refused when the same was changed again since', async () => {
    await make('again');
    const position = await change('again', { included: ['alice'] });
    await change('again', { included: ['bob'] });
    const { status, body } = await revert('again', position);
    expect([status, body]).toMatchObject([409, { code: 'changed_since' }]);
    expect((body as Json)['detail']).toMatch(/included/);
  });

  it('is refused when more users were changed than the log names', async () => {
    await make('too-many', { included: users(600) });
    const position = await change('too-many', { included: users(600, 'v') });
    expect((await revert('too-many', position)).body).toMatchObject({ code: 'change_not_revertible' });
  });

  it('is refused for what is no change of that segment there', async () => {
    await make('one');
    const made = await positionOf('one');
    await make('two');
    for (const [key, position] of [
      ['one', made],
      ['two', made],
      ['two', 1_000_000],
    ] as const)
      expect((await revert(key, position)).body).toMatchObject({ code: 'change_not_revertible' });
    expect((await revert('none', made)).status).toBe(404);
  });

  it('is refused to who may not change the segment, and from an old copy', async () => {
    await make('guarded');
    const position = await change('guarded', { included: ['alice'] });
    const asViewer = await api.as('viewer').post('/segments/guarded/revert?environment_key=development', {
      position,
    });
    expect(asViewer.status).toBe(403);
    const stale = await api.post(
      '/segments/guarded/revert?environment_key=development',
      { position },
      { 'If-Match': '"1"' },
    );
    expect(stale.status).toBe(412);
  });
});
