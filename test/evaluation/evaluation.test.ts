import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  const environment_key = 'production';
  await api.newFlag({
    key: 'new-checkout',
    environment_key,
    is_enabled: true,
    flag_type: 'percentage',
    rollout_percentage: 25,
  });
  await api.newFlag({ key: 'plain', environment_key, is_enabled: true });
  await api.newFlag({ key: 'sleeping', environment_key });
  await api.newFlag({
    key: 'by-company',
    environment_key,
    is_enabled: true,
    default_serve: { rollout: { percentage: 50, bucket_by: 'company' } },
  });
  await api.newFlag({
    key: 'colour',
    environment_key,
    is_enabled: true,
    value_type: 'string',
    variants: [
      { key: 'red', value: '#f00' },
      { key: 'blue', value: '#00f' },
    ],
  });
});
afterAll(() => vexil.close());

const nobody = () => api.as('nobody');
const ask = (key: string, body: Json) =>
  nobody().post(`/evaluate/${key}`, { environment_key: 'production', ...body });

it('answers with exactly the fields of the contract', async () => {
  const { status, body, headers } = await nobody().get(
    '/evaluate/new-checkout?environment_key=production&user_id=alice',
  );
  expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
  expect(body).toEqual({
    enabled: true,
    flag_key: 'new-checkout',
    value: true,
    variant: 'on',
    reason: 'User bucket 139 is within 25% rollout',
    reason_code: 'SPLIT',
    cached: true,
    flag_version: 1,
    revision: 5,
  });
  expect((await ask('new-checkout', { context: { user_id: 'alice' } })).body).toEqual(body);
});

it.each<[string, string, boolean, string, string]>([
  ['sleeping', 'alice', false, 'DISABLED', 'Flag is disabled'],
  ['plain', 'alice', true, 'STATIC', 'Boolean flag is enabled'],
  ['plain', '', true, 'STATIC', 'Boolean flag is enabled'],
  ['new-checkout', '', false, 'SPLIT', 'Percentage flag requires user_id'],
  ['new-checkout', 'alice', true, 'SPLIT', 'User bucket 139 is within 25% rollout'],
  ['new-checkout', 'user-123', false, 'SPLIT', 'User bucket 2532 is outside 25% rollout'],
  ['nowhere', 'alice', false, 'ERROR', "Flag 'nowhere' not found in environment 'production'"],
  ['by-company', 'alice', false, 'SPLIT', "Rollout requires attribute 'company'"],
  ['colour', 'alice', true, 'STATIC', "Flag serves variant 'red' to everyone"],
])('says of %s for %j: %s, %s, %s', async (key, user, enabled, reason_code, reason) => {
  expect(await nobody().evaluate(key, user, 'production')).toMatchObject({ enabled, reason_code, reason });
  if (user === '')
    expect(await nobody().evaluate(key, undefined, 'production')).toMatchObject({ enabled, reason });
});

it('is enabled in a rollout of texts only for those who are in it, whatever the others get', async () => {
  const environment_key = 'development';
  const texts = ['grey', 'red', 'blue'].map((key) => ({ key, value: key }));
  const common = { environment_key, is_enabled: true, value_type: 'string', variants: texts };
  const halves = [
    { variant: 'red', weight: 50 },
    { variant: 'blue', weight: 50 },
  ];
  const quarter = { percentage: 25, weights: [{ variant: 'red', weight: 100 }], salt: 'new-checkout' };
  for (const [key, off_variant, rollout] of [
    ['some', 'grey', quarter],
    ['some-or-none', null, quarter],
    ['split', 'grey', { percentage: 25, weights: halves, salt: 'new-checkout' }],
    ['companies', 'grey', { weights: halves, bucket_by: 'company' }],
  ] as const)
    await api.newFlag({ ...common, key, off_variant, default_serve: { rollout } });

  const answers = [];
  for (const key of ['some', 'some-or-none', 'split', 'companies'])
    for (const user of ['alice', 'user-123', undefined]) {
      const { enabled, value, reason } = await nobody().evaluate(key, user, environment_key);
      answers.push([key, enabled, value, reason]);
    }
  const outside = 'User bucket 2532 is outside 25% rollout';
  expect(answers).toEqual([
    ['some', true, 'red', 'User bucket 139 is within 25% rollout'],
    ['some', false, 'grey', outside],
    ['some', false, 'grey', 'Rollout requires user_id'],
    ['some-or-none', true, 'red', 'User bucket 139 is within 25% rollout'],
    ['some-or-none', false, null, outside],
    ['some-or-none', false, null, 'Rollout requires user_id'],
    [
      'split',
      true,
      expect.stringMatching(/red|blue/),
      expect.stringContaining('within 25% rollout and gets'),
    ],
    ['split', false, 'grey', `${outside} and gets variant 'grey'`],
    ['split', false, 'grey', 'Rollout requires user_id'],
    ...Array.from({ length: 3 }, () => ['companies', false, 'grey', "Rollout requires attribute 'company'"]),
  ]);
  const context = { company: 'erin' };
  const body = { environment_key, context };
  expect((await nobody().post('/evaluate/companies', body)).body).toMatchObject({ enabled: true });
});

it('says what is wrong with null for a user', async () => {
  const refused = await ask('plain', { user_id: null });
  expect([refused.status, refused.body.detail]).toEqual([
    422,
    'user_id: must be a text of at most 1024 characters or a number; leave it out when nobody is known',
  ]);
});

it('answers for an unknown flag and an unknown environment with 200 and the reason', async () => {
  const unknownFlag = await nobody().get('/evaluate/nowhere?environment_key=production');
  expect([unknownFlag.status, unknownFlag.body]).toEqual([
    200,
    {
      enabled: false,
      flag_key: 'nowhere',
      value: null,
      variant: null,
      reason: "Flag 'nowhere' not found in environment 'production'",
      reason_code: 'ERROR',
      error_code: 'FLAG_NOT_FOUND',
      cached: true,
      flag_version: null,
      revision: 5,
    },
  ]);
  const unknownPlace = await nobody().get('/evaluate/plain?environment_key=moon');
  expect([unknownPlace.status, unknownPlace.body]).toEqual([
    200,
    expect.objectContaining({
      enabled: false,
      value: null,
      reason: "Environment 'moon' not found",
      reason_code: 'ERROR',
      revision: null,
    }),
  ]);
  const many = await nobody().post('/evaluate', { environment_key: 'moon', flag_keys: ['plain'] });
  expect([many.status, many.body.revision, many.body.flags[0].reason]).toEqual([
    200,
    null,
    "Environment 'moon' not found",
  ]);
  const all = await nobody().post('/evaluate', { environment_key: 'moon' });
  expect([all.body.flags, all.body.reason]).toEqual([[], "Environment 'moon' not found"]);
});

it('evaluates many flags, or all, in one answer at one revision', async () => {
  const context = { user_id: 'alice', company: 'erin' };
  const all = await nobody().post('/evaluate', { environment_key: 'production', context });
  expect(all.status).toBe(200);
  expect([all.body.environment_key, all.body.revision]).toEqual(['production', 5]);
  expect(all.body.flags.map(({ flag_key }: Json) => flag_key)).toEqual([
    'by-company',
    'colour',
    'new-checkout',
    'plain',
    'sleeping',
  ]);
  for (const answer of all.body.flags) expect((await ask(answer.flag_key, { context })).body).toEqual(answer);

  const some = await nobody().post('/evaluate', {
    environment_key: 'production',
    user_id: 'alice',
    flag_keys: ['plain', 'nowhere', 'plain'],
  });
  expect(some.body.flags.map(({ flag_key, reason_code }: Json) => [flag_key, reason_code])).toEqual([
    ['plain', 'STATIC'],
    ['nowhere', 'ERROR'],
  ]);
  const none = await nobody().post('/evaluate', { environment_key: 'production', flag_keys: [] });
  expect([none.status, none.body.flags]).toEqual([200, []]);
});

it.each<[string, Json, string]>([
  ['user_id', { user_id: 'alice' }, 'alice'],
  ['user_id in the context', { context: { user_id: 'alice' } }, 'alice'],
  ['targetingKey', { context: { targetingKey: 'alice' } }, 'alice'],
  ['both in the context', { context: { targetingKey: 'alice', user_id: 'alice' } }, 'alice'],
  ['all three', { user_id: 'alice', context: { targetingKey: 'alice', user_id: 'alice' } }, 'alice'],
  ['null beside targetingKey', { context: { targetingKey: 'alice', user_id: null } }, 'alice'],
  ['an integer', { user_id: 123 }, '123'],
  ['an integer in the context', { context: { user_id: 123 } }, '123'],
  ['an integer and its text', { user_id: '123', context: { targetingKey: 123 } }, '123'],
  ['a fraction', { user_id: 1.5 }, '1.5'],
  ['a large number', { user_id: 1e21 }, '1e+21'],
  ['a negative zero', { user_id: -0 }, '0'],
  ['any text', { user_id: ' ä\u{1f600}\n"\\' }, ' ä\u{1f600}\n"\\'],
])('knows the user by %s', async (_, body, user) => {
  expect((await ask('new-checkout', body)).body).toEqual(
    await nobody().evaluate('new-checkout', user, 'production'),
  );
});

it.each<[string, string, unknown, number, string | undefined]>([
  ['no environment', 'plain', {}, 422, 'environment_key'],
  ['an empty environment', 'plain', { environment_key: '' }, 422, 'environment_key'],
  ['a number for an environment', 'plain', { environment_key: 1 }, 422, 'environment_key'],
  ['two users', 'plain', { environment_key: 'e', user_id: 'a', context: { user_id: 'b' } }, 422, 'user_id'],
  [
    'two users in the context',
    'plain',
    { environment_key: 'e', context: { user_id: 'a', targetingKey: 'b' } },
    422,
    'context.user_id',
  ],
  [
    'another user under the other name',
    'plain',
    { environment_key: 'e', user_id: 'a', context: { targetingKey: 'b' } },
    422,
    'user_id',
  ],
  [
    'a truth value for a user',
    'plain',
    { environment_key: 'e', context: { targetingKey: true } },
    422,
    'context.targetingKey',
  ],
  ['a list for a user', 'plain', { environment_key: 'e', user_id: ['a'] }, 422, 'user_id'],
  ['a long user', 'plain', { environment_key: 'e', user_id: 'x'.repeat(1025) }, 422, 'user_id'],
  ['a text for a context', 'plain', { environment_key: 'e', context: 'x' }, 422, 'context'],
  [
    '201 attributes',
    'plain',
    {
      environment_key: 'e',
      context: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`a${index}`, 1])),
    },
    422,
    'context',
  ],
  ['9 levels', 'plain', { environment_key: 'e', context: { a: [[[[[[[[1]]]]]]]] } }, 422, 'context'],
  ['an unknown field', 'plain', { environment_key: 'e', attributes: {} }, 422, 'attributes'],
  ['a list for a body', 'plain', [], 422, undefined],
  ['more than 64 KB', 'plain', { environment_key: 'e', context: { a: 'x'.repeat(65_536) } }, 413, undefined],
  [
    'a prototype',
    'plain',
    '{"environment_key": "e", "context": {"__proto__": {"plan": "pro"}}}',
    422,
    'context.__proto__',
  ],
  ['infinity', 'plain', '{"environment_key": "e", "user_id": 1e400}', 422, 'user_id'],
  ['half an object', 'plain', '{"environment_key": ', 400, undefined],
])('refuses %s', async (_, key, body, status, path) => {
  const path_ = `/evaluate/${key}`;
  const answer =
    typeof body === 'string' ? await nobody().raw('post', path_, body) : await nobody().post(path_, body);
  expect([answer.status, answer.headers['content-type']]).toEqual([
    status,
    expect.stringContaining('problem+json'),
  ]);
  if (path !== undefined) expect(answer.body.errors.map((problem: Json) => problem['path'])).toContain(path);
});

it.each([
  ['/evaluate/plain', 422],
  ['/evaluate/plain?user_id=alice', 422],
  ['/evaluate/plain?environment_key=', 422],
  ['/evaluate/plain?environment_key=production&environment_key=staging', 422],
  ['/evaluate/plain?environment_key=production&user=alice', 422],
  [`/evaluate/plain?environment_key=production&user_id=${'x'.repeat(1025)}`, 422],
  ['/evaluate/%00?environment_key=production', 200],
  ['/evaluate/__proto__?environment_key=production', 200],
  ['/evaluate/constructor?environment_key=__proto__', 200],
  [`/evaluate/${'x'.repeat(1025)}?environment_key=production`, 422],
  ['/evaluate/%?environment_key=production', 400],
  ['/evaluate/plain?environment_key=production&user_id=%00%ED%A0%80', 200],
])('answers GET %s with %i', async (path, status) => {
  expect((await nobody().get(path)).status).toBe(status);
});

it('takes 200 attributes, 8 levels and just under 64 KB', async () => {
  const attributes = Object.fromEntries(Array.from({ length: 199 }, (_, index) => [`a${index}`, index]));
  const context = { ...attributes, deep: [[[[[[[1]]]]]]] };
  expect((await ask('plain', { context })).status).toBe(200);
  expect((await ask('plain', { context: { a: 'x'.repeat(65_000) } })).status).toBe(200);
});

it('asks nobody who they are, and minds no bad credential', async () => {
  const answer = await vexil.http
    .get('/evaluate/plain?environment_key=production')
    .set('Authorization', 'Bearer nonsense');
  expect([answer.status, answer.body.enabled]).toEqual([200, true]);
});

it('answers ERROR for a flag that cannot be read, and for no other', async () => {
  const broken = async (sql: string, ...values: unknown[]) => {
    await vexil.query(sql, values);
    await vexil.query(`UPDATE environments SET revision = revision + 1 WHERE key = 'staging'`);
    await api.delete('/flags/any/cache');
  };
  for (const key of ['next', 'lost', 'fine'])
    await api.newFlag({ key, environment_key: 'staging', is_enabled: true });
  const set = `UPDATE flag_settings SET default_serve = $2 WHERE flag_id = (SELECT id FROM flags WHERE key = $1)`;
  await broken(set, 'next', { rollout: { hash_version: 'next' } });
  await broken(set, 'lost', { variant: 'gone' });
  for (const key of ['next', 'lost']) {
    expect(await nobody().evaluate(key, 'alice', 'staging')).toMatchObject({
      enabled: false,
      value: null,
      variant: null,
      reason: `Flag '${key}' cannot be read`,
      reason_code: 'ERROR',
      error_code: 'PARSE_ERROR',
    });
  }
  expect(await nobody().evaluate('fine', 'alice', 'staging')).toMatchObject({ enabled: true });
  const all = await nobody().post('/evaluate', { environment_key: 'staging', user_id: 'alice' });
  expect(all.body.flags.map(({ flag_key, reason_code }: Json) => [flag_key, reason_code])).toEqual([
    ['fine', 'STATIC'],
    ['lost', 'ERROR'],
    ['next', 'ERROR'],
  ]);
  expect((await api.get('/flags?environment_key=staging')).status).toBe(200);
  expect((await api.get('/metrics')).text).toMatch(/vexil_unreadable_flags\{environment="staging"\} 2/);
  await api.change('next', { flag_type: 'boolean' }, 'staging');
  expect(await nobody().evaluate('next', 'alice', 'staging')).toMatchObject({ enabled: true });
  expect((await api.delete(flagPath('lost', 'staging'))).status).toBe(204);
});

it('counts answers by flag and variant, and unknown flags together', async () => {
  await nobody().evaluate('metric-a', 'alice', 'production');
  await nobody().evaluate('metric-b', 'alice', 'production');
  const { text } = await api.get('/metrics');
  expect(text).toMatch(
    /vexil_evaluations_total\{environment="production",flag="plain",variant="on",reason="STATIC"\} \d+/,
  );
  expect(text).toContain('flag="(unknown)"');
  expect(text).not.toContain('metric-a');
});
