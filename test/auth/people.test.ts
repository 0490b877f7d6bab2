import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import argon2 from 'argon2';
import { randomUUID } from 'node:crypto';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';

const UUID = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[\da-f]{4}-[\da-f]{12}$/;
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let vexil: TestApp;
let admin: { Authorization: string };
beforeAll(async () => {
  vexil = await startApp();
  admin = await vexil.bearer('admin');
});
afterAll(() => vexil.close());

const newEmail = () => `someone-${randomUUID()}@example.com`;
const register = (fields: object) =>
  vexil.http.post('/auth/register').send({ password: PASSWORD, name: 'Someone', ...fields });
const logIn = (email: unknown, password: unknown) => vexil.http.post('/auth/login').send({ email, password });
const entriesOf = async (email: string) =>
  (await vexil.http.get(`/audit?entity_type=user&entity_key=${encodeURIComponent(email)}`).set(admin)).body;

describe('registering', () => {
  it('makes a viewer and gives a token that works', async () => {
    const email = newEmail();
    const { status, body, headers } = await register({ email });
    expect(status).toBe(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 3600,
      user: {
        id: expect.stringMatching(UUID),
        email,
        name: 'Someone',
        role: 'viewer',
        is_active: true,
        created_at: expect.stringMatching(MOMENT),
      },
    });
    const me = await vexil.http.get('/auth/me').set('Authorization', `Bearer ${String(body.access_token)}`);
    expect(me.status).toBe(200);
    expect(me.body).toEqual(body.user);
  });

  it('leaves one audit entry, in the name of the person', async () => {
    const email = newEmail();
    const { body } = await register({ email }).set('X-Request-Id', 'register-1');
    expect(await entriesOf(email)).toEqual([
      expect.objectContaining({
        action: 'created',
        entity_id: body.user.id,
        user_id: body.user.id,
        actor: { type: 'user', id: body.user.id, name: email },
        request_id: 'register-1',
        before: null,
        after: { email, name: 'Someone', role: 'viewer', is_active: true },
      }),
    ]);
  });

  it('refuses an address that has an account, in any case and with spaces around it', async () => {
    const email = newEmail();
    await register({ email }).expect(201);
    for (const same of [email, email.toUpperCase(), ` ${email} `]) {
      const { status, body } = await register({ email: same });
      expect(status).toBe(409);
      expect(body.detail).toBe('Email already registered');
    }
    expect(await entriesOf(email)).toHaveLength(1);
  });

  it('makes one account of many registrations of one address at the same time', async () => {
    const email = newEmail();
    const answers = await Promise.all(Array.from({ length: 12 }, () => register({ email })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...new Array<number>(11).fill(409)]);
  });

  it.each([
    [{ email: 'no-address' }, 'email'],
    [{ email: '' }, 'email'],
    [{ email: `${'a'.repeat(250)}@example.com` }, 'email'],
    [{ email: 'a\u0000b@example.com' }, 'email'],
    [{ email: ['a@example.com'] }, 'email'],
    [{ email: { $ne: null } }, 'email'],
    [{ email: undefined }, 'email'],
    [{ name: '' }, 'name'],
    [{ name: '   ' }, 'name'],
    [{ name: 'x'.repeat(101) }, 'name'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ name: undefined }, 'name'],
    [{ password: 'seven77' }, 'password'],
    [{ password: 'x'.repeat(129) }, 'password'],
    [{ password: '😀'.repeat(7) }, 'password'],
    [{ password: '😀'.repeat(129) }, 'password'],
    [{ password: 'unpaired \ud83d surrogate' }, 'password'],
    [{ password: 'password1' }, 'password'],
    [{ password: 'QwertyUiop' }, 'password'],
    [{ password: 'vexiladmin' }, 'password'],
    [{ password: 12345678 }, 'password'],
    [{ password: null }, 'password'],
    [{ password: undefined }, 'password'],
  ])('refuses %j and names the field', async (fields, path) => {
    const { status, body } = await register({ email: newEmail(), ...fields });
    expect(status).toBe(422);
    expect(body.code).toBe('validation_failed');
    expect([...new Set(body.errors.map((problem: { path: string }) => problem.path))]).toEqual([path]);
  });

  it('lists all mistakes at once', async () => {
    const { body } = await register({ email: 'x', name: '', password: 'short', role: 'admin' });
    expect(body.errors.map((problem: { path: string }) => problem.path).sort()).toEqual([
      'email',
      'name',
      'password',
      'role',
    ]);
  });

  it.each([
    ['role', { role: 'admin' }],
    ['roles', { roles: ['admin'] }],
    ['isAdmin', { isAdmin: true }],
    ['is_admin', { is_admin: true }],
    ['is_active', { is_active: true }],
    ['id', { id: randomUUID() }],
    ['token_version', { token_version: 99 }],
    ['password_hash', { password_hash: 'x' }],
    ['passwordHash', { passwordHash: 'x' }],
    ['created_at', { created_at: '2020-01-01T00:00:00Z' }],
    ['user', { user: { role: 'admin' } }],
  ])('refuses a smuggled %s by name and makes no account', async (path, extra) => {
    const email = newEmail();
    const { status, body } = await register({ email, ...extra });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path, message: 'is not a known field' }]);
    expect(await vexil.query('SELECT 1 FROM users WHERE email = $1', [email])).toEqual([]);
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses a smuggled %s by name', async (name) => {
    const body = `{"email":"${newEmail()}","password":"${PASSWORD}","name":"x","${name}":{"role":"admin"}}`;
    const answer = await vexil.http.post('/auth/register').set('Content-Type', 'application/json').send(body);
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].path).toBe(name);
    expect(({} as { role?: unknown }).role).toBeUndefined();
  });

  it('a role that is written twice is refused too', async () => {
    const body = `{"email":"${newEmail()}","password":"${PASSWORD}","name":"x","role":"viewer","role":"admin"}`;
    const answer = await vexil.http.post('/auth/register').set('Content-Type', 'application/json').send(body);
    expect(answer.status).toBe(422);
  });

  it('a role in the query is refused as well', async () => {
    const { status, body } = await register({ email: newEmail() }).query({
      role: 'admin',
      new_role: 'admin',
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['role', 'new_role']);
  });
});

describe('passwords', () => {
  it.each([
    ['the shortest', 'eight888'],
    ['the longest', 'x'.repeat(128)],
    ['the shortest, of emoji', '😀'.repeat(8)],
    ['the longest, of emoji', '😀'.repeat(128)],
    ['other scripts', 'пароль密码كلمة'],
    ['spaces only', ' '.repeat(8)],
    ['a NUL inside', 'before\0after'],
    ['quotes and braces', `'"; DROP TABLE users; --{}$1`],
  ])('works with %s', async (_, password) => {
    const email = newEmail();
    expect((await register({ email, password })).status).toBe(201);
    expect((await logIn(email, password)).status).toBe(200);
  });

  it.each([
    ['a leading space', ' leading space', 'leading space'],
    ['a trailing space', 'trailing space ', 'trailing space'],
    ['case', 'Case Matters', 'case matters'],
    ['what follows a NUL', 'before\0after', 'before\0other'],
    ['that it goes on after a NUL', 'before\0after', 'before'],
    ['the way an accent is written', 'caf\u00e9 au lait', 'cafe\u0301 au lait'],
    ['the last of many characters', `${'x'.repeat(127)}y`, `${'x'.repeat(127)}z`],
  ])('minds %s', async (_, password, other) => {
    const email = newEmail();
    await register({ email, password }).expect(201);
    expect((await logIn(email, other)).status).toBe(401);
    expect((await logIn(email, password)).status).toBe(200);
  });

  it('are kept as Argon2id with a salt of their own', async () => {
    const [one, two] = [newEmail(), newEmail()];
    await register({ email: one }).expect(201);
    await register({ email: two }).expect(201);
    const rows = await vexil.query<{ password_hash: string }>(
      'SELECT password_hash FROM users WHERE email IN ($1, $2)',
      [one, two],
    );
    const hashes = rows.map((row) => row.password_hash);
    expect(new Set(hashes).size).toBe(2);
    for (const hash of hashes)
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,p=1,t=2\$|^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });
});

describe('logging in', () => {
  it('gives a token and the account', async () => {
    const email = newEmail();
    const { body: registered } = await register({ email });
    const { status, body, headers } = await logIn(email, PASSWORD);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({ ...registered, access_token: expect.any(String) });
    expect(body.access_token).not.toBe(registered.access_token);
  });

  it('does not mind the case of the address, nor spaces around it', async () => {
    const email = newEmail();
    await register({ email }).expect(201);
    expect((await logIn(` ${email.toUpperCase()} `, PASSWORD)).status).toBe(200);
  });

  it('says the same of an unknown address, a wrong password and a disabled account', async () => {
    const known = await vexil.person('viewer');
    const disabled = await vexil.person('viewer');
    await vexil.http
      .put(`/auth/users/${disabled.id}/active`)
      .set(admin)
      .send({ is_active: false })
      .expect(200);
    const answers = [
      await logIn(newEmail(), PASSWORD),
      await logIn(known.email, 'a wrong password'),
      await logIn(disabled.email, PASSWORD),
      await logIn(disabled.email, 'a wrong password'),
      await logIn('no address at all', PASSWORD),
    ];
    const shown = answers.map(({ status, body, headers }) => ({
      status,
      body: { ...body, request_id: '' },
      headers: Object.keys(headers).sort(),
      length: headers['content-length'],
    }));
    for (const answer of shown) expect(answer).toEqual(shown[0]);
    expect(shown[0]).toMatchObject({ status: 401, body: { detail: 'Invalid email or password' } });
  });

  it('does the same work for an unknown address as for a wrong password', async () => {
    const known = await vexil.person('viewer');
    const verify = jest.spyOn(argon2, 'verify');
    try {
      await logIn(known.email, 'a wrong password').expect(401);
      await logIn(newEmail(), 'a wrong password').expect(401);
      await logIn(newEmail(), PASSWORD).expect(401);
      expect(verify).toHaveBeenCalledTimes(3);
      const costs = verify.mock.calls.map(([hash]) => hash.split('$').slice(1, 4).join('$'));
      expect(new Set(costs).size).toBe(1);
    } finally {
      verify.mockRestore();
    }
  });

  it.each([
    [{}],
    [{ email: 'a@example.com' }],
    [{ password: PASSWORD }],
    [{ email: { $gt: '' }, password: PASSWORD }],
    [{ email: 'a@example.com', password: { $ne: '' } }],
    [{ email: 'a@example.com', password: ['x'] }],
    [{ email: 'a@example.com', password: '' }],
    [{ email: 'a\0@example.com', password: PASSWORD }],
    [{ email: 'a@example.com', password: PASSWORD, remember: true }],
    [{ email: 'a@example.com', password: 'x'.repeat(100_000) }],
    [[]],
    ['text'],
    [null],
  ])('refuses %j as input', async (body) => {
    const answer = await vexil.http
      .post('/auth/login')
      .set('Content-Type', 'application/json')
      .send(JSON.stringify(body));
    expect(answer.status).toBe(422);
  });

  it.each([
    `' OR 1=1 --`,
    `admin@example.com'; DROP TABLE users; --`,
    '%',
    '*',
    '{}',
    '../../etc/passwd',
    'a\r\nb@example.com',
    'ａdmin@example.com',
  ])('knows nobody by the address %j', async (email) => {
    expect((await logIn(email, PASSWORD)).status).toBe(401);
  });
});

describe('users', () => {
  it('are listed to admins, oldest first, with paging and without hashes', async () => {
    const { status, body, headers } = await vexil.http.get('/auth/users').set(admin);
    expect(status).toBe(200);
    expect(Number(headers['x-total-count'])).toBe(
      (await vexil.query<{ n: number }>('SELECT count(*)::int AS n FROM users'))[0]?.n,
    );
    for (const user of body)
      expect(Object.keys(user)).toEqual(['id', 'email', 'name', 'role', 'is_active', 'created_at']);
    const moments = body.map((user: { created_at: string }) => user.created_at);
    expect(moments).toEqual([...moments].sort());
    const page = await vexil.http.get('/auth/users?skip=1&limit=2').set(admin);
    expect(page.body).toEqual(body.slice(1, 3));
  });

  it.each(['limit=0', 'limit=1001', 'skip=-1', 'limit=x', 'skip=1.5', 'password_hash=x', 'limit=1&limit=2'])(
    'refuses ?%s',
    async (query) => {
      expect((await vexil.http.get(`/auth/users?${query}`).set(admin)).status).toBe(422);
    },
  );

  it.each([
    ['in the query', (role: string) => ({ query: `?new_role=${role}`, body: undefined })],
    ['in the body', (role: string) => ({ query: '', body: { role } })],
    ['in both, alike', (role: string) => ({ query: `?new_role=${role}`, body: { role } })],
    ['in the query, beside an empty body', (role: string) => ({ query: `?new_role=${role}`, body: {} })],
  ])('change their role %s', async (_, ask) => {
    const { id, email } = await vexil.person('viewer');
    for (const role of ['developer', 'admin', 'viewer']) {
      const { query, body } = ask(role);
      const answer = await vexil.http.put(`/auth/users/${id}/role${query}`).set(admin).send(body);
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id, email, role, is_active: true });
    }
    const entries = await entriesOf(email);
    expect(entries.map((entry: { changes: object }) => entry.changes)).toEqual([
      { role: { old: 'admin', new: 'viewer' } },
      { role: { old: 'developer', new: 'admin' } },
      { role: { old: 'viewer', new: 'developer' } },
      expect.anything(),
    ]);
    expect(entries[0]).toMatchObject({ action: 'updated', user_id: (await vexil.as('admin')).id });
  });

  it('keeps the reason of a change', async () => {
    const { id, email } = await vexil.person('viewer');
    await vexil.http
      .put(`/auth/users/${id}/role`)
      .set(admin)
      .send({ role: 'developer', reason: 'joined the team' })
      .expect(200);
    expect((await entriesOf(email))[0].reason).toBe('joined the team');
  });

  it.each([
    ['?new_role=owner', undefined],
    ['?new_role=', undefined],
    ['?new_role=Admin', undefined],
    ['?new_role=admin&new_role=viewer', undefined],
    ['?role=admin', undefined],
    ['', undefined],
    ['', {}],
    ['', { role: 'owner' }],
    ['', { role: null }],
    ['', { role: ['admin'] }],
    ['', { role: 'admin', is_active: true }],
    ['?new_role=viewer', { role: 'admin' }],
  ])('refuse the role in %j with body %j', async (query, body) => {
    const { id } = await vexil.person('viewer');
    const answer = await vexil.http.put(`/auth/users/${id}/role${query}`).set(admin).send(body);
    expect(answer.status).toBe(422);
    expect(await vexil.query('SELECT role FROM users WHERE id = $1', [id])).toEqual([{ role: 'viewer' }]);
  });

  it.each(['role', 'active'])('says 404 of an unknown id and 422 of a wrong one (%s)', async (what) => {
    const change = what === 'role' ? { role: 'viewer' } : { is_active: false };
    const unknown = await vexil.http.put(`/auth/users/${randomUUID()}/${what}`).set(admin).send(change);
    expect(unknown.status).toBe(404);
    expect(unknown.body.detail).toBe('User not found');
    for (const id of ['1', 'me', `'--`, '%00', randomUUID().slice(1)])
      expect((await vexil.http.put(`/auth/users/${id}/${what}`).set(admin).send(change)).status).toBe(422);
  });

  it('leave no entry, and keep their tokens, when nothing changes', async () => {
    const { id, email, token } = await vexil.person('developer');
    const before = await entriesOf(email);
    await vexil.http.put(`/auth/users/${id}/role`).set(admin).send({ role: 'developer' }).expect(200);
    await vexil.http.put(`/auth/users/${id}/active`).set(admin).send({ is_active: true }).expect(200);
    expect(await entriesOf(email)).toEqual(before);
    await vexil.http.get('/auth/me').set('Authorization', `Bearer ${token}`).expect(200);
  });

  it.each([[{}], [{ is_active: 'false' }], [{ is_active: 0 }], [{ is_active: null }], [{ active: false }]])(
    'are not disabled by %j',
    async (body) => {
      const { id } = await vexil.person('viewer');
      expect((await vexil.http.put(`/auth/users/${id}/active`).set(admin).send(body)).status).toBe(422);
    },
  );

  it('cannot change themselves: no field of theirs, not even by an admin', async () => {
    const me = await vexil.person('admin');
    const mine = { Authorization: `Bearer ${me.token}` };
    const demotion = await vexil.http.put(`/auth/users/${me.id}/role`).set(mine).send({ role: 'viewer' });
    expect(demotion.status).toBe(400);
    expect(demotion.body.detail).toBe('Cannot remove your own admin role');
    const leaving = await vexil.http.put(`/auth/users/${me.id}/active`).set(mine).send({ is_active: false });
    expect(leaving.status).toBe(400);
    expect(leaving.body.detail).toBe('Cannot disable your own account');
    for (const method of ['put', 'patch', 'post', 'delete'] as const) {
      const answer = await vexil.http[method]('/auth/me').set(mine).send({ role: 'admin' });
      expect(answer.status).toBe(405);
    }
    expect((await vexil.http.get('/auth/me').set(mine)).body.role).toBe('admin');
  });

  it('a viewer and a developer cannot raise themselves', async () => {
    for (const role of ['viewer', 'developer'] as const) {
      const { id, token } = await vexil.person(role);
      const mine = { Authorization: `Bearer ${token}` };
      const body = { role: 'admin' };
      expect((await vexil.http.put(`/auth/users/${id}/role`).set(mine).send(body)).status).toBe(403);
      expect((await vexil.http.put(`/auth/users/${id}/role?new_role=admin`).set(mine)).status).toBe(403);
      expect((await vexil.http.get('/auth/me').set(mine)).body.role).toBe(role);
    }
  });

  it('can log in again when they are enabled again, with a new token only', async () => {
    const { id, email, token } = await vexil.person('viewer');
    const path = `/auth/users/${id}/active`;
    await vexil.http.put(path).set(admin).send({ is_active: false }).expect(200);
    await logIn(email, PASSWORD).expect(401);
    await vexil.http.put(path).set(admin).send({ is_active: true }).expect(200);
    await vexil.http.get('/auth/me').set('Authorization', `Bearer ${token}`).expect(401);
    await logIn(email, PASSWORD).expect(200);
    expect((await entriesOf(email)).map((entry: { changes: object }) => entry.changes)).toEqual([
      { is_active: { old: false, new: true } },
      { is_active: { old: true, new: false } },
      expect.anything(),
    ]);
  });
});

describe('closed registration', () => {
  it('refuses new accounts, but lets people log in and the first admin be set up', async () => {
    const closed = await startApp({ REGISTRATION_OPEN: 'false' });
    try {
      const person = { email: newEmail(), password: PASSWORD, name: 'x' };
      const refused = await closed.http.post('/auth/register').send(person);
      expect(refused.status).toBe(403);
      expect(refused.body).toMatchObject({
        code: 'registration_closed',
        detail: 'Registration is closed. Ask an admin.',
      });
      expect(await closed.query('SELECT 1 FROM users')).toEqual([]);
      const state = await closed.http.get('/auth/setup');
      expect(state.body).toEqual({ needed: true, registration_open: false });
    } finally {
      await closed.close();
    }
  });
});
