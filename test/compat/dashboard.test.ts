import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { startApp, type TestApp } from '../support/app.js';
import { ADMIN_KEY, Client, GOLDEN, keyOf, TIME, type Json } from './support.js';

// System 000: a feature-flag service with a dashboard, a Python SDK and an API key.
let vexil: TestApp;
let anybody: Client;
let program: Client;
let secret: string;
beforeAll(async () => {
  vexil = await startApp();
  anybody = new Client(vexil, '/compat/dashboard');
  secret = await keyOf(vexil, { ...ADMIN_KEY, name: 'Deploy pipeline' });
  program = anybody.with(secret);
});
afterAll(() => vexil.close());

let made = 0;
/** A new flag. @returns what it is called */
async function flag(more: Json = {}): Promise<string> {
  const key = `flag-${++made}`;
  const { status, body } = await program.post('/flags/', { key, name: 'A flag', ...more });
  expect([status, body]).toEqual([201, expect.anything()]);
  return key;
}
const mistake = (type: string, loc: unknown[], msg: string) => ({
  detail: [expect.objectContaining({ type, loc, msg })],
});

describe('with the key that its README asks for', () => {
  it('walks the README through (0.38)', async () => {
    expect((await anybody.get('/health')).status).toBe(200);
    const created = await program.post('/flags/', {
      key: 'welcome-message',
      name: 'Welcome Message',
      description: 'Show new welcome message to users',
      enabled: true,
      rollout_percentage: 50.0,
    });
    expect(created.status).toBe(201);
    expect((await anybody.get('/flags/welcome-message/evaluate?user_id=user123')).body).toEqual({
      key: 'welcome-message',
      enabled: false,
      reason: 'User in disabled rollout bucket (50.0%)',
    });
    await program.post('/flags/', {
      key: 'new-feature',
      name: 'New Feature',
      enabled: true,
      rollout_percentage: 25.0,
    });
    const { status, body } = await program.put('/flags/new-feature', { rollout_percentage: 75.0 });
    expect([status, body.rollout_percentage, body.enabled, body.name]).toEqual([
      200,
      75,
      true,
      'New Feature',
    ]);
    const list = await anybody.get('/flags/');
    expect(list.body.map(({ key }: Json) => key)).toEqual(['new-feature', 'welcome-message']);
  });

  it('0.03, 0.04: shows a flag in exactly its fields, with a whole number for an id', async () => {
    const created = await program.post('/flags/', { key: 'plain', name: 'Plain' });
    expect([created.status, created.headers['content-type']]).toEqual([
      201,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(created.body).toEqual({
      id: expect.any(Number),
      key: 'plain',
      name: 'Plain',
      description: null,
      enabled: false,
      rollout_percentage: 100,
      created_at: expect.stringMatching(TIME),
      updated_at: expect.stringMatching(TIME),
    });
    expect(Number.isSafeInteger(created.body.id) && created.body.id > 0).toBe(true);
    const changed = await program.put('/flags/plain', { enabled: true, rollout_percentage: 10 });
    expect(changed.body.id).toBe(created.body.id);
    expect((await anybody.get('/flags/plain')).body).toEqual(changed.body);
  });

  it('0.01: pages with skip and limit, in their bounds', async () => {
    await flag();
    await flag();
    const all = (await anybody.get('/flags/?limit=1000')).body as Json[];
    expect((await anybody.get('/flags?skip=1&limit=1')).body).toEqual([all[1]]);
    for (const [query, type] of [
      ['limit=0', 'greater_than_equal'],
      ['limit=1001', 'less_than_equal'],
      ['skip=-1', 'greater_than_equal'],
      ['limit=many', 'int_parsing'],
    ] as const) {
      const { status, body } = await anybody.get(`/flags/?${query}`);
      expect([status, body.detail[0].type, body.detail[0].loc[0]]).toEqual([422, type, 'query']);
    }
  });

  it.each(['/flags', '/flags/', '/flags/any', '/flags/any/', '/health', '/health/'])(
    '3.25: %s answers as it is, without a redirect',
    async (path) => {
      expect([200, 404]).toContain((await anybody.get(path)).status);
    },
  );

  it('0.02: says which flag there is not', async () => {
    const { status, body } = await anybody.get('/flags/no-such-flag');
    expect([status, body]).toEqual([404, { detail: "Flag 'no-such-flag' not found" }]);
    for (const answer of [
      await program.put('/flags/no-such-flag', { enabled: true }),
      await program.delete('/flags/no-such-flag'),
    ])
      expect([answer.status, answer.body]).toEqual([404, { detail: "Flag 'no-such-flag' not found" }]);
  });

  it('0.05: makes keys lower-case, and refuses what is none', async () => {
    const created = await program.post('/flags/', { key: '  Dark_Mode-2 ', name: 'x' });
    expect([created.status, created.body.key]).toEqual([201, 'dark_mode-2']);
    for (const key of [
      'admin',
      'health',
      'api',
      'cache',
      'stats',
      'system',
      'internal',
      'test',
      'debug',
      'Admin',
      'a b',
      '_a',
      'ä',
      "x'; DROP TABLE flags",
      '',
    ])
      expect([key, (await program.post('/flags/', { key, name: 'x' })).status]).toEqual([key, 422]);
    expect((await program.post('/flags/', { key: 'k'.repeat(101), name: 'x' })).body).toEqual(
      mistake('string_too_long', ['body', 'key'], 'String should have at most 100 characters'),
    );
  });

  it('0.06: keeps per cent between 0 and 100, in hundredths', async () => {
    const key = await flag({ rollout_percentage: 12.345 });
    expect((await anybody.get(`/flags/${key}`)).body.rollout_percentage).toBe(12.35);
    expect((await program.put(`/flags/${key}`, { rollout_percentage: 100.1 })).body).toEqual({
      detail: [
        {
          type: 'less_than_equal',
          loc: ['body', 'rollout_percentage'],
          msg: 'Input should be less than or equal to 100',
          input: 100.1,
          ctx: { le: 100 },
        },
      ],
    });
    expect((await program.put(`/flags/${key}`, { rollout_percentage: -1 })).status).toBe(422);
    expect((await program.put(`/flags/${key}`, { rollout_percentage: 'half' })).body).toEqual(
      mistake(
        'float_parsing',
        ['body', 'rollout_percentage'],
        'Input should be a valid number, unable to parse string as a number',
      ),
    );
    expect((await program.put(`/flags/${key}`, { rollout_percentage: '25' })).body.rollout_percentage).toBe(
      25,
    );
  });

  it('0.07: tells of what is missing, too long or there already', async () => {
    expect((await program.post('/flags/', { key: 'nameless' })).body).toEqual({
      detail: [{ type: 'missing', loc: ['body', 'name'], msg: 'Field required', input: { key: 'nameless' } }],
    });
    expect((await program.post('/flags/', { key: 'x', name: '' })).body).toEqual(
      mistake('string_too_short', ['body', 'name'], 'String should have at least 1 character'),
    );
    for (const more of [
      { name: 'n'.repeat(201) },
      { description: 'd'.repeat(1001) },
      { enabled: 'perhaps' },
      { name: 7 },
    ])
      expect((await program.post('/flags/', { key: 'x', name: 'x', ...more })).status).toBe(422);
    const key = await flag();
    const again = await program.post('/flags/', { key, name: 'Again' });
    expect([again.status, again.body]).toEqual([400, { detail: `Flag with key '${key}' already exists` }]);
    expect((await program.post('/flags/', '{"key": ')).body).toEqual(
      mistake('json_invalid', ['body', 0], 'JSON decode error'),
    );
    expect((await program.post('/flags/', '[]')).body).toEqual(
      mistake(
        'model_attributes_type',
        ['body'],
        'Input should be a valid dictionary or object to extract fields from',
      ),
    );
  });

  it('0.08: changes what is sent and nothing else; what is null stays (an error 500 there)', async () => {
    const key = await flag({ description: 'd', enabled: true, rollout_percentage: 30 });
    const { status, body } = await program.put(`/flags/${key}`, {
      name: null,
      enabled: null,
      description: 'new',
      unknown: 1,
    });
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        key,
        name: 'A flag',
        enabled: true,
        description: 'new',
        rollout_percentage: 30,
      }),
    ]);
    expect((await program.put(`/flags/${key}`, { description: null })).body.description).toBeNull();
  });

  it('0.09: deletes a flag and keeps its history (an error 500 on PostgreSQL there, and its history lost on SQLite)', async () => {
    const key = await flag();
    const gone = await program.delete(`/flags/${key}`);
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await anybody.get(`/flags/${key}`)).status).toBe(404);
    const { body } = await anybody.get(`/flags/${key}/audit`);
    expect(body.map(({ action }: Json) => action)).toEqual(['deleted', 'created']);
  });

  it('0.11: gives its reasons, word for word', async () => {
    const key = await flag({ enabled: false, rollout_percentage: 50 });
    const reason = async (query = '?user_id=u') => {
      const { status, body } = await anybody.get(`/flags/${key}/evaluate${query}`);
      expect(status).toBe(200);
      return [body.enabled, body.reason];
    };
    expect(await reason()).toEqual([false, 'Flag is disabled']);
    await program.put(`/flags/${key}`, { enabled: true, rollout_percentage: 0 });
    expect(await reason()).toEqual([false, 'Flag rollout is 0%']);
    expect(await reason('')).toEqual([false, 'Flag rollout is 0%']);
    await program.put(`/flags/${key}`, { rollout_percentage: 100 });
    expect(await reason()).toEqual([true, 'Flag enabled for all users']);
    expect(await reason('')).toEqual([true, 'Flag enabled for all users']);
    await program.put(`/flags/${key}`, { rollout_percentage: 33.33 });
    const told = await Promise.all(Array.from({ length: 40 }, (_, n) => reason(`?user_id=user${n}`)));
    expect(new Set(told.map((each) => each.join()))).toEqual(
      new Set([
        'true,User in enabled rollout bucket (33.33%)',
        'false,User in disabled rollout bucket (33.33%)',
      ]),
    );
  });

  it('0.12: an unknown flag is an answer', async () => {
    const { status, body } = await anybody.get('/flags/nowhere/evaluate?user_id=u');
    expect([status, body]).toEqual([200, { key: 'nowhere', enabled: false, reason: 'Flag not found' }]);
  });

  it('0.13, 3.4: whom nobody knows is not in a part of the users (was in it there)', async () => {
    const key = await flag({ enabled: true, rollout_percentage: 5 });
    for (const query of ['', '?user_id='])
      expect((await anybody.get(`/flags/${key}/evaluate${query}`)).body).toEqual({
        key,
        enabled: false,
        reason: 'Percentage flag requires user_id',
      });
  });

  it('0.14: places users as it did', async () => {
    for (const [name, user, bucket] of GOLDEN) {
      const key =
        (await anybody.get(`/flags/${name}`)).status === 404 &&
        (await program.post('/flags/', { key: name, name }));
      expect([200, 201, undefined]).toContain(key ? key.status : undefined);
      for (const [percentage, isIn] of [
        [bucket, false],
        [bucket + 1, true],
      ] as const) {
        await program.put(`/flags/${name}`, { enabled: true, rollout_percentage: percentage });
        const { body } = await anybody.get(`/flags/${name}/evaluate?user_id=${user}`);
        expect([name, user, percentage, body.enabled]).toEqual([name, user, percentage, isIn]);
      }
    }
  });

  it('0.15: tells the history of a flag, newest first, and who it was by name (the API key itself there)', async () => {
    const key = await flag({ enabled: true, rollout_percentage: 50 });
    await program.put(`/flags/${key}`, { rollout_percentage: 75 });
    const { status, text, body } = await anybody.get(`/flags/${key}/audit`);
    expect(status).toBe(200);
    expect(text).not.toContain(secret);
    const { id } = (await anybody.get(`/flags/${key}`)).body as { id: number };
    expect(body).toEqual([
      {
        id: expect.any(Number),
        flag_id: id,
        action: 'updated',
        user: 'Deploy pipeline',
        old_value: expect.any(String),
        new_value: expect.any(String),
        timestamp: expect.stringMatching(TIME),
      },
      expect.objectContaining({ action: 'created', old_value: null, flag_id: id }),
    ]);
    expect(body[0].id).toBeGreaterThan(body[1].id);
    expect([JSON.parse(body[0].old_value), JSON.parse(body[0].new_value)]).toEqual([
      { key, name: 'A flag', description: null, enabled: true, rollout_percentage: 50 },
      { key, name: 'A flag', description: null, enabled: true, rollout_percentage: 75 },
    ]);
    expect((await anybody.get(`/flags/${key}/audit?limit=1`)).body).toHaveLength(1);
    expect((await anybody.get(`/flags/${key}/audit?limit=1001`)).status).toBe(422);
  });

  it('0.15: a key that never was has no history (that of all flags there)', async () => {
    await flag();
    for (const key of ['never-was', 'NEVER', '%00'])
      expect((await anybody.get(`/flags/${key}/audit`)).body).toEqual([]);
  });

  it('0.15: tells nobody the addresses of people', async () => {
    const person = await vexil.as('admin');
    const authorization = await vexil.bearer('admin');
    await vexil.http
      .post('/compat/dashboard/flags')
      .set(authorization)
      .send({ key: 'by-a-person', name: 'x' })
      .expect(201);
    const { text, body } = await anybody.get('/flags/by-a-person/audit');
    expect(text).not.toContain(person.email);
    expect(body[0].user).toMatch(/^user-\d+$/);
  });

  it('0.16: is healthy, after a look at what it needs', async () => {
    const { body } = await anybody.get('/health');
    expect(body).toEqual({
      status: 'healthy',
      version: expect.any(String),
      environment: 'test',
      database: 'connected',
      cache: 'enabled',
    });
  });

  it('0.18: asks for the key where something changes, in its own words', async () => {
    const key = await flag();
    const missing = {
      detail: { error: 'missing_api_key', message: "API key required. Provide via 'X-API-Key' header." },
    };
    const changes = (client: Client) => [
      client.post('/flags/', { key: 'x', name: 'x' }),
      client.put(`/flags/${key}`, { enabled: true }),
      client.delete(`/flags/${key}`),
      client.post('/flags/_cache/clear'),
    ];
    for (const refused of await Promise.all(changes(anybody)))
      expect([refused.status, refused.body, refused.headers['www-authenticate']]).toEqual([
        401,
        missing,
        'ApiKey',
      ]);
    for (const wrong of ['your-api-key', newSecret('admin').secret])
      for (const refused of await Promise.all(changes(anybody.with(wrong)))) {
        expect([refused.status, refused.body.detail.error]).toEqual([403, 'invalid_api_key']);
        expect(refused.headers['www-authenticate']).toBeUndefined();
      }
    expect((await anybody.get(`/flags/${key}`)).status).toBe(200);
  });

  it('a key that may not change the environment is told so, as it is natively', async () => {
    const developer = anybody.with(await keyOf(vexil, { kind: 'admin', role: 'developer' }));
    const refused = await developer.post('/flags/', { key: 'x', name: 'x' });
    expect([refused.status, refused.body]).toEqual([
      403,
      { detail: "Only admins can modify flags in 'production' environment" },
    ]);
    const server = anybody.with(await keyOf(vexil, { kind: 'server', environment_key: 'production' }));
    expect((await server.post('/flags/', { key: 'x', name: 'x' })).status).toBe(403);
  });

  it('0.22, 0.23: tells of its cache, and clears it', async () => {
    expect((await anybody.get('/flags/_cache/stats')).body).toEqual({
      enabled: true,
      flag_keys: expect.any(Number),
      keyspace_hits: expect.any(Number),
      keyspace_misses: expect.any(Number),
      hit_rate: expect.any(Number),
    });
    expect((await program.post('/flags/_cache/clear')).status).toBe(204);
  });

  it('0.24: says what it is, and how it is secured', async () => {
    expect((await anybody.get('/')).body).toEqual({
      message: expect.any(String),
      version: expect.any(String),
      docs: '/docs',
      health: '/health',
    });
    expect((await anybody.get('/security-info')).body).toEqual({
      authentication_enabled: true,
      api_key_header: 'X-API-Key',
      environment: 'test',
      cors_origins: [],
      rate_limiting_enabled: false,
    });
  });

  it('tells of a path that is not there as FastAPI does', async () => {
    const nowhere = await anybody.get('/nowhere');
    expect([nowhere.status, nowhere.body]).toEqual([404, { detail: 'Not Found' }]);
    const wrong = await anybody.delete('/flags');
    expect([wrong.status, wrong.body, wrong.headers['allow']]).toEqual([
      405,
      { detail: 'Method Not Allowed' },
      'GET, HEAD, POST',
    ]);
  });

  it('0.21: a change of one flag reaches it, and the one whose key begins like it, at once', async () => {
    const [one, other] = ['prefix', 'prefix2'];
    for (const key of [one, other]) await program.post('/flags/', { key, name: key, enabled: true });
    await program.put(`/flags/${one}`, { enabled: false });
    expect((await anybody.get(`/flags/${one}/evaluate?user_id=u`)).body.enabled).toBe(false);
    expect((await anybody.get(`/flags/${other}/evaluate?user_id=u`)).body.enabled).toBe(true);
  });
});
