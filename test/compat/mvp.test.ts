import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { ADMIN_KEY, Client, GOLDEN, keyOf, TIME, type Json } from './support.js';

// System 001: a microservice for feature flags and A/B testing, open to everybody.
let vexil: TestApp;
let anybody: Client;
beforeAll(async () => {
  vexil = await startApp({ COMPAT_OPEN_WRITES: 'true' });
  anybody = new Client(vexil, '/compat/mvp');
});
afterAll(() => vexil.close());

it('walks the README through (1.01–1.10, 1.37), as anybody', async () => {
  expect((await anybody.get('/health')).body.status).toBe('healthy');
  const flags = [
    {
      flag_name: 'new_feature',
      status: true,
      rollout_percentage: 50.0,
      description: 'New feature for 50% of users',
    },
    { flag_name: 'dark_mode', status: true, description: 'Enable dark mode UI' },
    { flag_name: 'beta_search', status: true, rollout_percentage: 25.0, description: 'New search algorithm' },
    { flag_name: 'experimental_ai', status: false, description: 'AI features (currently disabled)' },
  ];
  for (const flag of flags) expect((await anybody.post('/flags', flag)).status).toBe(201);
  expect((await anybody.get('/users/user123/flags/new_feature')).body).toEqual({
    flag_name: 'new_feature',
    enabled: expect.any(Boolean),
    description: 'New feature for 50% of users',
  });

  const all = await anybody.get('/users/alice123/flags');
  expect([all.status, all.body]).toEqual([
    200,
    {
      user_id: 'alice123',
      flags: [
        { flag_name: 'beta_search', enabled: false, description: 'New search algorithm' },
        { flag_name: 'dark_mode', enabled: true, description: 'Enable dark mode UI' },
        { flag_name: 'experimental_ai', enabled: false, description: 'AI features (currently disabled)' },
        {
          flag_name: 'new_feature',
          enabled: expect.any(Boolean),
          description: 'New feature for 50% of users',
        },
      ],
    },
  ]);

  const loop = async () =>
    Promise.all(
      ['user1', 'user2', 'user3', 'user4', 'user5'].map(
        async (user) => (await anybody.get(`/users/${user}/flags/beta_search`)).body.enabled as boolean,
      ),
    );
  expect(await loop()).toEqual([false, false, true, false, false]);
  const on = await anybody.put('/flags/experimental_ai', { status: true });
  expect([on.status, on.body.status]).toEqual([200, true]);
  const more = await anybody.put('/flags/beta_search', { rollout_percentage: 50.0 });
  expect([more.status, more.body.rollout_percentage, more.body.status]).toEqual([200, 50, true]);
  expect(await loop()).toEqual([false, false, true, false, false]);
  expect((await anybody.get('/users/anyone/flags/experimental_ai')).body.enabled).toBe(true);

  expect((await anybody.get('/flags')).body.map(({ flag_name: name }: Json) => name)).toEqual([
    'beta_search',
    'dark_mode',
    'experimental_ai',
    'new_feature',
  ]);
  const gone = await anybody.delete('/flags/experimental_ai');
  expect([gone.status, gone.text]).toEqual([204, '']);
  for (const unknown of [
    await anybody.get('/flags/experimental_ai'),
    await anybody.get('/users/alice123/flags/experimental_ai'),
    await anybody.put('/flags/experimental_ai', { status: true }),
    await anybody.delete('/flags/experimental_ai'),
  ])
    expect([unknown.status, unknown.body]).toEqual([404, { detail: "Flag 'experimental_ai' not found" }]);
});

it('1.02, 1.03: shows a flag in exactly its fields; without a percentage it is on for everyone', async () => {
  const { body } = await anybody.post('/flags', { flag_name: 'for_all', status: true });
  expect(body).toEqual({
    id: expect.any(Number),
    flag_name: 'for_all',
    status: true,
    rollout_percentage: null,
    description: null,
    created_at: expect.stringMatching(TIME),
    updated_at: expect.stringMatching(TIME),
  });
  expect((await anybody.get('/flags/for_all')).body).toEqual(body);
  expect((await anybody.get('/users/anyone/flags/for_all')).body.enabled).toBe(true);
  const some = await anybody.put('/flags/for_all', { rollout_percentage: 0 });
  expect([some.body.rollout_percentage, some.body.id]).toEqual([0, body.id]);
  expect((await anybody.get('/users/anyone/flags/for_all')).body.enabled).toBe(false);
  expect((await anybody.put('/flags/for_all', { rollout_percentage: 100 })).body.rollout_percentage).toBe(
    100,
  );
  expect((await anybody.get('/users/anyone/flags/for_all')).body.enabled).toBe(true);
  expect(
    (await anybody.put('/flags/for_all', { rollout_percentage: null })).body.rollout_percentage,
  ).toBeNull();
  expect((await anybody.put('/flags/for_all', {})).body.rollout_percentage).toBeNull();
});

it('1.04: refuses what is out of bounds, and what is there already', async () => {
  for (const body of [
    {},
    { flag_name: '' },
    { flag_name: 'n'.repeat(256) },
    { flag_name: 'x', rollout_percentage: 101 },
    { flag_name: 'x', rollout_percentage: -0.5 },
    { flag_name: 'x', status: 'perhaps' },
  ]) {
    const refused = await anybody.post('/flags', body);
    expect([body, refused.status, Array.isArray(refused.body.detail)]).toEqual([body, 422, true]);
  }
  expect((await anybody.post('/flags', { flag_name: 'twice' })).status).toBe(201);
  const again = await anybody.post('/flags', { flag_name: 'twice' });
  expect([again.status, again.body]).toEqual([400, { detail: "Feature flag 'twice' already exists" }]);
});

it('3.7: takes names in any case for the same flag, places users by the name as it was said, and refuses what is no key', async () => {
  const created = await anybody.post('/flags', {
    flag_name: 'Beta_Checkout',
    status: true,
    rollout_percentage: 50,
  });
  expect([created.status, created.body.flag_name]).toEqual([201, 'beta_checkout']);
  expect((await anybody.get('/flags/BETA_CHECKOUT')).body).toEqual(created.body);
  // int(sha256("user-7:Beta_Checkout"), 16) % 100
  const bucket = Number(BigInt(`0x${await sha256('user-7:Beta_Checkout')}`) % 100n);
  expect((await anybody.get('/users/user-7/flags/Beta_Checkout')).body.enabled).toBe(bucket < 50);
  for (const name of ['my flag', 'größe', 'a/b', '_hidden', 'health']) {
    const refused = await anybody.post('/flags', { flag_name: name });
    expect([refused.status, refused.body.detail[0].loc, refused.body.detail[0].input]).toEqual([
      422,
      ['body', 'flag_name'],
      name,
    ]);
  }
});

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(text))).toString('hex');
}

it('1.11: places users by its own rule', async () => {
  for (const name of new Set(GOLDEN.map(([flag]) => flag))) await anybody.post('/flags', { flag_name: name });
  for (const [name, user, , bucket] of GOLDEN)
    for (const [percentage, isIn] of [
      [bucket, false],
      [bucket + 1, true],
    ] as const) {
      await anybody.put(`/flags/${name}`, { status: true, rollout_percentage: percentage });
      const { body } = await anybody.get(`/users/${user}/flags/${name}`);
      expect([name, user, percentage, body.enabled]).toEqual([name, user, percentage, isIn]);
    }
});

it('1.13: tells how it is', async () => {
  expect((await anybody.get('/health')).body).toEqual({
    status: 'healthy',
    timestamp: expect.stringMatching(TIME),
    version: expect.any(String),
  });
});

it('says who it was, where anybody may write', async () => {
  await anybody.post('/flags', { flag_name: 'by_anybody' });
  const viewer = await vexil.bearer('viewer');
  const [entry] = (await vexil.http.get('/audit/flag/by_anybody').set(viewer)).body as Json[];
  expect([entry?.['action'], (entry?.['actor'] as Json | undefined)?.['type']]).toEqual([
    'created',
    'anonymous',
  ]);
  const program = anybody.with(await keyOf(vexil, { ...ADMIN_KEY, name: 'Pipeline' }));
  await program.post('/flags', { flag_name: 'by_a_program' });
  const [other] = (await vexil.http.get('/audit/flag/by_a_program').set(viewer)).body as Json[];
  expect((other?.['actor'] as Json | undefined)?.['name']).toBe('Pipeline');
});
