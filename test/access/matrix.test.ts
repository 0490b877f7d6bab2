import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SignJWT } from 'jose';
import { createSecretKey } from 'node:crypto';
import supertest from 'supertest';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { AccessGuard } from '../../src/auth/access.guard.js';
import { Admission } from '../../src/auth/admission.js';
import { Authenticator } from '../../src/auth/authenticator.js';
import { KeyRing } from '../../src/auth/key-ring.js';
import { RequestLimits } from '../../src/auth/request-limits.js';
import { AtLeast, Public } from '../../src/platform/access/access.decorators.js';
import { isAtLeast, ROLES, type Role } from '../../src/platform/access/role.js';
import { CONFIG } from '../../src/platform/config/config.module.js';
import { ProblemFilter } from '../../src/platform/http/problem.filter.js';
import { eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { DOCUMENTATION, MATRIX, MOUNTED } from './matrix.js';
import { mountsOf, routesOf } from './routes.js';

/** Whose token comes with a request. */
const CALLERS = [
  'nobody',
  ...ROLES,
  'an expired token',
  'a disabled admin',
  'an admin who is a viewer now, by an old token',
  'a viewer who is an admin now, by an old token',
] as const;
type Caller = (typeof CALLERS)[number];

const KEYS = ['server', 'client', 'viewer', 'developer', 'admin'] as const;

/** Keys that let nobody in. */
const LOST_KEYS = ['a revoked key', 'an expired key', 'a key that never was'] as const;

const isRole = (caller: string): caller is Role => (ROLES as readonly string[]).includes(caller);

let vexil: TestApp;
const tokens = new Map<Caller, string>();
const secrets = new Map<string, string>();
beforeAll(async () => {
  vexil = await startApp();
  const admin = await vexil.bearer('admin');
  for (const role of ROLES) tokens.set(role, (await vexil.as(role)).token);

  const expiring = await vexil.person('admin');
  tokens.set('an expired token', await expiredCopy(expiring.token));

  const disabled = await vexil.person('admin');
  tokens.set('a disabled admin', disabled.token);
  await vexil.http.put(`/auth/users/${disabled.id}/active`).set(admin).send({ is_active: false }).expect(200);

  const demoted = await vexil.person('admin');
  tokens.set('an admin who is a viewer now, by an old token', demoted.token);
  await vexil.http.put(`/auth/users/${demoted.id}/role`).set(admin).send({ role: 'viewer' }).expect(200);

  const promoted = await vexil.person('viewer');
  for (const kind of KEYS) {
    const scope = isRole(kind) ? { kind: 'admin', role: kind } : { kind, environment_key: 'staging' };
    const made = await vexil.http
      .post('/auth/api-keys')
      .set(admin)
      .send({ name: kind, ...scope })
      .expect(201);
    secrets.set(kind, made.body.secret as string);
  }
  const lost = async (more: object) =>
    vexil.http
      .post('/auth/api-keys')
      .set(admin)
      .send({ name: 'lost', kind: 'admin', role: 'admin', ...more })
      .expect(201);
  const revoked = (await lost({})).body as { id: string; secret: string };
  await vexil.http.delete(`/auth/api-keys/${revoked.id}`).set(admin).expect(204);
  const expired = await lost({ expires_at: new Date(Date.now() + 3_000).toISOString() });
  secrets.set('a revoked key', revoked.secret);
  secrets.set('an expired key', expired.body.secret as string);
  secrets.set('a key that never was', newSecret('admin').secret);
  await eventually(
    async () =>
      (await vexil.http.get('/flags').set('X-API-Key', expired.body.secret as string)).status === 401,
  );
  tokens.set('a viewer who is an admin now, by an old token', promoted.token);
  await vexil.http.put(`/auth/users/${promoted.id}/role`).set(admin).send({ role: 'admin' }).expect(200);
});
afterAll(() => vexil.close());

/** The same token with the right signature, a minute past its end. */
async function expiredCopy(token: string): Promise<string> {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
    exp: number;
    iat: number;
  };
  return new SignJWT({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 60 })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .sign(createSecretKey(Buffer.from(vexil.config.jwtSecretKey ?? '')));
}

/** What stands in a path in place of `:id`, `:key`: nothing that exists, so that nothing happens to it. */
const pathOf = (route: string): string =>
  route
    .split(' ')[1]!
    .replace(':id', '00000000-0000-4000-8000-000000000000')
    .replace(/:\w+/, 'nothing-of-this-name')
    // It would go on for ever; what it does not ask for it refuses.
    .replace(/^\/activity$/, '/activity?nothing=1');

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
const methodOf = (route: string): Method => route.split(' ')[0]!.toLowerCase() as Method;

function call(route: string, caller: Caller, path = pathOf(route)) {
  const request = vexil.http[methodOf(route)](path).redirects(0);
  const token = tokens.get(caller);
  return token === undefined ? request : request.set('Authorization', `Bearer ${token}`);
}

describe('T1: the list of routes', () => {
  it('has a row for every route', () => {
    const silent = routesOf(vexil.app).filter((route) => !DOCUMENTATION.test(route) && !(route in MATRIX));
    expect(silent).toEqual([]);
  });

  it('has a route for every row', () => {
    const routes = routesOf(vexil.app);
    expect(Object.keys(MATRIX).filter((row) => !routes.includes(row))).toEqual([]);
    expect(routes.length).toBeGreaterThan(30);
  });

  it('has nothing else mounted beside the routes', () => {
    const { all, known } = mountsOf(vexil.app, MOUNTED);
    expect(known).toBe(all);
  });
});

describe('T1: every route, for every caller', () => {
  const rows = Object.entries(MATRIX).flatMap(([route, { access, dialect }]) =>
    CALLERS.map((caller) => ({ route, access, dialect, caller })),
  );
  const keyRows = Object.entries(MATRIX).flatMap(([route, row]) =>
    KEYS.map((key) => ({ route, row, key, who: `${row.access}${row.person ? ', a person' : ''}` })),
  );

  it.each(keyRows)('$route ($who) answers a key: $key', async ({ route, row, key }) => {
    const { status, body } = await call(route, 'nobody').set('X-API-Key', secrets.get(key) ?? '');
    expect(status).toBeLessThan(500);
    const kind = isRole(key) ? 'admin' : key;
    const isAllowed =
      (row.access === 'public' && row.keys === undefined) ||
      row.keys?.includes(kind) ||
      (kind === 'admin' && !row.person && isRole(row.access) && isAtLeast(key as Role, row.access));
    if (isAllowed) expect([401, 403]).not.toContain(status);
    else if (row.dialect) expect([status, body]).toEqual([403, { detail: expect.any(String) }]);
    else if (row.access === 'key') expect([status, body.errorCode]).toEqual([403, 'GENERAL']);
    else
      expect([status, body.code]).toEqual([
        403,
        expect.stringMatching(/^(api_key_kind|role_too_low|people_only)$/),
      ]);
    if (row.person) expect(body.code).toBe('people_only');
  });

  const lostRows = Object.entries(MATRIX).flatMap(([route, row]) =>
    LOST_KEYS.map((key) => ({ route, row, key, who: row.access })),
  );

  it.each(lostRows)('$route ($who) answers $key', async ({ route, row, key }) => {
    const { status, headers } = await call(route, 'nobody').set('X-API-Key', secrets.get(key) ?? '');
    expect(status).toBeLessThan(500);
    if (row.access === 'public' && row.keys === undefined) expect([401, 403]).not.toContain(status);
    else if (row.dialect) expect(status).toBe(row.dialect.wrong);
    else expect([status, headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^Bearer/)]);
  });

  it.each(rows)('$route ($access) answers $caller', async ({ route, access, dialect, caller }) => {
    const { status, headers, body } = await call(route, caller);
    expect(status).toBeLessThan(500);
    const isAllowed =
      access === 'public' || (access !== 'key' && isRole(caller) && isAtLeast(caller, access));
    if (isAllowed) {
      expect([401, 403]).not.toContain(status);
    } else if (dialect) {
      const refused = caller === 'nobody' ? dialect.missing : 401;
      expect([status, Object.keys(body)]).toEqual([isRole(caller) ? 403 : refused, ['detail']]);
    } else if (access === 'key') {
      expect([status, body.errorCode]).toEqual([401, 'GENERAL']);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
    } else if (isRole(caller)) {
      expect(status).toBe(403);
      expect(body).toMatchObject({ status: 403, code: 'role_too_low' });
    } else {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    }
  });

  it('names the roles that would do', async () => {
    const viewer = await vexil.bearer('viewer');
    const { body } = await vexil.http.post('/flags').set(viewer).send({});
    expect(body.detail).toBe("Access denied. Required role: ['developer', 'admin']");
  });

  it.each([
    'Basic YWRtaW46YWRtaW4=',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'Token x',
    'bearer\tx',
    'Bearer x,Bearer y',
  ])('does not take %j for a credential', async (authorization) => {
    const { status } = await vexil.http.get('/flags').set('Authorization', authorization);
    expect(status).toBe(401);
  });

  it.each(['bearer', 'BEARER', 'Bearer  '])('takes a token after %j', async (scheme) => {
    const { status } = await vexil.http
      .get('/auth/me')
      .set('Authorization', `${scheme} ${tokens.get('viewer') ?? ''}`);
    expect(status).toBe(200);
  });

  it.each(['/auth/me?access_token=', '/auth/me?token=', '/auth/me?authorization=Bearer%20'])(
    'does not read a token from the address (%s…)',
    async (path) => {
      const { status } = await vexil.http.get(`${path}${tokens.get('admin') ?? ''}`);
      expect(status).toBe(401);
    },
  );

  it('does not read a token from a cookie or another header', async () => {
    const token = tokens.get('admin') ?? '';
    const { status } = await vexil.http
      .get('/auth/me')
      .set({ Cookie: `access_token=${token}`, 'X-Access-Token': token, 'X-API-Key': token });
    expect(status).toBe(401);
  });
});

describe('T1: a handler that declares no access', () => {
  @Controller('silent')
  class SilentController {
    @Get()
    silent() {
      return 'secret';
    }

    @Get('declared')
    @Public()
    declared() {
      return 'open';
    }
  }

  @Controller('half-silent')
  @AtLeast('admin')
  class ClassController {
    @Get()
    ofClass() {
      return 'secret';
    }
  }

  it('is closed to everyone, and a declaration of the class holds for its handlers', async () => {
    const user = { id: 'x', email: 'admin@example.com', role: 'admin' };
    @Module({
      controllers: [SilentController, ClassController],
      providers: [
        { provide: Authenticator, useValue: { authenticate: () => Promise.resolve({ user }) } },
        KeyRing,
        Admission,
        { provide: RequestLimits, useValue: { takeForNetwork: () => undefined } },
        { provide: CONFIG, useValue: {} },
        { provide: APP_GUARD, useClass: AccessGuard },
      ],
    })
    class TinyModule {}

    const app = await NestFactory.create<NestExpressApplication>(TinyModule, { logger: false });
    app.useGlobalFilters(new ProblemFilter());
    await app.listen(0, '127.0.0.1');
    try {
      const http = supertest(await app.getUrl());
      for (const headers of [{}, { Authorization: 'Bearer any' }]) {
        const refused = await http.get('/silent').set(headers);
        expect(refused.status).toBe(403);
        expect(refused.body.code).toBe('route_closed');
        expect(refused.text).not.toContain('secret');
      }
      expect((await http.get('/silent/declared')).status).toBe(200);
      expect((await http.get('/half-silent')).status).toBe(401);
      expect((await http.get('/half-silent').set({ Authorization: 'Bearer any' })).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});

describe('T1: flags in protected environments', () => {
  const environments = [
    { environment: 'development', developer: true },
    { environment: 'staging', developer: true },
    { environment: 'production', developer: false },
  ];
  const flag = (key: string, environment?: string) => ({
    key,
    name: key,
    ...(environment === undefined ? {} : { environment_key: environment }),
  });
  const denial = "Only admins can modify flags in 'production' environment";
  let developer: { Authorization: string };
  let admin: { Authorization: string };
  let viewer: { Authorization: string };
  beforeAll(async () => {
    viewer = await vexil.bearer('viewer');
    developer = await vexil.bearer('developer');
    admin = await vexil.bearer('admin');
    await vexil.http.post('/flags').set(admin).send(flag('everywhere')).expect(201);
  });

  it.each(environments)(
    'a developer creating one in $environment: $developer',
    async ({ environment, developer: may }) => {
      const made = await vexil.http
        .post('/flags')
        .set(developer)
        .send(flag(`of-dev-${environment}`, environment));
      expect(made.status).toBe(may ? 201 : 403);
      if (!may) expect(made.body.detail).toBe(denial);
      const byAdmin = await vexil.http
        .post('/flags')
        .set(admin)
        .send(flag(`of-admin-${environment}`, environment));
      expect(byAdmin.status).toBe(201);
    },
  );

  it.each(environments)(
    'a developer naming $environment by its id, or in the query: $developer',
    async ({ environment, developer: may }) => {
      const { id } = (await vexil.http.get(`/environments/${environment}`).set(viewer)).body;
      const byId = await vexil.http
        .post('/flags')
        .set(developer)
        .send({ ...flag(`by-id-${environment}`), environment_id: id });
      expect(byId.status).toBe(may ? 201 : 403);
      const byQuery = await vexil.http
        .post(`/flags?environment_key=${environment}`)
        .set(developer)
        .send(flag(`by-query-${environment}`));
      expect(byQuery.status).toBe(may ? 201 : 403);
    },
  );

  it('a developer naming one environment in the query and another in the body gets by no check', async () => {
    const { status } = await vexil.http
      .post('/flags?environment_key=development')
      .set(developer)
      .send(flag('two-places', 'production'));
    expect([403, 422]).toContain(status);
    await vexil.http.get('/flags/two-places?environment_key=production').set(admin).expect(404);
  });

  it('a developer cannot create one in every environment, for production is among them', async () => {
    const { status, body } = await vexil.http.post('/flags').set(developer).send(flag('of-dev-everywhere'));
    expect(status).toBe(403);
    expect(body.detail).toBe(denial);
    await vexil.http.get('/flags/of-dev-everywhere?environment_key=development').set(developer).expect(404);
  });

  it.each(environments)(
    'a developer changing one in $environment: $developer',
    async ({ environment, developer: may }) => {
      const path = `/flags/everywhere?environment_key=${environment}`;
      const changed = await vexil.http.put(path).set(developer).send({ is_enabled: true });
      expect(changed.status).toBe(may ? 200 : 403);
      const now = await vexil.http.get(path).set(viewer);
      expect(now.body.is_enabled).toBe(may);
      expect((await vexil.http.put(path).set(viewer).send({ is_enabled: true })).status).toBe(403);
      expect((await vexil.http.put(path).set(admin).send({ is_enabled: true })).status).toBe(200);
    },
  );

  it.each([
    { change: { archived: true } },
    {
      change: {
        variants: [
          { key: 'on', value: false },
          { key: 'off', value: true },
        ],
      },
    },
  ])('a developer cannot reach into production through development: $change', async ({ change }) => {
    const { status } = await vexil.http
      .put('/flags/everywhere?environment_key=development')
      .set(developer)
      .send(change);
    expect(status).toBe(403);
    const { body } = await vexil.http.get('/evaluate/everywhere?environment_key=production&user_id=u');
    expect(body.value).toBe(true);
  });

  it.each(environments)('only an admin deletes one in $environment', async ({ environment }) => {
    const path = `/flags/everywhere?environment_key=${environment}`;
    expect((await vexil.http.delete(path).set(viewer)).status).toBe(403);
    expect((await vexil.http.delete(path).set(developer)).status).toBe(403);
    expect((await vexil.http.get(path).set(viewer)).status).toBe(200);
    expect((await vexil.http.delete(path).set(admin)).status).toBe(204);
    expect((await vexil.http.get(path).set(viewer)).status).toBe(404);
  });

  it('protection is an attribute: it can be given to staging and taken away again', async () => {
    const create = () =>
      vexil.http
        .post('/flags')
        .set(developer)
        .send(flag(`s-${crypto.randomUUID()}`, 'staging'));
    await vexil.http.put('/environments/staging').set(admin).send({ protected: true }).expect(200);
    expect((await create()).status).toBe(403);
    await vexil.http.put('/environments/staging').set(admin).send({ protected: false }).expect(200);
    expect((await create()).status).toBe(201);
  });
});
