import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
afterAll(() => vexil.close());

let key: string;
beforeEach(() => {
  key = `flag-${randomBytes(5).toString('hex')}`;
});

const pro = { all: [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'] }] };
const rule = (fields: Json = {}): Json => ({ id: 'r', conditions: pro, serve: { variant: 'on' }, ...fields });
const off = { default_serve: { variant: 'off' }, is_enabled: true };
const problemsOf = async (body: Json) => {
  const { status, body: problem } = await api.put(flagPath(key), body);
  return [
    status,
    ...(problem.errors ?? []).map(
      ({ path, message }: { path: string; message: string }) => `${path}: ${message}`,
    ),
  ];
};
const get = async (context: Json, flag = key) =>
  (await api.as('nobody').post(`/evaluate/${flag}`, { environment_key: 'development', context })).body;

describe('a flag with targets and rules', () => {
  it('is saved, read back as it was written, and evaluated', async () => {
    const targeting = {
      targets: [{ variant: 'off', keys: ['mallory', 'bob'] }],
      rules: [
        rule({ name: 'Paying' }),
        {
          conditions: { any: [{ not: { attribute: 'user_id', operator: 'starts_with', values: ['a'] } }] },
          serve: { rollout: { percentage: 0 } },
        },
      ],
    };
    const made = await api.newFlag({ key, ...off, ...targeting });
    expect(made).toMatchObject({
      targets: [{ variant: 'off', count: 2, keys: ['bob', 'mallory'] }],
      rules: [
        {
          id: 'r',
          name: 'Paying',
          conditions: { all: [{ attribute: 'plan', negate: false }] },
          serve: { variant: 'on' },
        },
        {
          id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          name: null,
          serve: { rollout: { percentage: 0, salt: key } },
        },
      ],
    });
    expect(made['rules']).toMatchObject([{}, { conditions: { any: [{ not: { attribute: 'user_id' } }] } }]);
    const read = await api.flag(key);
    expect(read).toEqual(made);
    const { prerequisites, targets, rules } = read;
    expect(await api.change(key, { prerequisites, targets, rules })).toEqual(read);
    expect(await get({ user_id: 'alice', plan: 'pro' })).toMatchObject({
      value: true,
      reason_code: 'TARGETING_MATCH',
    });
    expect(await get({ user_id: 'bob', plan: 'pro' })).toMatchObject({
      value: false,
      reason_code: 'TARGETING_MATCH',
    });
    expect(await get({ user_id: 'carol' })).toMatchObject({ value: false, reason_code: 'SPLIT' });
    expect(await get({ user_id: 'alice' })).toMatchObject({ value: false, reason_code: 'DEFAULT' });
    const { body } = await api.post(`/evaluate/${key}`, {
      environment_key: 'development',
      user_id: 'carol',
      explain: true,
    });
    expect(body.trace.rules).toMatchObject([
      {
        rule: 'r',
        matched: false,
        conditions: { all: [{ attribute: 'plan', actual: null, note: 'the attribute is missing' }] },
      },
      { matched: true, conditions: { any: [{ not: { attribute: 'user_id', actual: 'carol' } }] } },
    ]);
  });

  it('is an overview in lists', async () => {
    await api.newFlag({ key, rules: [rule()], targets: [{ variant: 'on', keys: ['a', 'b', 'c'] }] });
    const [{ rules, targets, ...overview }] = (await api.get(`/flags?environment_key=development&q=${key}`))
      .body;
    expect([rules, targets, overview.rule_count, overview.target_count]).toEqual([
      undefined,
      undefined,
      1,
      3,
    ]);
  });

  it('keeps what an edit does not name, and says what changed in the audit log', async () => {
    await api.newFlag({ key, rules: [rule()], targets: [{ variant: 'on', keys: ['alice'] }] });
    await api.change(key, { is_enabled: true });
    expect(await api.flag(key)).toMatchObject({
      rules: [{ id: 'r' }],
      targets: [{ variant: 'on', count: 1 }],
    });
    await api.change(key, { targets: [{ variant: 'on', add: ['bob'], remove: ['alice'] }] });
    expect(await api.change(key, { targets: [{ variant: 'on', keys: ['bob'] }] })).toMatchObject({
      version: 3,
    });
    const [changed] = await api.history(key);
    expect(changed!['changes']).toEqual({ targets: { old: { on: ['alice'] }, new: { on: ['bob'] } } });
  });

  it('is made alike in every environment', async () => {
    await api.post('/flags', { key, name: 'Everywhere', rules: [rule({ id: undefined })] });
    const [here, there] = [await api.flag(key), await api.flag(key, 'production')];
    expect(there['rules']).toEqual(here['rules']);
  });
});

describe('what is wrong is told by its place', () => {
  beforeEach(async () => {
    await api.newFlag({ key, ...off });
  });
  const nested = (condition: Json) => ({
    rules: [rule(), { conditions: { all: [{ any: [condition] }] }, serve: { variant: 'on' } }],
  });

  it.each<[string, Json, string]>([
    [
      'unknown operator',
      nested({ attribute: 'a', operator: 'like', values: ['x'] }),
      'rules[1].conditions.all[0].any[0].operator',
    ],
    [
      'wrong type for the operator',
      nested({ attribute: 'a', operator: 'gt', values: ['x'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'invalid regex',
      nested({ attribute: 'a', operator: 'matches', values: ['('] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'regex that is not linear',
      nested({ attribute: 'a', operator: 'matches', values: ['(?=a)b'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'invalid semver',
      nested({ attribute: 'a', operator: 'semver_gt', values: ['1.x'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'invalid date',
      nested({ attribute: 'a', operator: 'before', values: ['soon'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'invalid CIDR',
      nested({ attribute: 'a', operator: 'in_cidr', values: ['10.0.0.0/33'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    [
      'unknown segment',
      nested({ operator: 'in_segment', values: ['nowhere'] }),
      'rules[1].conditions.all[0].any[0].values[0]',
    ],
    ['no group', { rules: [rule({ conditions: {} })] }, 'rules[0].conditions'],
    [
      'unknown field',
      nested({ attribute: 'a', operator: 'equals', values: ['x'], flags: 'i' }),
      'rules[1].conditions.all[0].any[0].flags',
    ],
    ['unknown variant', { rules: [rule({ serve: { variant: 'blue' } })] }, 'rules[0].serve.variant'],
    [
      'unknown weight',
      { rules: [rule({ serve: { rollout: { weights: [{ variant: 'blue', weight: 100 }] } } })] },
      'rules[0].serve.rollout.weights[0].variant',
    ],
    [
      'weights that do not sum',
      { rules: [rule({ serve: { rollout: { weights: [{ variant: 'on', weight: 99 }] } } })] },
      'rules[0].serve.rollout.weights',
    ],
    ['two rules of one id', { rules: [rule(), rule()] }, 'rules[1].id'],
    ['target of an unknown variant', { targets: [{ variant: 'blue', keys: ['a'] }] }, 'targets[0].variant'],
    [
      'a user listed for two variants',
      {
        targets: [
          { variant: 'on', keys: ['a', 'b'] },
          { variant: 'off', keys: ['b'] },
        ],
      },
      'targets[1].keys[0]',
    ],
    [
      'a variant listed twice',
      {
        targets: [
          { variant: 'on', keys: ['a'] },
          { variant: 'on', keys: ['b'] },
        ],
      },
      'targets[1].variant',
    ],
    [
      'unknown prerequisite',
      { prerequisites: [{ flag_key: 'nowhere', variants: ['on'] }] },
      'prerequisites[0].flag_key',
    ],
    [
      'prerequisite without variants',
      { prerequisites: [{ flag_key: 'nowhere', variants: [] }] },
      'prerequisites[0].variants',
    ],
  ])('%s', async (_, body, path) => {
    const before = await api.flag(key);
    const { status, body: problem } = await api.put(flagPath(key), body);
    expect([status, problem.errors?.map((error: Json) => error['path'])]).toEqual([422, [path]]);
    expect(await api.flag(key)).toEqual(before);
  });

  it('is told of a new flag too', async () => {
    const { status, body } = await api.post('/flags', {
      key: `${key}-2`,
      name: 'x',
      ...nested({ operator: 'in_segment', values: ['nowhere'] }),
    });
    expect([status, body.errors[0].path]).toEqual([422, 'rules[1].conditions.all[0].any[0].values[0]']);
    expect((await api.get(flagPath(`${key}-2`))).status).toBe(404);
  });

  it('is of variants when they are taken away from targets and rules', async () => {
    const variants = [
      { key: 'on', value: true },
      { key: 'off', value: false },
      { key: 'also', value: true },
    ];
    await api.change(key, { variants });
    await api.change(key, {
      rules: [rule({ serve: { variant: 'also' } })],
      targets: [{ variant: 'also', keys: ['a'] }],
    });
    expect(await problemsOf({ variants: variants.slice(0, 2) })).toEqual([
      422,
      "variants: 'also' is not a variant of this flag, but is still served here; change targets too",
      "variants: 'also' is not a variant of this flag, but is still served here; change rules too",
    ]);
    expect(await problemsOf({ variants: variants.slice(0, 2), rules: [], targets: [] })).toEqual([200]);
  });
});

describe('segments in rules', () => {
  it('are evaluated, count as used, and cannot be deleted meanwhile', async () => {
    const segment = `seg-${key}`;
    const path = `/segments/${segment}?environment_key=development`;
    await api.post('/segments', {
      key: segment,
      name: 'S',
      environment_key: 'development',
      included: ['alice'],
    });
    const inside = {
      conditions: { all: [{ operator: 'in_segment', values: [segment] }] },
      serve: { variant: 'on' },
    };
    await api.newFlag({ key, ...off, rules: [inside] });
    expect([(await get({ user_id: 'alice' })).value, (await get({ user_id: 'bob' })).value]).toEqual([
      true,
      false,
    ]);
    await api.put(path, { included_add: ['bob'] });
    expect((await get({ user_id: 'bob' })).value).toBe(true);
    expect((await api.get(path)).body.used_by).toEqual({ flags: [key], segments: [] });
    const refused = await api.delete(path);
    expect([refused.status, refused.body.code]).toEqual([409, 'segment_in_use']);
    expect(refused.body.detail).toContain(key);
    await api.change(key, { rules: [] });
    expect((await api.delete(path)).status).toBe(204);
  });
});

describe('prerequisites', () => {
  let base: string;
  beforeEach(async () => {
    base = `base-${key}`;
    await api.newFlag({ key: base, is_enabled: true });
    await api.newFlag({ key, is_enabled: true, prerequisites: [{ flag_key: base, variants: ['on'] }] });
  });

  it('decide, and say so', async () => {
    expect((await get({ user_id: 'a' })).value).toBe(true);
    await api.change(base, { is_enabled: false });
    expect(await get({ user_id: 'a' })).toMatchObject({ value: false, reason_code: 'PREREQUISITE_FAILED' });
  });

  it('must not run in a circle, however long, which is told', async () => {
    const { status, body } = await api.put(flagPath(base), {
      prerequisites: [{ flag_key: key, variants: ['on'] }],
    });
    expect([status, body.errors]).toEqual([
      422,
      [{ path: 'prerequisites', message: `must not run in a circle: ${base} → ${key} → ${base}` }],
    ]);
    expect(await problemsOf({ prerequisites: [{ flag_key: key, variants: ['on'] }] })).toEqual([
      422,
      'prerequisites[0].flag_key: must be another flag',
    ]);
    expect(await problemsOf({ prerequisites: [{ flag_key: base, variants: ['blue'] }] })).toEqual([
      422,
      `prerequisites[0].variants[0]: 'blue' is not a variant of '${base}'`,
    ]);
  });

  it('keep what they need from being deleted, archived, or deprived of variants', async () => {
    const needed = `Flag '${base}' is a prerequisite of '${key}' in 'development'. Change that first.`;
    for (const refused of [
      await api.delete(flagPath(base)),
      await api.put(flagPath(base), { archived: true }),
    ])
      expect([refused.status, refused.body.code, refused.body.detail]).toEqual([409, 'flag_in_use', needed]);
    const variants = [
      { key: 'yes', value: true },
      { key: 'off', value: false },
    ];
    const { body } = await api.put(flagPath(base), { variants, default_serve: { variant: 'yes' } });
    expect(body.errors).toEqual([
      { path: 'variants', message: `'on' is needed by flag '${key}' in 'development'` },
    ]);
    await api.change(key, { archived: true });
    expect((await api.put(flagPath(base), { archived: true })).status).toBe(200);
  });

  it('are looked at again when a flag is archived no longer', async () => {
    await api.change(key, { archived: true });
    expect((await api.delete(flagPath(base))).status).toBe(204);
    expect(await problemsOf({ archived: false })).toEqual([
      422,
      `prerequisites[0].flag_key: '${base}' is not a flag`,
    ]);
    expect(await problemsOf({ archived: false, prerequisites: [] })).toEqual([200]);
  });

  it('are of one environment', async () => {
    await api.newFlag({ key: `${base}-2`, environment_key: 'staging' });
    expect((await api.delete(flagPath(`${base}-2`, 'staging'))).status).toBe(204);
    const elsewhere = await api.post('/flags', {
      key: `${key}-2`,
      name: 'x',
      environment_key: 'staging',
      prerequisites: [{ flag_key: base, variants: ['on'] }],
    });
    expect([elsewhere.status, elsewhere.body.errors]).toEqual([
      422,
      [{ path: 'prerequisites[0].flag_key', message: `'${base}' is not a flag` }],
    ]);
  });

  it('go with their environment', async () => {
    const environment_key = `e-${randomBytes(4).toString('hex')}`;
    await api.post('/environments', { key: environment_key, name: 'Brief' });
    await api.newFlag({ key: `${key}-a`, environment_key });
    await api.newFlag({
      key: `${key}-b`,
      environment_key,
      prerequisites: [{ flag_key: `${key}-a`, variants: ['on'] }],
    });
    expect((await api.delete(`/environments/${environment_key}?force=true`)).status).toBe(204);
  });
});

describe('a rollout in a rule', () => {
  const serve = (percentage: number, more: Json = {}) => ({ rollout: { percentage, ...more } });
  const saltOf = async () =>
    ((await api.flag(key)) as { rules: { serve: { rollout: Json } }[] }).rules[0]!.serve.rollout;

  it('keeps salt, hash version and people on every edit of its rule', async () => {
    await api.newFlag({
      key,
      ...off,
      rules: [
        rule({
          conditions: { all: [] },
          serve: serve(25, { salt: 'mine', hash_version: 'md5', bucket_by: 'company' }),
        }),
      ],
    });
    const companies = Array.from({ length: 200 }, (_, index) => `company-${index}`);
    const on = async () => {
      const values = await Promise.all(
        companies.map(async (company) => (await get({ company })).value as boolean),
      );
      return companies.filter((_, index) => values[index]);
    };
    const before = await on();
    await api.change(key, {
      rules: [rule({ name: 'Renamed', conditions: { any: [{ all: [] }] }, serve: serve(50) })],
    });
    expect(await saltOf()).toMatchObject({
      percentage: 50,
      salt: 'mine',
      hash_version: 'md5',
      bucket_by: 'company',
    });
    expect(await on()).toEqual(expect.arrayContaining(before));
    expect(before.length).toBeGreaterThan(20);
  });

  it('is placed anew only when asked, with an entry of its own', async () => {
    await api.newFlag({ key, ...off, rules: [rule({ conditions: { all: [] }, serve: serve(25) })] });
    expect(await saltOf()).toMatchObject({ salt: key });
    const path = flagPath(key).replace('?', '/re-randomise?');
    const done = await api
      .as('developer')
      .post(path, { rule_id: 'r', reason: 'Second round' }, { 'If-Match': '"1"' });
    expect([done.status, done.body.version]).toEqual([200, 2]);
    const { salt } = await saltOf();
    expect(salt).toMatch(/^[0-9a-f]{16}$/);
    expect((await api.history(key))[0]).toMatchObject({
      action: 're_randomised',
      reason: 'Second round',
      changes: { rules: {} },
    });
    expect((await get({ user_id: 'alice' })).flag_version).toBe(2);

    expect((await api.post(path, { rule_id: 'r' }, { 'If-Match': '"1"' })).status).toBe(412);
    expect((await api.post(path, { rule_id: 'nowhere' })).body).toMatchObject({
      status: 404,
      code: 'rule_not_found',
    });
    expect((await api.post(path, {})).body).toMatchObject({ status: 409, code: 'no_rollout' });
    expect((await api.as('viewer').post(path, { rule_id: 'r' })).status).toBe(403);
    await api.change(key, { rollout_percentage: 10, flag_type: 'percentage' });
    expect((await api.post(path, {})).body.default_serve.rollout.salt).not.toBe(key);
    expect((await api.flag(key))['rules']).toMatchObject([{ serve: { rollout: { salt } } }]);
  });
});

describe('what is left out', () => {
  it('stays as it was: percentage, weights, other lists, and the salt of a rule that was no rollout meanwhile', async () => {
    const colours = [
      { key: 'a', value: 'A' },
      { key: 'b', value: 'B' },
    ];
    await api.newFlag({ key, value_type: 'string', variants: colours, is_enabled: true });
    const weights = (a: number) => [
      { variant: 'a', weight: a },
      { variant: 'b', weight: 100 - a },
    ];
    const rolloutOf = (flag: Json) => (flag['default_serve'] as { rollout: Json }).rollout;
    await api.change(key, { default_serve: { rollout: { percentage: 60, weights: weights(50) } } });
    const shifted = await api.change(key, { default_serve: { rollout: { weights: weights(70) } } });
    expect(rolloutOf(shifted)).toMatchObject({ percentage: 60, weights: weights(70) });
    const grown = await api.change(key, { default_serve: { rollout: { percentage: 80 } } });
    expect(rolloutOf(grown)).toMatchObject({ percentage: 80, weights: weights(70) });

    await api.change(key, { targets: [{ variant: 'a', keys: ['x'] }] });
    const listed = await api.change(key, { targets: [{ variant: 'b', add: ['y'] }] });
    expect(listed['targets']).toEqual([
      { variant: 'a', count: 1, keys: ['x'] },
      { variant: 'b', count: 1, keys: ['y'] },
    ]);
    expect(await problemsOf({ targets: [{ variant: 'b', add: ['x'] }] })).toEqual([
      422,
      "targets[0].add[0]: 'x' is listed for 'a' already",
    ]);

    const serve = { rollout: { percentage: 50, weights: weights(50), salt: 'mine', hash_version: 'md5' } };
    const conditions = { all: [] };
    await api.change(key, { rules: [{ id: 'r', conditions, serve }] });
    await api.change(key, { rules: [{ id: 'r', conditions, serve: { variant: 'a' } }] });
    const back = await api.change(key, { rules: [{ id: 'r', conditions, serve: { rollout: {} } }] });
    expect(back['rules']).toMatchObject([{ serve }]);
  });
});

it('refuses patterns that would take too long, and tells every mistake of a request', async () => {
  await api.newFlag({ key, ...off });
  const pattern = (values: string[]) =>
    rule({
      conditions: { all: [{ attribute: 'a', operator: 'matches', values }] },
      serve: { variant: 'blue' },
    });
  expect(await problemsOf({ off_variant: 'grey', rules: [pattern(['.{0,1000}.{0,1000}!'])] })).toEqual([
    422,
    expect.stringMatching(/^rules\[0\]\.serve\.variant/),
    expect.stringMatching(/^rules\[0\]\.conditions\.all\[0\]\.values\[0\]: .* 500 are allowed/),
  ]);
  const many = Array.from({ length: 51 }, (_, index) => `^${index}$`);
  expect((await problemsOf({ rules: [pattern(many)] })).at(-1)).toContain('at most 50 regular expressions');
});

it('answers lists and pages quickly enough where flags list 100,000 users each', async () => {
  const keys = Array.from({ length: 100_000 }, (_, index) => `user-${index}`);
  for (const name of [`${key}-1`, `${key}-2`])
    await api.newFlag({ key: name, targets: [{ variant: 'on', keys }] });
  const list = await api.get(`/flags?environment_key=development&q=${key}`);
  expect([list.status, list.body.map((flag: Json) => flag['target_count'])]).toEqual([
    200,
    [100_000, 100_000],
  ]);
  const page = await api.get(`/flags/${key}-1/targets/on?environment_key=development&skip=50000&limit=3`);
  expect([page.status, page.body.length]).toEqual([200, 3]);
}, 60_000);

describe('warnings', () => {
  it('come with the flag and from the linter, and block nothing', async () => {
    const rules = [
      rule({ conditions: { all: [] } }),
      rule({ id: 'late' }),
      rule({ id: 'empty', conditions: { any: [] } }),
    ];
    const made = await api.newFlag({ key, rules });
    expect(made['warnings']).toEqual([
      {
        code: 'unreachable_rule',
        path: 'rules[1]',
        message: "is never reached: rule 'r' matches everybody who would get here",
      },
      { code: 'rule_matches_nobody', path: 'rules[2].conditions', message: 'matches nobody' },
    ]);
    expect((await api.get(flagPath(key).replace('?', '/lint?'))).body).toEqual(made['warnings']);
    expect((await api.change(key, { rules: [rule()] }))['warnings']).toEqual([]);
    expect((await api.get(flagPath(`${key}-x`).replace('?', '/lint?'))).status).toBe(404);
  });
});

describe('100,000 listed users', () => {
  const users = Array.from(
    { length: 100_000 },
    (_, index) => `user-${String(index).padStart(6, '0')}-of-a-large-customer`,
  );
  const path = (variant: string, query = '') =>
    `/flags/${key}/targets/${variant}?environment_key=development${query}`;

  it('are saved, decided by, read by page and changed one by one', async () => {
    await api.newFlag({ key, ...off, targets: [{ variant: 'on', keys: users }] });
    expect((await get({ user_id: users[99_999] })).value).toBe(true);
    expect((await get({ user_id: 'nobody' })).value).toBe(false);
    expect((await api.flag(key))['targets']).toEqual([{ variant: 'on', count: 100_000, keys: null }]);
    const page = await api.get(path('on', '&skip=99998&limit=5'));
    expect([page.headers['x-total-count'], page.body]).toEqual(['100000', users.slice(-2)]);
    const found = await api.get(path('on', '&q=000007-OF'));
    expect([found.headers['x-total-count'], found.body]).toEqual(['1', [users[7]]]);
    expect((await api.get(path('off'))).body).toEqual([]);
    expect((await api.get(path('blue'))).body).toMatchObject({ status: 404, code: 'variant_not_found' });

    const changed = await api.change(key, {
      targets: [{ variant: 'on', keys: null, add: ['one-more'], remove: [users[0]] }],
    });
    expect(changed['targets']).toEqual([{ variant: 'on', count: 100_000, keys: null }]);
    expect([(await get({ user_id: users[0] })).value, (await get({ user_id: 'one-more' })).value]).toEqual([
      false,
      true,
    ]);
    const [entry] = await api.history(key);
    expect(entry!['changes']).toEqual({
      targets: {
        old: { on: { count: 100_000, sha256: expect.any(String) } },
        new: {
          on: {
            count: 100_000,
            sha256: expect.any(String),
            added: 1,
            added_keys: ['one-more'],
            removed: 1,
            removed_keys: [users[0]],
          },
        },
      },
    });
    const toomany = await api.put(flagPath(key), { targets: [{ variant: 'on', add: ['a', 'b'] }] });
    expect([toomany.status, toomany.body.errors[0].message]).toEqual([
      422,
      'would have 100002 items; 100000 are allowed',
    ]);
    expect(
      (await api.as('nobody').put(flagPath(key), { targets: [{ variant: 'on', keys: users }] })).status,
    ).toBe(401);
  }, 60_000);
});

it('leaves alone what a newer version wrote, until an editor replaces it', async () => {
  await api.newFlag({ key, ...off });
  const stored = [
    {
      id: 'r',
      conditions: { all: [{ attribute: 'a', operator: 'sounds_like', values: ['x'] }] },
      serve: { variant: 'on' },
    },
  ];
  await vexil.query(
    `UPDATE flag_settings SET rules = $2 WHERE flag_id = (SELECT id FROM flags WHERE key = $1)`,
    [key, JSON.stringify(stored)],
  );
  await api.delete(`/flags/${key}/cache`);
  expect(await get({ a: 'x' })).toMatchObject({ reason_code: 'ERROR', error_code: 'PARSE_ERROR' });
  const read = await api.flag(key);
  expect([read['rules'], read['unreadable']]).toEqual([null, ['rules']]);
  const { rules: none, targets, default_serve } = read;
  await api.change(key, { description: 'Touched', rules: none, targets, default_serve });
  const { body: explained } = await api.post(`/evaluate/${key}`, {
    environment_key: 'development',
    explain: true,
  });
  expect(explained.trace.note).toMatch(/^rules\[0\]\.conditions\.all\[0\]\.operator: must be one of/);
  const [row] = await vexil.query<{ rules: Json[] }>(
    `SELECT rules FROM flag_settings WHERE flag_id = (SELECT id FROM flags WHERE key = $1)`,
    [key],
  );
  expect(row?.rules).toEqual(stored);
  await api.change(key, { rules: [] });
  expect(await get({ a: 'x' })).toMatchObject({ reason_code: 'STATIC', value: false });
});
