import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SnapshotStore } from '../../src/evaluation/snapshot-store.js';
import { documentOf, FlagSnapshotReader } from '../../src/flags/flag-snapshot.reader.js';
import { PATIENT } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { ADMIN_KEY, Client, GOLDEN, keyOf, TIME, type Json } from './support.js';

// System 004: feature flags with edge caching, open to everybody.
let vexil: TestApp;
let anybody: Client;
beforeAll(async () => {
  vexil = await startApp({ ...PATIENT, COMPAT_OPEN_WRITES: 'true' });
  anybody = new Client(vexil, '/compat/edge');
});
afterAll(() => vexil.close());

let name: string;
let made = 0;
beforeEach(async () => {
  name = `flag_${++made}`;
  await anybody.post(`/flags/${name}/update?enabled=true&rollout_percentage=50`);
});
const check = async (flag = name, user = '?user_id=user123') =>
  (await anybody.get(`/flags/${flag}/check${user}`)).body as Json;
const cached = async (path: string) => (await anybody.get(path)).body._cache as string;

it('walks the README through (4.01–4.06, 4.21)', async () => {
  const update = await anybody.post('/flags/new_checkout_flow/update?enabled=true&rollout_percentage=50');
  expect([update.status, update.body]).toEqual([
    200,
    {
      status: 'updated',
      flag_name: 'new_checkout_flow',
      enabled: true,
      rollout_percentage: 50,
      cache_invalidated: true,
    },
  ]);
  const first = await check('new_checkout_flow');
  expect(first).toEqual({ enabled: expect.any(Boolean), _cache: 'miss' });
  expect(await check('new_checkout_flow')).toEqual({ enabled: first['enabled'], _cache: 'hit' });
  expect((await anybody.get('/flags/new_checkout_flow?user_id=user123')).body).toEqual({
    flag_name: 'new_checkout_flow',
    enabled: first['enabled'],
    flag_data: {
      enabled: true,
      rollout_percentage: 50,
      metadata: { description: null, created_at: expect.stringMatching(TIME) },
    },
    _cache: 'miss',
  });
  await anybody.post('/flags/new_checkout_flow/update?enabled=true&rollout_percentage=100');
  expect(await check('new_checkout_flow')).toEqual({ enabled: true, _cache: 'miss' });
  const stats = await anybody.get('/cache/stats');
  expect(Object.keys(stats.body)).toEqual([
    'feature_flag_cache_keys',
    'endpoint_cache_keys',
    'check_cache_keys',
    'total_cache_keys',
  ]);
  for (const [flag, query] of [
    ['new_feature', 'enabled=true&rollout_percentage=10'],
    ['variant_a', 'enabled=true&rollout_percentage=50'],
    ['problematic_feature', 'enabled=false&rollout_percentage=0'],
    ['new_api', 'enabled=true&rollout_percentage=5'],
  ] as const)
    expect((await anybody.post(`/flags/${flag}/update?${query}`)).body.status).toBe('updated');
  expect(await check('problematic_feature')).toMatchObject({ enabled: false });
});

describe('4.01, 3.18: hit or miss', () => {
  const paths = () => [
    `/flags/${name}/check?user_id=u`,
    `/flags/${name}?user_id=u`,
    `/flags/${name}/check`,
    '/flags',
  ];

  it('is a miss for the first, and for the first of each user, and then a hit', async () => {
    for (const path of [...paths(), `/flags/${name}/check?user_id=other`])
      expect([path, await cached(path), await cached(path), await cached(path)]).toEqual([
        path,
        'miss',
        'hit',
        'hit',
      ]);
  });

  it('is a miss after a change through any door', async () => {
    const admin = await vexil.bearer('admin');
    for (const change of [
      () => anybody.post(`/flags/${name}/update?enabled=true&rollout_percentage=60`),
      () => new Client(vexil, '/compat/mvp').put(`/flags/${name}`, { rollout_percentage: 61 }),
      () =>
        vexil.http
          .put(`/flags/${name}?environment_key=production`)
          .set(admin)
          .send({ rollout_percentage: 62 }),
    ]) {
      for (const path of paths()) await cached(path);
      await change();
      for (const path of paths())
        expect([path, await cached(path), await cached(path)]).toEqual([path, 'miss', 'hit']);
    }
  });

  it('is a miss after DELETE …/cache, also of a flag that is not there', async () => {
    for (const flag of [name, 'nowhere']) {
      await cached(`/flags/${flag}/check`);
      expect(await cached(`/flags/${flag}/check`)).toBe('hit');
      const { status, body } = await anybody.delete(`/flags/${flag}/cache`);
      expect([status, body]).toEqual([200, { status: 'cache_invalidated', flag_name: flag }]);
      expect(await cached(`/flags/${flag}/check`)).toBe('miss');
    }
  });

  it('stays a hit when another flag changes', async () => {
    await cached(`/flags/${name}/check?user_id=u`);
    await anybody.post('/flags/another/update?enabled=true');
    expect(await cached(`/flags/${name}/check?user_id=u`)).toBe('hit');
  });

  it('of a flag with rules is a miss when a segment changes that they speak of', async () => {
    const admin = await vexil.bearer('admin');
    const segment = { key: `beta-${made}`, name: 'Beta', environment_key: 'production', included: ['u'] };
    await vexil.http.post('/segments').set(admin).send(segment).expect(201);
    const rules = [
      {
        id: 'beta',
        conditions: { all: [{ attribute: 'user_id', operator: 'in_segment', values: [segment.key] }] },
        serve: { variant: 'on' },
      },
    ];
    await vexil.http
      .put(`/flags/${name}?environment_key=production`)
      .set(admin)
      .send({ rules, rollout_percentage: 0 })
      .expect(200);
    expect(await check(name, '?user_id=u')).toEqual({ enabled: true, _cache: 'miss' });
    expect(await check(name, '?user_id=u')).toEqual({ enabled: true, _cache: 'hit' });
    await vexil.http
      .put(`/segments/${segment.key}?environment_key=production`)
      .set(admin)
      .send({ included: [] })
      .expect(200);
    expect(await check(name, '?user_id=u')).toEqual({ enabled: false, _cache: 'miss' });
  });

  it('is true of the flag that is there now, when one of that name was deleted and made anew', async () => {
    expect(await check(name, '?user_id=u')).toMatchObject({ _cache: 'miss' });
    await new Client(vexil, '/compat/mvp').delete(`/flags/${name}`);
    expect(await check(name, '?user_id=u')).toEqual({ enabled: false, _cache: 'miss' });
    await anybody.post(`/flags/${name}/update?enabled=true`);
    expect(await check(name, '?user_id=u')).toEqual({ enabled: true, _cache: 'miss' });
  });

  it('is true also where the deleted and the new one were heard of at once, as by another instance', async () => {
    const store = vexil.app.get(SnapshotStore, { strict: false });
    await anybody.post(`/flags/${name}/update?enabled=true`);
    const reader = vexil.app.get(FlagSnapshotReader, { strict: false });
    const { ruleset, ...state } = documentOf((await reader.read('production'))!);
    expect(await check(name, '?user_id=u')).toEqual({ enabled: true, _cache: 'miss' });
    expect(await cached(`/flags/${name}?user_id=u`)).toBe('miss');
    const flags = ruleset['flags'] as Json[];
    const others = flags.map((flag) => (flag['key'] === name ? { ...flag, is_enabled: false } : flag));
    store.hold({ ...state, ruleset: { ...ruleset, flags: others } }, 'postgres', Date.now());
    expect(await check(name, '?user_id=u')).toEqual({ enabled: false, _cache: 'miss' });
    expect(await cached(`/flags/${name}?user_id=u`)).toBe('miss');
  });

  it('4.06: is counted', async () => {
    const before = (await anybody.get('/cache/stats')).body;
    await cached(`/flags/${name}/check?user_id=a`);
    await cached(`/flags/${name}/check?user_id=b`);
    await cached(`/flags/${name}?user_id=a`);
    const after = (await anybody.get('/cache/stats')).body;
    const more = (field: string) => after[field] - before[field];
    expect(
      ['feature_flag_cache_keys', 'endpoint_cache_keys', 'check_cache_keys', 'total_cache_keys'].map(more),
    ).toEqual([1, 1, 2, 4]);
  });
});

it('4.01: says true and false, also when it remembered them (texts there)', async () => {
  for (const user of ['a', 'b', 'c', 'd'])
    for (let time = 0; time < 2; time += 1)
      expect(typeof (await check(name, `?user_id=${user}`))['enabled']).toBe('boolean');
});

it('4.03: lists all flags, with their state', async () => {
  const { flags } = (await anybody.get('/flags')).body as { flags: Json[] };
  expect(flags).toContainEqual({ name, enabled: true, rollout_percentage: 50 });
});

it('4.04: keeps what it was told (it was lost there), and changes what there is', async () => {
  for (const [query, enabled, percentage] of [
    ['enabled=true&rollout_percentage=75', true, 75],
    ['enabled=false', false, 100],
    ['enabled=1&rollout_percentage=0', true, 0],
  ] as const) {
    await anybody.post(`/flags/${name}/update?${query}`);
    const { flag_data: data } = (await anybody.get(`/flags/${name}`)).body;
    expect([query, data.enabled, data.rollout_percentage]).toEqual([query, enabled, percentage]);
  }
});

it.each([
  ['', 'missing', ['query', 'enabled']],
  ['enabled=perhaps', 'bool_parsing', ['query', 'enabled']],
  ['enabled=true&rollout_percentage=101', 'less_than_equal', ['query', 'rollout_percentage']],
  ['enabled=true&rollout_percentage=-1', 'greater_than_equal', ['query', 'rollout_percentage']],
  ['enabled=true&rollout_percentage=12.5', 'int_parsing', ['query', 'rollout_percentage']],
])('4.04: refuses "%s"', async (query, type, loc) => {
  const { status, body } = await anybody.post(`/flags/${name}/update?${query}`);
  expect([status, body.detail[0].type, body.detail[0].loc]).toEqual([422, type, loc]);
});

it('4.04: makes a flag once when many want to at the same time', async () => {
  const answers = await Promise.all(
    Array.from({ length: 4 }, () =>
      anybody.post('/flags/contended/update?enabled=true&rollout_percentage=40'),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect((await anybody.get('/flags/contended')).body.flag_data.rollout_percentage).toBe(40);
});

it('4.02, 4.13: an unknown flag is off', async () => {
  expect((await anybody.get('/flags/never_was?user_id=u')).body).toEqual({
    flag_name: 'never_was',
    enabled: false,
    flag_data: null,
    _cache: 'miss',
  });
  expect(await check('never_was')).toEqual({ enabled: false, _cache: 'miss' });
});

it('4.12, 3.4: whom nobody knows gets the same each time: not in (at random there)', async () => {
  for (let time = 0; time < 8; time += 1) {
    await anybody.delete(`/flags/${name}/cache`);
    expect(await check(name, '')).toEqual({ enabled: false, _cache: 'miss' });
  }
});

it('4.10, 4.11: places users by its own rule; 0 % is nobody, 100 % everybody', async () => {
  for (const [flag, user, , , , , bucket] of GOLDEN)
    for (const [percentage, isIn] of [
      [bucket, false],
      [bucket + 1, true],
      [0, false],
      [100, true],
    ] as const) {
      await anybody.post(`/flags/${flag}/update?enabled=true&rollout_percentage=${percentage}`);
      const { enabled } = await check(flag, `?user_id=${user}`);
      expect([flag, user, percentage, enabled]).toEqual([flag, user, percentage, isIn]);
    }
});

it('4.14: tells how it is, and what', async () => {
  expect((await anybody.get('/health')).body).toEqual({
    status: 'healthy',
    redis: vexil.config.redisUrl === undefined ? 'memory' : 'connected',
  });
  expect((await anybody.get('/')).body).toEqual({ message: expect.any(String), version: expect.any(String) });
});

describe('4.22: caches between here and the clients', () => {
  it('may keep what everybody gets, and are told when it is the same', async () => {
    const path = `/flags/${name}/check?user_id=u`;
    const first = await anybody.get(path);
    expect(first.headers['cache-control']).toBe('public, max-age=0, s-maxage=30');
    expect(first.headers['vary']).toBe('Origin, X-API-Key, Authorization');
    const tag = first.headers['etag'] ?? '';
    const second = await anybody.get(path);
    expect([second.body._cache, second.headers['etag']]).toEqual(['hit', tag]);
    const same = await anybody.get(path, { 'If-None-Match': tag });
    expect([same.status, same.text]).toEqual([304, '']);
    const change = first.body.enabled ? 'enabled=false' : 'enabled=true&rollout_percentage=100';
    await anybody.post(`/flags/${name}/update?${change}`);
    const other = await anybody.get(path, { 'If-None-Match': tag });
    expect([other.status, other.body.enabled]).toEqual([200, !first.body.enabled]);
    expect((await anybody.get(`/flags/${name}`)).headers['cache-control']).toBe(
      'public, max-age=0, s-maxage=60',
    );
  });

  it('keep nothing that is told to the bearer of a key', async () => {
    const program = anybody.with(await keyOf(vexil, { kind: 'server', environment_key: 'production' }));
    expect((await program.get(`/flags/${name}/check`)).headers['cache-control']).toBe('private, no-cache');
  });

  it('keep no failure', async () => {
    const { headers } = await anybody.get(`/flags/${name}/check?user_id=${'u'.repeat(1025)}`);
    expect([headers['cache-control'], headers['etag']]).toEqual(['no-store', undefined]);
  });
});

it('is told by a server key which environment is meant', async () => {
  const admin = anybody.with(await keyOf(vexil, ADMIN_KEY));
  const staging = anybody.with(await keyOf(vexil, { kind: 'server', environment_key: 'staging' }));
  await admin.post(`/flags/${name}/update?enabled=true`);
  expect((await staging.get(`/flags/${name}/check?user_id=u`)).body.enabled).toBe(false);
  expect((await admin.get(`/flags/${name}/check?user_id=u`)).body.enabled).toBe(true);
});
