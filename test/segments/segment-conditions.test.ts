import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseSnapshot } from '../../src/core/index.js';
import { documentOf, FlagSnapshotReader } from '../../src/flags/flag-snapshot.reader.js';
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

const newKey = () => `rule-${(made += 1)}`;
const create = (conditions: unknown, body: Json = {}) =>
  api.post('/segments', { key: newKey(), name: 'x', environment_key: 'development', conditions, ...body });

const condition = (operator: string, ...values: unknown[]): Json => ({ attribute: 'a', operator, values });
const nested = (depth: number, innermost: Json): Json =>
  depth === 0 ? innermost : { not: nested(depth - 1, innermost) };

describe('a mistake is refused with its place', () => {
  it.each<[place: string, conditions: unknown]>([
    ['conditions', []],
    ['conditions', 'all'],
    ['conditions', {}],
    ['conditions', { all: [], any: [] }],
    ['conditions.some', { all: [], some: [] }],
    ['conditions.all', { all: {} }],
    ['conditions.all[1]', { all: [condition('equals', 'x'), 'y'] }],
    ['conditions.any[0].operator', { any: [condition('resembles', 'x')] }],
    ['conditions.any[0].operator', { any: [condition('constructor', 'x')] }],
    ['conditions.any[0].attribute', { any: [{ operator: 'equals', values: ['x'] }] }],
    ['conditions.any[0].attribute', { any: [{ ...condition('equals', 'x'), attribute: 'x'.repeat(201) }] }],
    ['conditions.any[0].values', { any: [{ attribute: 'a', operator: 'equals' }] }],
    ['conditions.any[0].values[1]', { any: [condition('equals', 'x', null)] }],
    ['conditions.any[0].values[0]', { any: [condition('equals', { $ne: 1 })] }],
    ['conditions.any[0].values[0]', { any: [condition('equals', 'a\0')] }],
    ['conditions.any[0].values[0]', { any: [condition('equals', 'x'.repeat(1001))] }],
    ['conditions.any[0].colour', { any: [{ ...condition('equals', 'x'), colour: 'red' }] }],
    ['conditions.any[0].negate', { any: [{ ...condition('equals', 'x'), negate: 'yes' }] }],
    ['conditions.any[0].values', { any: [condition('is_set', 'x')] }],
    ['conditions.any[0].case_insensitive', { any: [{ ...condition('gt', 1), case_insensitive: true }] }],
    ['conditions.any[0].values[0]', { any: [condition('gt', '1')] }],
    ['conditions.any[0].values[0]', { any: [condition('contains', 1)] }],
    ['conditions.any[0].values[0]', { any: [condition('matches', '(')] }],
    ['conditions.any[0].values[0]', { any: [condition('matches', '(?=a)b')] }],
    ['conditions.any[0].values[0]', { any: [condition('matches', '(a)\\1')] }],
    ['conditions.any[0].values[0]', { any: [condition('semver_gt', '1.2')] }],
    ['conditions.any[0].values[0]', { any: [condition('semver_in_range', '>>1')] }],
    ['conditions.any[0].values[0]', { any: [condition('before', '2026-02-30')] }],
    ['conditions.any[0].values[0]', { any: [condition('in_cidr', '10.0.0.0/40')] }],
    ['conditions.any[0].values[0]', { any: [{ operator: 'in_segment', values: ['nowhere'] }] }],
    ['conditions.any[0].attribute', { any: [condition('in_segment')] }],
    ['conditions.any[0].salt', { any: [{ operator: 'bucket', values: [0, 1] }] }],
    ['conditions.any[0].values[1]', { any: [{ operator: 'bucket', values: [5, 1], salt: 's' }] }],
    [
      'conditions.all[1].not.any[0].values[2]',
      { all: [condition('equals'), { not: { any: [condition('in_cidr', '::1', '::2', 'x')] } }] },
    ],
    [`conditions${'.not'.repeat(20)}`, nested(20, { all: [] })],
  ])('%s in %j', async (place, conditions) => {
    const { status, body } = await create(conditions);
    expect([status, body.errors?.map(({ path }: Json) => path)]).toEqual([422, [place]]);
  });

  it('and so is every other one', async () => {
    const { body } = await create({
      all: [condition('gt', 'x'), condition('matches', '('), condition('in_cidr', 'x', '::1', 'y')],
    });
    expect(body.errors.map(({ path }: Json) => path)).toEqual([
      'conditions.all[0].values[0]',
      'conditions.all[1].values[0]',
      'conditions.all[2].values[0]',
      'conditions.all[2].values[2]',
    ]);
  });

  it('but no more than fifty of them', async () => {
    const { status, body } = await create({ any: [condition('gt', ...new Array<string>(2_000).fill('x'))] });
    expect([status, body.errors.length]).toEqual([422, 50]);
  });

  it('on an edit too, which then changes nothing', async () => {
    const { body } = await create(null);
    const edit = await api.put(segmentPath(body.key), {
      name: 'New',
      conditions: { any: [condition('gt', 'x')] },
    });
    expect([edit.status, edit.body.errors[0].path]).toEqual([422, 'conditions.any[0].values[0]']);
    expect((await api.get(segmentPath(body.key))).body).toEqual(body);
  });
});

describe('what is right', () => {
  it.each<unknown>([
    null,
    { all: [] },
    { any: [] },
    { any: [condition('equals')] },
    { all: [condition('in', 'x', 1, true), { ...condition('in', 'ä'), case_insensitive: true }] },
    { any: [condition('between', 1, 2), { not: condition('semver_in_range', '^1.2.0 || >=3') }] },
    {
      all: [
        condition('before', '2026-11-21T09:30:00Z'),
        { attribute: 'now', operator: 'after', values: [0] },
      ],
    },
    { any: [{ attribute: 'email', operator: 'is_set' }, condition('in_cidr', '10.0.0.0/8', '::1')] },
    { any: [{ operator: 'bucket', values: [0, 2500], salt: 's', hash_version: 'md5-8', negate: true }] },
    nested(19, { all: [] }),
  ])('is kept and given back: %j', async (conditions) => {
    const { status, body } = await create(conditions);
    expect(status).toBe(201);
    // What reading gives can be written as it is, and is the same.
    const again = await api.put(segmentPath(body.key), { conditions: body.conditions });
    expect([again.status, again.body.version]).toEqual([200, 1]);
  });

  it('calls the unit user_id at the edge, and targetingKey in what is evaluated', async () => {
    const { body } = await create({
      all: [
        { attribute: 'user_id', operator: 'starts_with', values: ['x'] },
        { not: { attribute: 'targetingKey', operator: 'is_set' } },
      ],
    });
    expect(body.conditions).toEqual({
      all: [
        { attribute: 'user_id', operator: 'starts_with', values: ['x'], negate: false },
        { not: { attribute: 'user_id', operator: 'is_set', values: [], negate: false } },
      ],
    });
    const [row] = await vexil.query('SELECT conditions FROM segments WHERE key = $1', [body.key]);
    expect(JSON.stringify(row)).not.toContain('user_id');
  });

  it('is in the ruleset of its environment, as the core reads it', async () => {
    await api.post('/environments', { key: 'ruled', name: 'Ruled' });
    const place = { environment_key: 'ruled' };
    await api.post('/segments', { key: 'b', name: 'B', ...place, included: ['u'], excluded: ['v'] });
    await api.post('/segments', { key: 'a', name: 'A', ...place, conditions: inSegments('b') });
    const parts = await vexil.app.get(FlagSnapshotReader, { strict: false }).read('ruled');
    if (!parts) throw new Error('no environment');
    const parsed = parseSnapshot(documentOf(parts).ruleset);
    expect(parsed).toMatchObject({
      ok: true,
      problems: [],
      snapshot: {
        revision: 3,
        segments: [
          {
            key: 'a',
            included: [],
            conditions: { any: [{ attribute: 'targetingKey', operator: 'in_segment', values: ['b'] }] },
          },
          { key: 'b', included: ['u'], excluded: ['v'], conditions: null },
        ],
      },
    });
  });
});

describe('segments that use segments', () => {
  /** @throws unless it was made */
  const chainOf = async (length: number): Promise<string[]> => {
    const keys: string[] = [];
    for (let index = 0; index < length; index += 1) {
      const { status, body, text } = await create(index === 0 ? null : inSegments(keys[index - 1]!));
      if (status !== 201) throw new Error(text);
      keys.push(body.key);
    }
    return keys;
  };
  const problemsOf = async (key: string, uses: string) =>
    (await api.put(segmentPath(key), { conditions: inSegments(uses) })).body.errors;

  it('cannot use themselves', async () => {
    const [key = ''] = await chainOf(1);
    expect(await problemsOf(key, key)).toEqual([
      { path: 'conditions', message: `must not run in a circle: ${key} → ${key}` },
    ]);
  });

  it('cannot run in a circle, and the circle is told', async () => {
    const [first = '', second = '', third = ''] = await chainOf(3);
    expect(await problemsOf(first, third)).toEqual([
      { path: 'conditions', message: `must not run in a circle: ${first} → ${third} → ${second} → ${first}` },
    ]);
  });

  it('cannot make a chain longer than ten', async () => {
    const keys = await chainOf(11);
    const { status, body } = await create(inSegments(keys.at(-1)!));
    expect([status, body.errors[0].message]).toEqual([422, expect.stringContaining('10 are allowed')]);
  });

  it('use those of their own environment only', async () => {
    const [key = ''] = await chainOf(1);
    const elsewhere = await create(inSegments(key), { environment_key: 'staging' });
    expect(elsewhere.body.errors).toEqual([
      { path: 'conditions.any[0].values[0]', message: `'${key}' is not a segment` },
    ]);
    const everywhere = await create(inSegments(key), { environment_key: undefined });
    expect(everywhere.body.errors).toEqual([
      { path: 'conditions.any[0].values[0]', message: `'${key}' is not a segment in 'staging'` },
    ]);
  });
});
