import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
let made = 0;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const newKey = () => `shape-${(made += 1)}`;
const texts = (...keys: string[]) => keys.map((key) => ({ key, value: key }));
const ALL_ON = [{ variant: 'on', from: 0, to: 10_000 }];
const rollout = (key: string, percentage: number, changes: Json = {}) => ({
  rollout: {
    percentage,
    weights: [{ variant: 'on', weight: 100 }],
    bucket_by: 'user_id',
    salt: key,
    hash_version: 'murmur3',
    allocation: ALL_ON,
    ...changes,
  },
});

it.each<[string, Json, (key: string) => Json]>([
  [
    'a boolean flag',
    { flag_type: 'boolean' },
    () => ({ flag_type: 'boolean', rollout_percentage: 100, default_serve: { variant: 'on' } }),
  ],
  // System 002 sends its default along.
  [
    'a boolean flag with 002’s default',
    { flag_type: 'boolean', rollout_percentage: 0 },
    () => ({ flag_type: 'boolean', rollout_percentage: 100 }),
  ],
  [
    'a boolean flag with a share that 002 sends along',
    { flag_type: 'boolean', rollout_percentage: 25 },
    () => ({ flag_type: 'boolean', rollout_percentage: 100, default_serve: { variant: 'on' } }),
  ],
  [
    'a percentage that is not named',
    { flag_type: 'percentage' },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 0, default_serve: rollout(key, 0) }),
  ],
  [
    'a percentage',
    { flag_type: 'percentage', rollout_percentage: 25 },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 25, default_serve: rollout(key, 25) }),
  ],
  [
    'a percentage alone',
    { rollout_percentage: 0.01 },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 0.01, default_serve: rollout(key, 0.01) }),
  ],
  [
    'hundredths',
    { rollout_percentage: 76.29 },
    (key) => ({ rollout_percentage: 76.29, default_serve: rollout(key, 76.29) }),
  ],
  [
    'hundredths that a computer writes badly',
    { rollout_percentage: 0.07 },
    () => ({ rollout_percentage: 0.07 }),
  ],
  ['more of those', { rollout_percentage: 64.13 }, () => ({ rollout_percentage: 64.13 })],
  [
    'everyone as a percentage',
    { flag_type: 'percentage', rollout_percentage: 100 },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 100, default_serve: rollout(key, 100) }),
  ],
  [
    'no percentage, said as null',
    { rollout_percentage: null, default_serve: { variant: 'off' } },
    () => ({ flag_type: 'multivariate', rollout_percentage: null, default_serve: { variant: 'off' } }),
  ],
  [
    'the rich shape of a percentage',
    { default_serve: { rollout: { percentage: 25 } } },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 25, default_serve: rollout(key, 25) }),
  ],
  [
    'a percentage as weights',
    {
      default_serve: {
        rollout: {
          weights: [
            { variant: 'off', weight: 75 },
            { variant: 'on', weight: 25 },
          ],
        },
      },
    },
    (key) => ({ flag_type: 'percentage', rollout_percentage: 25, default_serve: rollout(key, 25) }),
  ],
  [
    'both shapes that agree',
    { flag_type: 'percentage', rollout_percentage: 25, default_serve: { rollout: { percentage: 25 } } },
    () => ({ rollout_percentage: 25 }),
  ],
  [
    'a salt of its own',
    { default_serve: { rollout: { percentage: 5, salt: 's' } } },
    () => ({ flag_type: 'percentage', rollout_percentage: 5, default_serve: rollout('s', 5) }),
  ],
  [
    'another attribute',
    { default_serve: { rollout: { percentage: 5, bucket_by: 'company' } } },
    (key) => ({
      flag_type: 'multivariate',
      rollout_percentage: null,
      default_serve: rollout(key, 5, { bucket_by: 'company' }),
    }),
  ],
  [
    'nobody',
    { default_serve: { variant: 'off' } },
    () => ({ flag_type: 'multivariate', rollout_percentage: null, default_serve: { variant: 'off' } }),
  ],
  [
    'no off variant',
    { off_variant: null, default_serve: { rollout: { percentage: 5 } } },
    (key) => ({ flag_type: 'multivariate', off_variant: null, default_serve: rollout(key, 5) }),
  ],
  [
    'a text flag',
    { value_type: 'string', variants: texts('a', 'b') },
    () => ({ flag_type: 'multivariate', off_variant: null, default_serve: { variant: 'a' } }),
  ],
  [
    'a number flag',
    {
      value_type: 'number',
      variants: [
        { key: 'small', value: -2.5 },
        { key: 'big', value: 1e21 },
      ],
      default_serve: { variant: 'big' },
    },
    () => ({
      default_serve: { variant: 'big' },
      variants: [
        { key: 'small', value: -2.5 },
        { key: 'big', value: 1e21 },
      ],
    }),
  ],
  [
    'a JSON flag',
    {
      value_type: 'json',
      variants: [
        { key: 'a', value: { b: [1, null], a: 'x' } },
        { key: 'n', value: null },
      ],
    },
    () => ({
      variants: [
        { key: 'a', value: { b: [1, null], a: 'x' } },
        { key: 'n', value: null },
      ],
    }),
  ],
  [
    'a split',
    {
      value_type: 'string',
      variants: texts('a', 'b', 'c'),
      default_serve: {
        rollout: {
          percentage: 50,
          weights: [
            { variant: 'c', weight: 33.33 },
            { variant: 'a', weight: 66.67 },
          ],
        },
      },
    },
    (key) => ({
      flag_type: 'multivariate',
      default_serve: {
        rollout: {
          percentage: 50,
          weights: [
            { variant: 'a', weight: 66.67 },
            { variant: 'c', weight: 33.33 },
          ],
          bucket_by: 'user_id',
          salt: key,
          hash_version: 'murmur3',
          allocation: [
            { variant: 'a', from: 0, to: 6667 },
            { variant: 'c', from: 6667, to: 10_000 },
          ],
        },
      },
    }),
  ],
])('understands %s, and writing back what was read changes nothing', async (_, input, expected) => {
  const key = newKey();
  const flag = await api.newFlag({ key, ...input });
  expect(flag).toMatchObject(expected(key));
  expect(await api.flag(key)).toEqual(flag);

  const [revision, history] = [await api.revision(), await api.history(key)];
  const {
    default_serve,
    flag_type,
    rollout_percentage,
    off_variant,
    is_enabled,
    variants,
    tags,
    owner,
    name,
    description,
  } = flag;
  for (const copy of [
    { default_serve },
    { flag_type, rollout_percentage, default_serve },
    {
      default_serve,
      flag_type,
      rollout_percentage,
      off_variant,
      is_enabled,
      variants,
      tags,
      owner,
      name,
      description,
    },
    {},
  ]) {
    expect(await api.change(key, copy)).toEqual(flag);
  }
  expect(await api.revision()).toBe(revision);
  expect(await api.history(key)).toEqual(history);

  const elsewhere = await api.newFlag({ key, environment_key: 'staging', default_serve, off_variant });
  expect(elsewhere['default_serve']).toEqual(default_serve);
});

it.each<[string, Json, Json, string]>([
  [
    'a type that the serve has not',
    {},
    { flag_type: 'boolean', default_serve: { rollout: { percentage: 25 } } },
    'flag_type',
  ],
  [
    'a percentage that the serve has not',
    {},
    { rollout_percentage: 30, default_serve: { rollout: { percentage: 25 } } },
    'rollout_percentage',
  ],
  [
    'a percentage of a fixed serve',
    {},
    { rollout_percentage: 30, default_serve: { variant: 'off' } },
    'rollout_percentage',
  ],
  [
    'a percentage of many variants',
    {},
    { flag_type: 'multivariate', rollout_percentage: 30 },
    'rollout_percentage',
  ],
  ['many variants without saying which', {}, { flag_type: 'multivariate' }, 'default_serve'],
  [
    'a percentage without anything for the rest',
    {},
    { flag_type: 'percentage', rollout_percentage: 30, off_variant: null },
    'off_variant',
  ],
  [
    'a percentage of a text',
    { value_type: 'string', variants: texts('a') },
    { rollout_percentage: 30 },
    'rollout_percentage',
  ],
  [
    'a text flag as a boolean one',
    { value_type: 'string', variants: texts('a') },
    { flag_type: 'boolean' },
    'flag_type',
  ],
  [
    'a percentage where more is said',
    { default_serve: { variant: 'off' } },
    { rollout_percentage: 30 },
    'rollout_percentage',
  ],
  ['variants that are none', {}, { default_serve: { variant: 'blue' } }, 'default_serve.variant'],
  ['an off variant that is none', {}, { off_variant: 'blue' }, 'off_variant'],
  [
    'weights that are too few',
    { value_type: 'string', variants: texts('a', 'b') },
    { default_serve: { rollout: { weights: [{ variant: 'a', weight: 99.99 }] } } },
    'default_serve.rollout.weights',
  ],
  [
    'weights of nothing',
    { value_type: 'string', variants: texts('a', 'b') },
    { default_serve: { rollout: { percentage: 50 } } },
    'default_serve.rollout.weights',
  ],
  [
    'weights of a variant that is none',
    { value_type: 'string', variants: texts('a') },
    { default_serve: { rollout: { weights: [{ variant: 'b', weight: 100 }] } } },
    'default_serve.rollout.weights[0].variant',
  ],
  [
    'a variant twice',
    { value_type: 'string', variants: texts('a') },
    {
      default_serve: {
        rollout: {
          weights: [
            { variant: 'a', weight: 50 },
            { variant: 'a', weight: 50 },
          ],
        },
      },
    },
    'default_serve.rollout.weights[1].variant',
  ],
  ['steps below 0.01', {}, { rollout_percentage: 33.333 }, 'rollout_percentage'],
  ['steps far below 0.01', {}, { rollout_percentage: 1e-9 }, 'rollout_percentage'],
  ['more than everyone', {}, { rollout_percentage: 100.01 }, 'rollout_percentage'],
  ['less than nobody', {}, { rollout_percentage: -0.01 }, 'rollout_percentage'],
  ['a percentage as text', {}, { rollout_percentage: '25' }, 'rollout_percentage'],
  [
    'a hash that is none',
    {},
    { default_serve: { rollout: { percentage: 5, hash_version: 'md4' } } },
    'default_serve.rollout.hash_version',
  ],
  [
    'a field of a rollout that is none',
    {},
    { default_serve: { rollout: { percent: 5 } } },
    'default_serve.rollout.percent',
  ],
  [
    'a percentage of a rollout beyond its bounds',
    {},
    { default_serve: { rollout: { percentage: 101 } } },
    'default_serve.rollout.percentage',
  ],
  [
    'a variant and a rollout',
    {},
    { default_serve: { variant: 'on', rollout: { percentage: 5 } } },
    'default_serve',
  ],
  ['neither variant nor rollout', {}, { default_serve: {} }, 'default_serve'],
  ['a serve that is none', {}, { default_serve: 'on' }, 'default_serve'],
])('refuses %s, and says where', async (_, existing, change, path) => {
  const key = newKey();
  const flag = await api.newFlag({ key, ...existing });
  const refused = await api.put(flagPath(key), change);
  expect(refused.status).toBe(422);
  expect(refused.headers['content-type']).toContain('application/problem+json');
  expect(refused.body.errors.map((problem: { path: string }) => problem.path)).toContain(path);
  expect(await api.flag(key)).toEqual(flag);
});

it.each<[string, Json, Json, Json]>([
  [
    'only the percentage',
    { flag_type: 'percentage', rollout_percentage: 25 },
    { rollout_percentage: 30 },
    {
      path: 'rollout_percentage',
      message: 'contradicts default_serve; leave default_serve out, or change both',
    },
  ],
  [
    'only the percentage of everyone',
    { flag_type: 'boolean' },
    { rollout_percentage: 30 },
    {
      path: 'rollout_percentage',
      message: 'means nothing where flag_type is boolean; say percentage, and leave default_serve out',
    },
  ],
  [
    'only the type',
    { flag_type: 'percentage', rollout_percentage: 25 },
    { flag_type: 'boolean' },
    {
      path: 'flag_type',
      message: 'contradicts default_serve, which is percentage; leave default_serve out, or change both',
    },
  ],
])('tells who changes %s of what they read what else to do', async (_, existing, change, problem) => {
  const key = newKey();
  const { flag_type, rollout_percentage, default_serve } = await api.newFlag({ key, ...existing });
  const whole = { flag_type, rollout_percentage, default_serve, ...change };
  const refused = await api.put(flagPath(key), whole);
  expect([refused.status, refused.body.errors]).toEqual([422, expect.arrayContaining([problem])]);
});

it('says what a serve may look like', async () => {
  const key = newKey();
  await api.newFlag({ key });
  for (const default_serve of [{}, 'on', { variant: 'on', rollout: {} }]) {
    const refused = await api.put(flagPath(key), { default_serve });
    expect(refused.body.errors).toEqual([
      { path: 'default_serve', message: 'must be either {"variant": …} or {"rollout": {…}}' },
    ]);
  }
});

it.each<[string, Json]>([
  [
    'a share',
    { rollout: { weights: ['a', 'b', 'c'].map((variant, i) => ({ variant, weight: [50, 30, 20][i] })) } },
  ],
  ['everyone', { variant: 'b' }],
])('says that a variant cannot go while %s gets it', async (_, default_serve) => {
  const key = newKey();
  const definition = { key, value_type: 'string', variants: texts('a', 'b', 'c'), default_serve };
  await api.newFlag(definition);
  const errorsOf = async (body: Json, environment?: string) =>
    (await api.put(flagPath(key, environment), body)).body.errors;
  const without = { variants: texts('a', 'c') };
  expect(await errorsOf(without)).toEqual([
    {
      path: 'variants',
      message: "'b' is not a variant of this flag, but is still served here; change default_serve too",
    },
  ]);

  await api.newFlag({ key, environment_key: 'staging', default_serve: { variant: 'a' } });
  expect(await errorsOf(without, 'staging')).toEqual([
    {
      path: 'variants',
      message: "'b' is not a variant of this flag, but 'development' still serves it",
    },
  ]);
  await api.change(key, { off_variant: 'b', default_serve: { variant: 'c' } });
  expect(await errorsOf(without)).toEqual([
    {
      path: 'variants',
      message: "'b' is not a variant of this flag, but is still the off variant here; change off_variant too",
    },
  ]);
  expect(await errorsOf({ ...without, off_variant: 'b' })).toEqual([
    { path: 'off_variant', message: "'b' is not a variant of this flag" },
  ]);
});

it('speaks of a split that history cut up once, and of the weights where they are given', async () => {
  const key = newKey();
  const weights = (a: number, b: number, c: number) => ({
    default_serve: {
      rollout: {
        weights: [
          { variant: 'a', weight: a },
          { variant: 'b', weight: b },
          { variant: 'c', weight: c },
        ],
      },
    },
  });
  await api.newFlag({ key, value_type: 'string', variants: texts('a', 'b', 'c'), ...weights(40, 40, 20) });
  await api.change(key, weights(20, 20, 60));
  const { default_serve } = await api.flag(key);
  expect(JSON.stringify(default_serve).match(/"variant":"c","from"/g)?.length).toBeGreaterThan(1);
  const variants = texts('a', 'b');
  expect((await api.put(flagPath(key), { variants })).body.errors).toHaveLength(1);
  expect((await api.put(flagPath(key), { variants, default_serve })).body.errors).toEqual([
    { path: 'default_serve.rollout.weights[2].variant', message: "'c' is not a variant of this flag" },
  ]);
});

it('makes a boolean flag of one variant, whatever that is', async () => {
  const variants = [{ key: 'never', value: false }];
  expect(await api.newFlag({ key: newKey(), variants })).toMatchObject({
    variants,
    default_serve: { variant: 'never' },
  });
});

it.each<[string, Json, string]>([
  ['no variants', { value_type: 'string' }, 'variants'],
  ['an empty list', { value_type: 'string', variants: [] }, 'variants'],
  [
    'a number in a text flag',
    { value_type: 'string', variants: [{ key: 'a', value: 1 }] },
    'variants[0].value',
  ],
  [
    'a text in a number flag',
    { value_type: 'number', variants: [{ key: 'a', value: '1' }] },
    'variants[0].value',
  ],
  ['a null in a boolean flag', { variants: [{ key: 'a', value: null }] }, 'variants[0].value'],
  ['a variant without value', { value_type: 'json', variants: [{ key: 'a' }] }, 'variants[0].value'],
  ['a key twice', { value_type: 'string', variants: [...texts('a'), ...texts('a')] }, 'variants[1].key'],
  ['a key that is none', { value_type: 'string', variants: [{ key: 'a b', value: '' }] }, 'variants[0].key'],
  [
    'a field that is none',
    { value_type: 'string', variants: [{ key: 'a', value: '', weight: 1 }] },
    'variants[0].weight',
  ],
  ['a type that is none', { value_type: 'date' }, 'value_type'],
  ['a flag type that is none', { flag_type: 'percent' }, 'flag_type'],
])('refuses a new flag with %s', async (_, definition, path) => {
  const refused = await api.post('/flags', {
    key: newKey(),
    name: 'x',
    environment_key: 'development',
    ...definition,
  });
  expect(refused.status).toBe(422);
  expect(refused.body.errors.map((problem: { path: string }) => problem.path)).toContain(path);
});

it('makes a rich serve a plain percentage when it is called one', async () => {
  const key = newKey();
  await api.newFlag({ key, default_serve: { rollout: { percentage: 5, bucket_by: 'company' } } });
  expect(await api.change(key, { flag_type: 'percentage', rollout_percentage: 30 })).toMatchObject({
    flag_type: 'percentage',
    rollout_percentage: 30,
    default_serve: rollout(key, 30),
  });
});

it('keeps a salt while a rollout is switched to everyone and back', async () => {
  const key = newKey();
  await api.newFlag({ key, default_serve: { rollout: { percentage: 5, salt: 'mine' } } });
  await api.change(key, { flag_type: 'boolean' });
  expect(await api.change(key, { rollout_percentage: 30 })).toMatchObject({
    default_serve: rollout('mine', 30),
  });
});

it.each<[string, Json]>([
  ['a variant', { default_serve: { variant: 'a' } }],
  ['another variant', { default_serve: { variant: 'c' } }],
])('puts a split back as it was after %s for everyone', async (_, pause) => {
  const key = newKey();
  const place = { bucket_by: 'company', salt: 's', hash_version: 'md5' };
  const weights = (a: number, b: number, c: number) => [
    { variant: 'a', weight: a },
    { variant: 'b', weight: b },
    { variant: 'c', weight: c },
  ];
  const serve = (rollout: Json) => ({ default_serve: { rollout } });
  await api.newFlag({
    key,
    value_type: 'string',
    variants: texts('a', 'b', 'c'),
    ...serve({ ...place, weights: weights(40, 40, 20) }),
  });
  const { default_serve } = await api.change(key, serve({ weights: weights(20, 20, 60) }));
  expect(default_serve).toMatchObject({ rollout: place });
  await api.change(key, pause);
  expect(await api.change(key, serve({ weights: weights(20, 20, 60) }))).toMatchObject({ default_serve });
  await api.change(key, pause);
  expect(await api.change(key, { default_serve })).toMatchObject({ default_serve });

  await api.change(key, pause);
  await api.change(key, { variants: texts('a', 'c') });
  const without = await api.change(key, serve({ weights: [weights(50, 0, 0)[0], weights(0, 0, 50)[2]] }));
  expect(without).toMatchObject({ default_serve: { rollout: place } });
});

it('keeps a split between on and off where it lies, whatever is off', async () => {
  const key = newKey();
  const weights = [
    { variant: 'on', weight: 25 },
    { variant: 'off', weight: 75 },
  ];
  await api.newFlag({ key, off_variant: null, default_serve: { rollout: { weights } } });
  const split = await api.change(key, { off_variant: 'off' });
  expect(split).toMatchObject({ default_serve: { rollout: { percentage: 100, weights } } });
  expect(await api.change(key, { default_serve: split['default_serve'] })).toEqual(split);
});

describe('given 1,000 users', () => {
  const users = Array.from({ length: 1_000 }, (_, index) => `user-${index}`);

  async function variants(key: string): Promise<Map<string, unknown>> {
    const found = new Map<string, unknown>();
    await Promise.all(
      users.map(async (user) => found.set(user, (await api.as('nobody').evaluate(key, user))['variant'])),
    );
    return found;
  }

  it('turns nobody off while a percentage grows', async () => {
    const key = newKey();
    await api.newFlag({ key, is_enabled: true, flag_type: 'percentage', rollout_percentage: 10 });
    let before = await variants(key);
    for (const percentage of [10, 25, 50, 100]) {
      await api.change(key, { rollout_percentage: percentage });
      const after = await variants(key);
      const on = users.filter((user) => after.get(user) === 'on');
      expect(users.filter((user) => before.get(user) === 'on' && after.get(user) !== 'on')).toEqual([]);
      expect(Math.abs(on.length - percentage * 10)).toBeLessThan(60);
      before = after;
    }
  });

  it('moves the fewest people when a share is taken out of a split for a third variant', async () => {
    const key = newKey();
    const weights = (a: number, b: number, c: number) => ({
      default_serve: {
        rollout: {
          weights: [
            { variant: 'a', weight: a },
            { variant: 'b', weight: b },
            { variant: 'c', weight: c },
          ],
        },
      },
    });
    await api.newFlag({
      key,
      is_enabled: true,
      value_type: 'string',
      variants: texts('a', 'b', 'c'),
      ...weights(50, 50, 0),
    });
    const before = await variants(key);
    await api.change(key, weights(40, 40, 20));
    const after = await variants(key);
    const moved = users.filter((user) => before.get(user) !== after.get(user));
    expect(moved.every((user) => after.get(user) === 'c')).toBe(true);
    expect(Math.abs(moved.length - 200)).toBeLessThan(50);

    await api.change(key, weights(50, 50, 0));
    const back = await variants(key);
    const movedBack = users.filter((user) => back.get(user) !== after.get(user));
    expect(movedBack.every((user) => after.get(user) === 'c')).toBe(true);
  });
});

it.each([
  ['sha256', 600],
  ['sha256-user-first', 3100],
  ['md5-8', 5300],
  ['murmur3', 139],
  ['md5', 1600],
])(
  'places people by %s where a rollout says so, and keeps it on every edit',
  async (hash_version, bucket) => {
    const key = newKey();
    const rollout = { percentage: 50, hash_version, salt: 'new-checkout' };
    await api.newFlag({ key, is_enabled: true, default_serve: { rollout } });
    for (const percentage of [50, 75]) {
      await api.put(flagPath(key), { rollout_percentage: percentage });
      const where = bucket < percentage * 100 ? 'within' : 'outside';
      const answer = await vexil.http.get(`/evaluate/${key}?environment_key=development&user_id=alice`);
      expect(answer.body.reason).toBe(`User bucket ${bucket} is ${where} ${percentage}% rollout`);
    }
    expect(await api.flag(key)).toMatchObject({ default_serve: { rollout: { hash_version } } });
  },
);

it('places people by an imported hash again after everyone had the flag', async () => {
  const key = newKey();
  const rollout = { percentage: 50, hash_version: 'sha256', salt: 'new-checkout' };
  await api.newFlag({ key, is_enabled: true, default_serve: { rollout } });
  await api.change(key, { flag_type: 'boolean', rollout_percentage: 50 });
  await api.change(key, { flag_type: 'percentage', rollout_percentage: 50 });
  expect((await api.evaluate(key, 'alice'))['reason']).toBe('User bucket 600 is within 50% rollout');
});

it('takes another hash also when all else is as it was read', async () => {
  const key = newKey();
  const { default_serve } = await api.newFlag({ key, flag_type: 'percentage', rollout_percentage: 50 });
  const { rollout } = default_serve as { rollout: Json };
  const changed = await api.change(key, { default_serve: { rollout: { ...rollout, hash_version: 'md5' } } });
  expect(changed).toMatchObject({ version: 2, default_serve: { rollout: { hash_version: 'md5' } } });
  expect((await api.history(key))[0]).toMatchObject({
    changes: { hash_version: { old: 'murmur3', new: 'md5' } },
  });
});
