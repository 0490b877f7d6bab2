import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigurationError, loadConfig } from '../../src/platform/config/settings.js';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { startApp, type TestApp } from '../support/app.js';
import { ADMIN_KEY, Client, keyOf, type Json } from './support.js';

// What holds for the four dialects together.
const BASES = ['/compat/dashboard', '/compat/mvp', '/api/v1', '/compat/edge'] as const;

describe('one flag, through every door', () => {
  let vexil: TestApp;
  let admin: Record<string, string>;
  let doors: Record<'dashboard' | 'mvp' | 'v1' | 'edge', Client>;
  beforeAll(async () => {
    vexil = await startApp();
    admin = await vexil.bearer('admin');
    const secret = await keyOf(vexil, ADMIN_KEY);
    const [dashboard, mvp, v1, edge] = BASES.map((base) => new Client(vexil, base, secret)) as [
      Client,
      Client,
      Client,
      Client,
    ];
    doors = { dashboard, mvp, v1, edge };
  });
  afterAll(() => vexil.close());

  /** How each of them makes a flag. */
  const MAKERS: Record<keyof typeof doors, (key: string, percentage: number) => Promise<unknown>> = {
    dashboard: (key, percentage) =>
      doors.dashboard.post('/flags', { key, name: key, enabled: true, rollout_percentage: percentage }),
    mvp: (key, percentage) =>
      doors.mvp.post('/flags', { flag_name: key, status: true, rollout_percentage: percentage }),
    v1: (key, percentage) =>
      doors.v1.post('/flags', {
        flag_id: key,
        name: key,
        enabled: true,
        rollout_percentage: percentage,
        environment: 'prod',
      }),
    edge: (key, percentage) =>
      doors.edge.post(`/flags/${key}/update?enabled=true&rollout_percentage=${percentage}`),
  };

  /** What each of them answers for a user, and the native API. */
  async function answers(key: string, user: string): Promise<boolean[]> {
    const id = encodeURIComponent(user);
    const bodies = await Promise.all([
      doors.dashboard.get(`/flags/${key}/evaluate?user_id=${id}`),
      doors.mvp.get(`/users/${id}/flags/${key}`),
      doors.v1.get(`/flags/${key}/evaluate?user_id=${id}`),
      doors.edge.get(`/flags/${key}/check?user_id=${id}`),
      doors.edge.get(`/flags/${key}?user_id=${id}`),
      vexil.http.get(`/evaluate/${key}?environment_key=production&user_id=${id}`),
    ]);
    const all = (await doors.mvp.get(`/users/${id}/flags`)).body.flags as Json[];
    return [...bodies, { body: all.find((flag) => flag['flag_name'] === key) }].map(
      ({ body }) => (body as { enabled: boolean }).enabled,
    );
  }

  it('is the same for the same user, whoever made it and whoever asks', async () => {
    const users = fc.oneof(
      fc.stringMatching(/^[a-z0-9_.@-]{1,12}$/),
      fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
    );
    let made = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('dashboard', 'mvp', 'v1', 'edge'),
        fc.integer({ min: 0, max: 100 }),
        // What is nothing but dots a client takes for a way up, before it is sent.
        fc.array(
          users.filter((user) => !/^\.+$/.test(user)),
          { minLength: 1, maxLength: 4 },
        ),
        async (maker, percentage, names) => {
          const key = `door-${++made}`;
          await MAKERS[maker](key, percentage);
          for (const user of names) {
            const told = await answers(key, user);
            expect([user, new Set(told).size]).toEqual([user, 1]);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([
    ['dashboard', 'sha256'],
    ['mvp', 'sha256-user-first'],
    ['v1', 'murmur3'],
    ['edge', 'md5'],
  ] as const)('made by %s it keeps the hash %s, also where it served everyone first', async (door, hash) => {
    for (const percentage of [40, 100]) {
      const key = `hash-${door}-${percentage}`;
      await MAKERS[door](key, percentage);
      const path = `/flags/${key}?environment_key=production`;
      const changed = await vexil.http
        .put(path)
        .set(admin)
        .send({ flag_type: 'percentage', rollout_percentage: 30 });
      expect([changed.status, changed.body.default_serve.rollout]).toEqual([
        200,
        expect.objectContaining({ hash_version: hash, salt: key, percentage: 30 }),
      ]);
      await doors.dashboard.put(`/flags/${key}`, { rollout_percentage: 100 });
      await doors.edge.post(`/flags/${key}/update?enabled=true&rollout_percentage=20`);
      const now = (await vexil.http.get(path).set(admin)).body;
      expect(now.default_serve.rollout).toMatchObject({ hash_version: hash, percentage: 20 });
    }
  });

  it('made natively it keeps murmur3 whatever door changes it', async () => {
    const flag = {
      key: 'native',
      name: 'Native',
      environment_key: 'production',
      flag_type: 'percentage',
      rollout_percentage: 10,
    };
    await vexil.http.post('/flags').set(admin).send(flag).expect(201);
    await doors.dashboard.put('/flags/native', { rollout_percentage: 50, enabled: true });
    const { body } = await vexil.http.get('/flags/native?environment_key=production').set(admin);
    expect(body.default_serve.rollout).toMatchObject({ hash_version: 'murmur3', percentage: 50 });
  });

  it('keeps its rules and lists when a door changes it, and is evaluated by them', async () => {
    const rules = [
      {
        id: 'staff',
        conditions: { all: [{ attribute: 'user_id', operator: 'starts_with', values: ['staff-'] }] },
        serve: { variant: 'on' },
      },
    ];
    await vexil.http
      .post('/flags')
      .set(admin)
      .send({
        key: 'with-rules',
        name: 'With rules',
        environment_key: 'production',
        is_enabled: true,
        flag_type: 'percentage',
        rollout_percentage: 0,
        rules,
        targets: [{ variant: 'on', keys: ['vip'] }],
      })
      .expect(201);
    expect(await answers('with-rules', 'staff-1')).toEqual(Array(7).fill(true));
    expect(await answers('with-rules', 'vip')).toEqual(Array(7).fill(true));
    expect(await answers('with-rules', 'somebody')).toEqual(Array(7).fill(false));
    await doors.dashboard.put('/flags/with-rules', { name: 'Renamed', rollout_percentage: 100 });
    await doors.mvp.put('/flags/with-rules', { rollout_percentage: 5 });
    await doors.v1.put('/flags/with-rules', { rollout_percentage: 1 });
    await doors.edge.post('/flags/with-rules/update?enabled=true&rollout_percentage=0');
    const { body } = await vexil.http.get('/flags/with-rules?environment_key=production').set(admin);
    expect([body.name, body.rules.length, body.targets[0].keys, body.rollout_percentage]).toEqual([
      'Renamed',
      1,
      ['vip'],
      0,
    ]);
    expect(await answers('with-rules', 'staff-1')).toEqual(Array(7).fill(true));
  });

  it('keeps a serve that is more than a percentage; in an emergency it goes off', async () => {
    await vexil.http
      .post('/flags')
      .set(admin)
      .send({
        key: 'rich',
        name: 'Rich',
        environment_key: 'production',
        is_enabled: true,
        value_type: 'string',
        variants: [
          { key: 'a', value: 'a' },
          { key: 'b', value: 'b' },
        ],
        default_serve: {
          rollout: {
            percentage: 60,
            weights: [
              { variant: 'a', weight: 50 },
              { variant: 'b', weight: 50 },
            ],
          },
        },
      })
      .expect(201);
    const path = '/flags/rich?environment_key=production';
    const serve = (await vexil.http.get(path).set(admin)).body.default_serve as unknown;
    for (const refused of [
      await doors.dashboard.put('/flags/rich', { rollout_percentage: 100 }),
      await doors.mvp.put('/flags/rich', { rollout_percentage: null }),
      await doors.v1.put('/flags/rich', { rollout_percentage: 10 }),
    ])
      expect([refused.status, refused.body.detail[0].loc]).toEqual([422, ['body', 'rollout_percentage']]);
    expect((await doors.dashboard.get('/flags/rich')).body.rollout_percentage).toBe(60);
    expect((await doors.dashboard.put('/flags/rich', { enabled: true, name: 'Richer' })).status).toBe(200);
    const off = await doors.edge.post('/flags/rich/update?enabled=false&rollout_percentage=0');
    expect([off.status, off.body.enabled, off.body.rollout_percentage]).toEqual([200, false, 60]);
    const { body } = await vexil.http.get(path).set(admin);
    expect([body.default_serve, body.is_enabled, body.name]).toEqual([serve, false, 'Richer']);
  });

  it('3.26: tells every time with its zone (none did)', async () => {
    await MAKERS.dashboard('times', 50);
    const times = [
      (await doors.dashboard.get('/flags/times')).body.created_at,
      (await doors.dashboard.get('/flags/times/audit')).body[0].timestamp,
      (await doors.mvp.get('/flags/times')).body.updated_at,
      (await doors.mvp.get('/health')).body.timestamp,
      (await doors.v1.get('/flags/times')).body.created_at,
      (await doors.v1.get('/flags/times/evaluate?user_id=u')).body.evaluated_at,
      (await doors.edge.get('/flags/times')).body.flag_data.metadata.created_at,
    ] as string[];
    expect(times.filter((time) => !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(time))).toEqual([]);
  });
});

describe('who may change flags', () => {
  const writes = (client: (base: string) => Client) => [
    client('/compat/mvp').post('/flags', { flag_name: 'new' }),
    client('/compat/mvp').put('/flags/any', { status: true }),
    client('/compat/mvp').delete('/flags/any'),
    client('/compat/edge').post('/flags/any/update?enabled=true'),
    client('/compat/edge').delete('/flags/any/cache'),
    client('/compat/dashboard').post('/flags', { key: 'new', name: 'x' }),
  ];

  it('is not anybody, unless the installation says so', async () => {
    const vexil = await startApp();
    try {
      for (const { status, body, headers } of await Promise.all(writes((base) => new Client(vexil, base)))) {
        expect(status).toBe(401);
        expect(headers['www-authenticate']).toMatch(/^(Bearer|ApiKey)/);
        expect(Object.keys(body)).toEqual(['detail']);
      }
      expect(await vexil.query('SELECT key FROM flags')).toEqual([]);
      const viewer = await keyOf(vexil, { kind: 'admin', role: 'viewer' });
      for (const { status } of await Promise.all(writes((base) => new Client(vexil, base, viewer))))
        expect(status).toBe(403);
      const wrong = await new Client(vexil, '/compat/mvp', 'nonsense').post('/flags', { flag_name: 'x' });
      expect([wrong.status, wrong.body]).toEqual([401, { detail: 'Invalid API key' }]);
    } finally {
      await vexil.close();
    }
  });

  it('is anybody with COMPAT_OPEN_WRITES, but no page of another origin, no revoked key, and never where a key is promised', async () => {
    const vexil = await startApp({ COMPAT_OPEN_WRITES: 'true', ALLOWED_ORIGINS: 'http://localhost:3000' });
    try {
      const dashboard = new Client(vexil, '/compat/dashboard');
      // As its README has it, in development.
      const made = await dashboard
        .with('your-api-key')
        .post('/flags/', { key: 'open', name: 'Open', enabled: true });
      expect(made.status).toBe(201);
      expect((await dashboard.get('/flags/open/audit')).body[0].user).toBe('development');
      expect((await dashboard.get('/security-info')).body.authentication_enabled).toBe(false);

      const edge = new Client(vexil, '/compat/edge');
      const page = (origin: string) =>
        edge.post('/flags/open/update?enabled=false', undefined, { Origin: origin });
      const refused = await page('https://evil.example');
      expect([refused.status, refused.body.detail]).toEqual([
        403,
        expect.stringContaining('ALLOWED_ORIGINS'),
      ]);
      expect((await page('http://localhost:3000')).status).toBe(200);
      expect((await page(vexil.url)).status).toBe(200);

      const secret = await keyOf(vexil, ADMIN_KEY);
      await vexil.query('UPDATE api_keys SET revoked_at = now()');
      await vexil.http
        .post('/auth/api-keys')
        .set(await vexil.bearer('admin'))
        .send({ name: 'x', kind: 'admin', role: 'viewer' });
      expect((await edge.with(secret).post('/flags/open/update?enabled=true')).status).toBe(401);

      expect(
        (await new Client(vexil, '/api/v1').post('/flags', { flag_id: 'x', name: 'x', environment: 'dev' }))
          .status,
      ).toBe(422);
      expect((await vexil.http.post('/flags').send({ key: 'x', name: 'x' })).status).toBe(401);
    } finally {
      await vexil.close();
    }
  });

  it('reads with the key of the system that was there before, as if it brought none', async () => {
    const vexil = await startApp();
    try {
      const admin = await keyOf(vexil, ADMIN_KEY);
      const dashboard = new Client(vexil, '/compat/dashboard', admin);
      await dashboard.post('/flags/', { key: 'read', name: 'Read', enabled: true });
      for (const path of [
        '/compat/dashboard/flags',
        '/compat/dashboard/flags/read',
        '/compat/dashboard/flags/read/evaluate?user_id=u',
        '/compat/dashboard/flags/read/audit',
        '/compat/mvp/users/u/flags',
        '/compat/edge/flags/read/check?user_id=u',
      ])
        expect([path, (await new Client(vexil, path, 'a'.repeat(64)).get('')).status]).toEqual([path, 200]);
      // What says that it is one of ours must be.
      const unknown = new Client(vexil, '/compat/dashboard', newSecret('server').secret);
      expect((await unknown.get('/flags/read')).status).toBe(403);
    } finally {
      await vexil.close();
    }
    const closed = await startApp({ EVALUATE_ACCESS: 'key' });
    try {
      const foreign = new Client(closed, '/compat/edge', 'a'.repeat(64));
      expect((await foreign.get('/flags/read/check')).status).toBe(401);
    } finally {
      await closed.close();
    }
  });

  it('is refused to be anybody in production, at the start', () => {
    const env = {
      NODE_ENV: 'production',
      JWT_SECRET_KEY: '9f2c4b7d1e6a8035c7d9e1f3a5b70264',
      COMPAT_OPEN_WRITES: 'true',
    };
    expect(() => loadConfig(env)).toThrow(ConfigurationError);
    expect(() => loadConfig(env)).toThrow(/COMPAT_OPEN_WRITES must not be true in production/);
    expect(loadConfig({ ...env, COMPAT_OPEN_WRITES: 'false' }).compatOpenWrites).toBe(false);
    expect(loadConfig({}).compatOpenWrites).toBe(false);
  });
});

it('EVALUATE_ACCESS=key closes what they tell, as it closes /evaluate', async () => {
  const vexil = await startApp({ EVALUATE_ACCESS: 'key' });
  try {
    const server = await keyOf(vexil, { kind: 'server', environment_key: 'production' });
    for (const [base, path] of [
      ['/compat/dashboard', '/flags'],
      ['/compat/dashboard', '/flags/any/evaluate?user_id=u'],
      ['/compat/dashboard', '/flags/any/audit'],
      ['/compat/mvp', '/flags'],
      ['/compat/mvp', '/users/u/flags'],
      ['/compat/edge', '/flags'],
      ['/compat/edge', '/flags/any/check'],
    ] as const) {
      expect([base, path, (await new Client(vexil, base).get(path)).status]).toEqual([base, path, 401]);
      const { status, headers } = await new Client(vexil, base, server).get(path);
      expect([base, path, status]).toEqual([base, path, 200]);
      expect(headers['cache-control']).not.toContain('public');
    }
  } finally {
    await vexil.close();
  }
});

it('a client key learns of visible flags what they are for a user, and nothing about them', async () => {
  const vexil = await startApp();
  try {
    const admin = await vexil.bearer('admin');
    for (const [key, visible] of [
      ['shown', true],
      ['hidden', false],
    ] as const)
      await vexil.http
        .post('/flags')
        .set(admin)
        .send({
          key,
          name: key,
          description: 'secret plans',
          environment_key: 'production',
          is_enabled: true,
          client_visible: visible,
        })
        .expect(201);
    const secret = await keyOf(vexil, { kind: 'client', environment_key: 'production' });
    const [dashboard, mvp, v1, edge] = BASES.map((base) => new Client(vexil, base, secret)) as [
      Client,
      Client,
      Client,
      Client,
    ];
    expect((await mvp.get('/users/u/flags')).body.flags).toEqual([
      { flag_name: 'shown', enabled: true, description: null },
    ]);
    expect((await mvp.get('/users/u/flags/hidden')).status).toBe(404);
    expect((await dashboard.get('/flags/shown/evaluate?user_id=u')).body).toMatchObject({ enabled: true });
    expect((await dashboard.get('/flags/hidden/evaluate?user_id=u')).body).toMatchObject({
      reason: 'Flag not found',
    });
    expect((await v1.get('/flags/hidden/evaluate?user_id=u')).status).toBe(404);
    expect((await edge.with().get('/flags/hidden/check?user_id=u')).body.enabled).toBe(true);
    expect((await edge.get('/flags/hidden/check?user_id=u')).body).toEqual({
      enabled: false,
      _cache: 'miss',
    });
    for (const refused of [
      await dashboard.get('/flags'),
      await dashboard.get('/flags/shown/audit'),
      await mvp.get('/flags/shown'),
      await v1.get('/flags'),
      await edge.get('/flags/shown'),
    ])
      expect(refused.status).toBe(403);
  } finally {
    await vexil.close();
  }
});

it('COMPAT_ENABLED=false takes all of it away', async () => {
  const vexil = await startApp({ COMPAT_ENABLED: 'false' });
  try {
    for (const base of BASES)
      for (const path of ['', '/flags', '/health', '/flags/any/evaluate?user_id=u']) {
        const { status, body } = await vexil.http.get(`${base}${path}`);
        expect([base, path, status, body.code]).toEqual([base, path, 404, 'route_not_found']);
      }
  } finally {
    await vexil.close();
  }
});

it('COMPAT_ENVIRONMENT says which environment is meant by those that know none', async () => {
  const vexil = await startApp({ COMPAT_ENVIRONMENT: 'development' });
  try {
    const developer = await keyOf(vexil, { kind: 'admin', role: 'developer' });
    const made = await new Client(vexil, '/compat/mvp', developer).post('/flags', {
      flag_name: 'here',
      status: true,
    });
    expect(made.status).toBe(201);
    const ask = async (environment: string) =>
      (await vexil.http.get(`/evaluate/here?environment_key=${environment}&user_id=u`)).body
        .enabled as boolean;
    expect([await ask('development'), await ask('production')]).toEqual([true, false]);
    expect((await new Client(vexil, '/compat/edge').get('/flags/here/check')).body.enabled).toBe(true);
  } finally {
    await vexil.close();
  }
});
