import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { startApp, type TestApp } from '../support/app.js';
import { ADMIN_KEY, Client, GOLDEN, keyOf, TIME, type Json } from './support.js';

// System 003: evaluation at high throughput, with a key for everything.
let vexil: TestApp;
let anybody: Client;
let program: Client;
beforeAll(async () => {
  vexil = await startApp();
  anybody = new Client(vexil, '/api/v1');
  program = anybody.with(await keyOf(vexil, ADMIN_KEY));
});
afterAll(() => vexil.close());

let made = 0;
async function flag(more: Json = {}): Promise<string> {
  const id = `flag-${++made}`;
  const { status, body } = await program.post('/flags', {
    flag_id: id,
    name: 'A flag',
    environment: 'prod',
    ...more,
  });
  expect([status, body]).toEqual([201, expect.anything()]);
  return id;
}
const evaluate = (client: Client, id: string, user: string, environment = 'prod') =>
  client.get(`/flags/${id}/evaluate?user_id=${user}&environment=${environment}`);

it('walks the README through (3.02, 3.06–3.10)', async () => {
  const created = await program.post('/flags', {
    flag_id: 'new-checkout',
    name: 'New checkout',
    enabled: true,
    rollout_percentage: 50,
    environment: 'prod',
  });
  expect([created.status, created.body]).toEqual([
    201,
    {
      flag_id: 'new-checkout',
      name: 'New checkout',
      description: null,
      enabled: true,
      rollout_percentage: 50,
      environment: 'prod',
      created_at: expect.stringMatching(TIME),
      updated_at: expect.stringMatching(TIME),
      version: 1,
    },
  ]);
  const asked = await evaluate(program, 'new-checkout', 'user-123');
  expect([asked.status, asked.body]).toEqual([
    200,
    {
      flag_id: 'new-checkout',
      enabled: true,
      user_id: 'user-123',
      evaluated_at: expect.stringMatching(TIME),
    },
  ]);
  expect((await program.get('/flags/new-checkout')).body).toEqual(created.body);
  expect((await program.get('/flags?environment=prod')).body).toEqual({
    flags: [created.body],
    count: 1,
    environment: 'prod',
  });
  const changed = await program.put('/flags/new-checkout', { rollout_percentage: 25 });
  expect([changed.status, changed.body.version, changed.body.rollout_percentage]).toEqual([200, 2, 25]);
  expect((await evaluate(program, 'new-checkout', 'user-123')).body.enabled).toBe(false);
  const gone = await program.delete('/flags/new-checkout');
  expect([gone.status, gone.text]).toEqual([204, '']);
  for (const unknown of [
    await program.get('/flags/new-checkout'),
    await evaluate(program, 'new-checkout', 'u'),
    await program.put('/flags/new-checkout', { enabled: false }),
    await program.delete('/flags/new-checkout'),
  ])
    expect([unknown.status, unknown.body]).toEqual([404, { detail: 'Flag not found' }]);
});

it('3.01: wants a key for everything', async () => {
  const id = await flag();
  const all = (client: Client) => [
    evaluate(client, id, 'u'),
    client.get('/flags'),
    client.get(`/flags/${id}`),
    client.post('/flags', {}),
    client.put(`/flags/${id}`, {}),
    client.delete(`/flags/${id}`),
  ];
  for (const { status, body, headers } of await Promise.all(all(anybody))) {
    expect([status, headers['www-authenticate']]).toEqual([422, undefined]);
    expect(body).toEqual({
      detail: [{ type: 'missing', loc: ['header', 'x-api-key'], msg: 'Field required', input: null }],
    });
  }
  for (const wrong of ['0123456789abcdef0123456789abcdef', newSecret('server').secret])
    for (const { status, body } of await Promise.all(all(anybody.with(wrong))))
      expect([status, body]).toEqual([401, { detail: 'Invalid API key' }]);
  expect((await vexil.http.get('/health')).body).toMatchObject({
    status: 'healthy',
    database: 'connected',
    cache: expect.any(String),
  });
});

it('a key for one environment reads and asks there, and changes nothing', async () => {
  const [here, there] = [await flag({ environment: 'staging' }), await flag()];
  const server = anybody.with(await keyOf(vexil, { kind: 'server', environment_key: 'staging' }));
  expect((await server.get(`/flags/${here}`)).body.environment).toBe('staging');
  expect((await server.get(`/flags/${here}/evaluate?user_id=u`)).status).toBe(200);
  expect((await server.get('/flags')).body.flags.map((each: Json) => each['flag_id'])).toEqual([here]);
  expect((await server.get(`/flags/${there}`)).status).toBe(404);
  for (const path of [
    `/flags/${there}?environment=prod`,
    '/flags?environment=prod',
    `/flags/${there}/evaluate?user_id=u&environment=prod`,
  ]) {
    const refused = await server.get(path);
    expect([path, refused.status, refused.body]).toEqual([
      path,
      403,
      { detail: "This API key is for the environment 'staging' only." },
    ]);
  }
  expect((await server.put(`/flags/${here}`, { enabled: true })).status).toBe(403);
  expect((await server.delete(`/flags/${here}`)).status).toBe(403);
  const client = anybody.with(await keyOf(vexil, { kind: 'client', environment_key: 'staging' }));
  expect((await client.get(`/flags/${here}/evaluate?user_id=u`)).status).toBe(404);
  expect((await client.get('/flags')).status).toBe(403);
  const developer = anybody.with(await keyOf(vexil, { kind: 'admin', role: 'developer' }));
  expect((await developer.put(`/flags/${here}`, { enabled: true })).status).toBe(200);
  expect((await developer.put(`/flags/${there}`, { enabled: true })).status).toBe(403);
  expect((await developer.delete(`/flags/${here}`)).status).toBe(403);
});

it('3.02: asks who it is for', async () => {
  const id = await flag();
  const { status, body } = await program.get(`/flags/${id}/evaluate`);
  expect([status, body]).toEqual([
    422,
    { detail: [{ type: 'missing', loc: ['query', 'user_id'], msg: 'Field required', input: null }] },
  ]);
});

it('3.02: evaluates in the environment that is named (it was ignored there), production being the default', async () => {
  const id = await flag({ environment: 'prod', enabled: true, rollout_percentage: 100 });
  const other = await program.post('/flags', {
    flag_id: id,
    name: 'A flag',
    environment: 'dev',
    enabled: false,
  });
  expect([other.status, other.body.environment]).toEqual([201, 'dev']);
  const ask = async (query: string) =>
    (await program.get(`/flags/${id}/evaluate?user_id=u${query}`)).body.enabled as unknown;
  expect([await ask(''), await ask('&environment=prod'), await ask('&environment=production')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([await ask('&environment=dev'), await ask('&environment=development')]).toEqual([false, false]);
  for (const environment of ['stage', 'staging', 'nowhere'])
    expect((await evaluate(program, id, 'u', environment)).status).toBe(404);
});

it('3.08, 3.10: calls environments by its own names', async () => {
  for (const [name, key] of [
    ['prod', 'production'],
    ['dev', 'development'],
    ['stage', 'staging'],
    ['staging', 'staging'],
    ['production', 'production'],
  ] as const) {
    const id = await flag({ environment: name });
    const viewer = await vexil.bearer('viewer');
    expect((await vexil.http.get(`/flags/${id}?environment_key=${key}`).set(viewer)).status).toBe(200);
    expect((await program.get(`/flags/${id}?environment=${name}`)).body.environment).toBe(name);
    const list = (await program.get(`/flags?environment=${name}`)).body;
    expect([list.environment, list.flags.every((each: Json) => each['environment'] === name)]).toEqual([
      name,
      true,
    ]);
  }
  const id = await flag({ environment: 'dev' });
  expect((await program.get(`/flags/${id}`)).body.environment).toBe('dev');
  // The second is what every JavaScript object answers to.
  for (const environment of ['nowhere', 'constructor']) {
    const list = await program.get(`/flags?environment=${environment}`);
    expect([list.status, list.body]).toEqual([200, { flags: [], count: 0, environment }]);
    const lost = await program.post('/flags', { flag_id: 'lost', name: 'x', environment });
    expect([lost.status, lost.body]).toEqual([400, { detail: `Environment '${environment}' not found` }]);
  }
  const everywhere = (await program.get('/flags')).body;
  expect([everywhere.environment, everywhere.count]).toEqual([null, everywhere.flags.length]);
  expect(new Set(everywhere.flags.map((each: Json) => each['environment']))).toEqual(
    new Set(['prod', 'dev', 'staging']),
  );
});

it('3.08: refuses what is there, and a wrong percentage (both an error 500 there)', async () => {
  const id = await flag();
  const again = await program.post('/flags', { flag_id: id, name: 'A flag', environment: 'prod' });
  expect([again.status, again.body]).toEqual([400, { detail: 'Flag already exists' }]);
  const wrong = await program.post('/flags', {
    flag_id: 'wrong',
    name: 'x',
    environment: 'prod',
    rollout_percentage: 150,
  });
  expect([wrong.status, wrong.body.detail[0].loc, wrong.body.detail[0].type]).toEqual([
    422,
    ['body', 'rollout_percentage'],
    'less_than_equal',
  ]);
  const bare = await program.post('/flags', { flag_id: 'bare', name: 'x' });
  expect([bare.status, bare.body.detail[0].loc]).toEqual([422, ['body', 'environment']]);
  const plain = await program.post('/flags', { flag_id: 'defaults', name: 'x', environment: 'dev' });
  expect(plain.body).toMatchObject({ enabled: false, rollout_percentage: 0, description: null });
});

it('3.05: keeps hundredths of a per cent (whole ones only, there)', async () => {
  const id = await flag({ enabled: true, rollout_percentage: 1.39 });
  expect((await program.get(`/flags/${id}`)).body.rollout_percentage).toBe(1.39);
  await program.post('/flags', {
    flag_id: 'new-checkout',
    name: 'x',
    environment: 'prod',
    enabled: true,
    rollout_percentage: 1.39,
  });
  expect((await evaluate(program, 'new-checkout', 'alice')).body.enabled).toBe(false);
  await program.put('/flags/new-checkout', { rollout_percentage: 1.4 });
  expect((await evaluate(program, 'new-checkout', 'alice')).body.enabled).toBe(true);
  await program.delete('/flags/new-checkout');
});

it('3.09: what is null stays; a flag is not moved by a field', async () => {
  const id = await flag({ description: 'd', enabled: true, rollout_percentage: 30 });
  const { body } = await program.put(`/flags/${id}`, {
    name: null,
    description: null,
    enabled: null,
    rollout_percentage: null,
    environment: null,
  });
  expect(body).toMatchObject({
    name: 'A flag',
    description: 'd',
    enabled: true,
    rollout_percentage: 30,
    version: 1,
  });
  expect((await program.put(`/flags/${id}`, { enabled: false, environment: 'prod' })).body.enabled).toBe(
    false,
  );
  const moved = await program.put(`/flags/${id}`, { environment: 'dev' });
  expect([moved.status, moved.body.detail]).toEqual([
    400,
    expect.stringContaining("is not in environment 'dev'"),
  ]);
});

it('3.10: deletes a flag where it is, and of one that is in several environments none that is not named', async () => {
  const alone = await flag({ environment: 'dev' });
  expect((await program.delete(`/flags/${alone}`)).status).toBe(204);
  const id = await flag({ environment: 'prod' });
  await program.post('/flags', { flag_id: id, name: 'A flag', environment: 'dev' });
  // A request that is sent twice would take them one by one.
  const unclear = await program.delete(`/flags/${id}`);
  expect([unclear.status, unclear.body]).toEqual([
    400,
    { detail: `Flag '${id}' is in several environments. Say which one: ?environment=…` },
  ]);
  expect((await program.delete(`/flags/${id}?environment=prod`)).status).toBe(204);
  expect((await program.delete(`/flags/${id}?environment=prod`)).status).toBe(404);
  expect((await program.get(`/flags/${id}`)).body.environment).toBe('dev');
  expect((await program.delete(`/flags/${id}`)).status).toBe(204);
});

it('3.03: places users by its own rule', async () => {
  for (const name of new Set(GOLDEN.map(([id]) => id)))
    expect(
      (await program.post('/flags', { flag_id: name, name, environment: 'prod', enabled: true })).status,
    ).toBe(201);
  for (const [name, user, , , , bucket] of GOLDEN)
    for (const [basisPoints, isIn] of [
      [bucket, false],
      [bucket + 1, true],
    ] as const) {
      await program.put(`/flags/${name}`, { rollout_percentage: basisPoints / 100 });
      expect([name, user, basisPoints, (await evaluate(program, name, user)).body.enabled]).toEqual([
        name,
        user,
        basisPoints,
        isIn,
      ]);
    }
});

it('3.15: limits each key, and says how much is left (not said there)', async () => {
  const limited = anybody.with(await keyOf(vexil, { ...ADMIN_KEY, rate_limit_per_minute: 2 }));
  const first = await limited.get('/flags');
  expect([first.headers['x-ratelimit-limit'], first.headers['x-ratelimit-remaining']]).toEqual(['2', '1']);
  await limited.get('/flags');
  const { status, body, headers } = await limited.get('/flags');
  expect([status, body]).toEqual([429, { detail: 'Rate limit exceeded' }]);
  expect(headers).toMatchObject({
    'x-ratelimit-limit': '2',
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': expect.stringMatching(/^\d+$/),
    'retry-after': expect.stringMatching(/^\d+$/),
  });
});
