import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, flagPath, type Json, PATIENT } from '../support/api.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
let admin: { id: string; email: string; token: string };
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
  admin = await vexil.as('admin');
  await vexil.as('developer');
  await vexil.as('viewer');
});
afterAll(() => vexil.close());

const lastPosition = async (): Promise<number> => {
  const [row] = await vexil.query<{ position: string }>('SELECT position FROM audit_chain');
  return Number(row!.position);
};
const positionsOf = (entries: Json[]) => entries.map(({ position }) => position);
const entriesAfter = async (position: number): Promise<Json[]> =>
  ((await api.get('/audit?limit=200')).body as Json[]).filter(
    (entry) => (entry['position'] as number) > position,
  );

it('leaves exactly one entry for each write there is, and none for what was refused or changed nothing', async () => {
  const email = `walk-${Date.now()}@example.com`;
  let id = '';
  const writes: [string, () => Promise<{ status: number; body: Json }>, Json | undefined][] = [
    [
      'register',
      async () => {
        const answer = await api
          .as('nobody')
          .post('/auth/register', { email, password: PASSWORD, name: 'Walker' });
        id = answer.body.user.id;
        return answer;
      },
      { entity_type: 'user', action: 'created', entity_key: email },
    ],
    [
      'register again',
      () => api.as('nobody').post('/auth/register', { email, password: PASSWORD, name: 'W' }),
      undefined,
    ],
    ['log in', () => api.as('nobody').post('/auth/login', { email, password: PASSWORD }), undefined],
    [
      'role',
      () => api.put(`/auth/users/${id}/role`, { role: 'developer' }),
      { entity_type: 'user', action: 'updated', changes: { role: { old: 'viewer', new: 'developer' } } },
    ],
    ['same role', () => api.put(`/auth/users/${id}/role`, { role: 'developer' }), undefined],
    ['wrong role', () => api.put(`/auth/users/${id}/role`, { role: 'owner' }), undefined],
    [
      'disable',
      () => api.put(`/auth/users/${id}/active`, { is_active: false }),
      { entity_type: 'user', action: 'updated', changes: { is_active: { old: true, new: false } } },
    ],
    ['disable again', () => api.put(`/auth/users/${id}/active`, { is_active: false }), undefined],
    [
      'new environment',
      () => api.post('/environments', { key: 'walk', name: 'Walk' }),
      { entity_type: 'environment', action: 'created', environment_key: 'walk', revision: 1 },
    ],
    ['same environment', () => api.post('/environments', { key: 'walk', name: 'Walk' }), undefined],
    [
      'rename environment',
      () => api.put('/environments/walk', { name: 'Gait' }),
      {
        entity_type: 'environment',
        action: 'updated',
        changes: { name: { old: 'Walk', new: 'Gait' } },
        revision: 2,
      },
    ],
    ['rename to the same', () => api.put('/environments/walk', { name: 'Gait' }), undefined],
    [
      'new flag',
      () => api.post('/flags', { key: 'walked', name: 'Walked', environment_key: 'walk', reason: 'because' }),
      { entity_type: 'flag', action: 'created', environment_key: 'walk', revision: 3, reason: 'because' },
    ],
    [
      'same flag',
      () => api.post('/flags', { key: 'walked', name: 'Walked', environment_key: 'walk' }),
      undefined,
    ],
    [
      'flag everywhere',
      () => api.post('/flags', { key: 'walked-all', name: 'All' }),
      { entity_type: 'flag', action: 'created', environment_key: null, revision: null },
    ],
    [
      'change flag',
      () => api.put(flagPath('walked', 'walk'), { is_enabled: true, rollout_percentage: 25 }),
      {
        entity_type: 'flag',
        action: 'updated',
        environment_key: 'walk',
        changes: {
          is_enabled: { old: false, new: true },
          flag_type: { old: 'boolean', new: 'percentage' },
          rollout_percentage: { old: 100, new: 25 },
        },
      },
    ],
    [
      'change nothing',
      () => api.put(flagPath('walked', 'walk'), { is_enabled: true, reason: 'none' }),
      undefined,
    ],
    [
      'stale change',
      () => api.put(flagPath('walked', 'walk'), { is_enabled: false }, { 'If-Match': '"1"' }),
      undefined,
    ],
    [
      'impossible change',
      () => api.put(flagPath('walked', 'walk'), { is_enabled: false, off_variant: 'x' }),
      undefined,
    ],
    [
      'forbidden change',
      () => api.as('viewer').put(flagPath('walked', 'walk'), { is_enabled: false }),
      undefined,
    ],
    ['drop the cache', () => api.delete('/flags/walked/cache'), undefined],
    [
      'delete flag',
      () => api.delete(`${flagPath('walked', 'walk')}&reason=done`),
      { entity_type: 'flag', action: 'deleted', environment_key: 'walk', reason: 'done' },
    ],
    ['delete again', () => api.delete(flagPath('walked', 'walk')), undefined],
    ['delete environment in use', () => api.delete('/environments/walk'), undefined],
    ['empty the environment', () => api.delete(flagPath('walked-all', 'walk')), { action: 'deleted' }],
    [
      'delete environment',
      () => api.delete('/environments/walk?reason=moved'),
      { entity_type: 'environment', action: 'deleted', entity_key: 'walk', reason: 'moved' },
    ],
  ];
  for (const [name, write, expected] of writes) {
    const before = await lastPosition();
    const { status } = await write();
    const entries = await entriesAfter(before);
    expect([name, status < 300 || expected === undefined, entries.length]).toEqual([
      name,
      true,
      expected ? 1 : 0,
    ]);
    if (expected) expect(entries[0]).toMatchObject({ ...expected, request_id: expect.any(String) });
  }
  expect((await api.get('/audit/verify')).body).toMatchObject({ valid: true, checked: await lastPosition() });
});

it('leaves one entry for each thing that a forced deletion takes along', async () => {
  await api.post('/environments', { key: 'doomed', name: 'Doomed' });
  for (const key of ['doom-a', 'doom-b']) await api.newFlag({ key, environment_key: 'doomed' });
  const before = await lastPosition();
  await api.delete('/environments/doomed?force=true');
  expect(
    (await entriesAfter(before)).map(({ entity_type, entity_key, action }) => [
      entity_type,
      entity_key,
      action,
    ]),
  ).toEqual([
    ['environment', 'doomed', 'deleted'],
    ['flag', 'doom-b', 'deleted'],
    ['flag', 'doom-a', 'deleted'],
  ]);
});

it('tells who, when, in which request, and old and new of each field', async () => {
  await api.newFlag({ key: 'told', environment_key: 'staging' });
  const answer = await api
    .as('developer')
    .put(
      flagPath('told', 'staging'),
      { rollout_percentage: 0.5, tags: ['a'], reason: 'try' },
      { 'X-Request-Id': 'my-request' },
    );
  const developer = await vexil.as('developer');
  const [entry] = await api.history('told');
  expect(entry).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    position: await lastPosition(),
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    entity_type: 'flag',
    entity_id: answer.body.id,
    entity_key: 'told',
    action: 'updated',
    user_id: developer.id,
    actor: { type: 'user', id: developer.id, name: developer.email },
    environment_key: 'staging',
    revision: await api.revision('staging'),
    revisions: { staging: await api.revision('staging') },
    changes: {
      flag_type: { old: 'boolean', new: 'percentage' },
      rollout_percentage: { old: 100, new: 0.5 },
      tags: { old: [], new: ['a'] },
    },
    before: expect.objectContaining({ rollout_percentage: 100, tags: [], is_enabled: false }),
    after: expect.objectContaining({ rollout_percentage: 0.5, tags: ['a'], is_enabled: false }),
    reason: 'try',
    request_id: 'my-request',
    previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(Date.now() - Date.parse(entry!['created_at'] as string)).toBeLessThan(60_000);
});

it('says of a new thing all that it is, and of a deleted one all that it was', async () => {
  const flag = await api.newFlag({ key: 'whole', rollout_percentage: 5 });
  await api.delete(flagPath('whole'));
  const [deleted, created] = await api.history('whole');
  expect(created).toMatchObject({
    before: null,
    changes: { key: { old: null, new: 'whole' }, rollout_percentage: { old: null, new: 5 } },
  });
  expect(deleted).toMatchObject({
    after: null,
    entity_id: flag['id'],
    changes: { key: { old: 'whole', new: null }, rollout_percentage: { old: 5, new: null } },
  });
  expect(deleted!['before']).toEqual(created!['after']);
});

it('keeps the history of a flag in every environment, newest first, after it is gone and made anew', async () => {
  await api.newFlag({ key: 'past' });
  await api.newFlag({ key: 'past', environment_key: 'production' });
  await api.change('past', { is_enabled: true });
  await api.delete(flagPath('past'));
  await api.delete(flagPath('past', 'production'));
  await api.newFlag({ key: 'past' });
  const history = await api.as('viewer').history('past');
  expect(history.map(({ action, environment_key }) => [action, environment_key])).toEqual([
    ['created', 'development'],
    ['deleted', 'production'],
    ['deleted', 'development'],
    ['updated', 'development'],
    ['created', 'production'],
    ['created', 'development'],
  ]);
});

it.each(['never-was', '%25', "a'%20OR%201=1", 'past%20'])(
  'has an empty history for the key %s',
  async (key) => {
    const { status, body } = await api.get(`/audit/flag/${key}`);
    expect([status, body]).toEqual([200, []]);
  },
);

it('filters, and pages from the newest on without missing or repeating any', async () => {
  for (let index = 0; index < 7; index += 1)
    await api.newFlag({ key: `page-${index}`, environment_key: 'staging' });
  await api.change('page-1', { name: 'x' }, 'staging');
  for (const key of ['page-2', 'page-3'])
    await api.put(flagPath(key, 'staging'), { is_enabled: true }, { 'X-Request-Id': 'batch-of-two' });
  await api.delete(flagPath('page-0', 'staging'));
  const everything: Json[] = (await api.get('/audit?limit=200')).body;
  const positions = everything.map(({ position }) => position as number);
  expect(positions).toEqual([...positions].sort((a, b) => b - a));
  expect(positions.at(-1)).toBe(1);

  const paged: Json[] = [];
  for (let before = ''; ;) {
    const { body: page } = await api.get(`/audit?limit=3${before}`);
    paged.push(...page);
    if (page.length < 3) break;
    before = `&before=${page.at(-1).position}`;
  }
  expect(paged).toEqual(everything);

  const developer = await vexil.as('developer');
  const middle = everything[5]!['created_at'] as string;
  const wanted: [string, (entry: Json) => boolean][] = [
    ['entity_type=flag', ({ entity_type }) => entity_type === 'flag'],
    ['entity_type=user', ({ entity_type }) => entity_type === 'user'],
    ['entity_key=page-1', ({ entity_key }) => entity_key === 'page-1'],
    ['action=deleted', ({ action }) => action === 'deleted'],
    ['request_id=batch-of-two', ({ request_id }) => request_id === 'batch-of-two'],
    [`user_id=${developer.id}`, ({ user_id }) => user_id === developer.id],
    ['environment_key=staging', (entry) => 'staging' in (entry['revisions'] as Json)],
    [
      'environment_key=staging&action=created&entity_type=flag',
      (entry) =>
        'staging' in (entry['revisions'] as Json) &&
        entry['action'] === 'created' &&
        entry['entity_type'] === 'flag',
    ],
    [`since=${middle}`, ({ created_at }) => (created_at as string) >= middle],
    [`until=${middle}`, ({ created_at }) => (created_at as string) < middle],
    [`since=${middle.replace('Z', '%2B00:00')}`, ({ created_at }) => (created_at as string) >= middle],
  ];
  for (const [query, fits] of wanted) {
    const { body } = await api.get(`/audit?limit=200&${query}`);
    expect([query, positionsOf(body)]).toEqual([query, positionsOf(everything.filter(fits))]);
    expect(body.length).toBeGreaterThan(0);
  }
  const { body: ofFlag } = await api.get('/audit/flag/page-1?action=updated&limit=1');
  expect(ofFlag).toEqual(
    everything.filter(({ entity_key, action }) => entity_key === 'page-1' && action === 'updated'),
  );
});

it('has 50 entries on a page unless asked', async () => {
  await Promise.all(Array.from({ length: 60 }, (_, index) => api.newFlag({ key: `many-${index}` })));
  expect((await api.get('/audit')).body).toHaveLength(50);
});

it.each([
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['before=x', 'before'],
  ['before=-1', 'before'],
  ['action=changed', 'action'],
  ['entity_type=role', 'entity_type'],
  ['since=yesterday', 'since'],
  ['since=2026-02-30T00:00:00Z', 'since'],
  ['until=2026-01-01', 'until'],
  ['entity_key=%00', 'entity_key'],
  ['offset=1', 'offset'],
])('refuses %j by name', async (query, path) => {
  const { status, body } = await api.get(`/audit?${query}`);
  expect(status).toBe(422);
  expect(body.errors.map((problem: Json) => problem['path'])).toContain(path);
});

it('counts the revisions of each environment 1, 2, 3… without a gap', async () => {
  await api.newFlag({ key: 'counted' });
  await api.newFlag({ key: 'counted', environment_key: 'staging' });
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      api.put(
        flagPath('counted', index % 2 === 0 ? 'development' : 'staging'),
        index % 5 === 0 ? { name: `n${index}` } : { rollout_percentage: index },
      ),
    ),
  );
  await api.put('/environments/staging', { description: 'changed' });
  const rows = await vexil.query<{ revisions: Record<string, number> }>(
    'SELECT revisions FROM audit_entries ORDER BY position',
  );
  for (const environment of ['development', 'staging', 'production']) {
    const revisions = rows.flatMap(({ revisions: all }) => (environment in all ? [all[environment]!] : []));
    expect(revisions).toEqual(revisions.map((_, index) => index + 1));
    expect(revisions.length).toBe(await api.revision(environment));
  }
});

it('never holds a secret', async () => {
  const rows = await vexil.query('SELECT audit_entries::text AS text FROM audit_entries');
  const text = JSON.stringify(rows);
  for (const secret of [PASSWORD, 'argon2', 'password', admin.token, admin.token.split('.')[2]!]) {
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify((await api.get('/audit?limit=200')).body)).not.toContain('password');
});

it('is closed to those who are not known', async () => {
  for (const path of ['/audit', '/audit/flag/past', '/audit/verify']) {
    expect((await api.as('nobody').get(path)).status).toBe(401);
    expect((await api.as('viewer').get(path)).status).toBe(200);
  }
});
