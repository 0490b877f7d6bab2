import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Type } from '@nestjs/common';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditService } from '../../src/audit/audit.service.js';
import { InvitesRepository } from '../../src/auth/invites.repository.js';
import { UsersRepository } from '../../src/auth/users.repository.js';
import { ROLES } from '../../src/platform/access/role.js';
import { PATIENT } from '../support/api.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const HOUR_MS = 3_600_000;

interface Made {
  readonly id: string;
  readonly token: string;
  readonly expires_at: string;
}
type Headers = { Authorization: string };

let vexil: TestApp;
let admin: Headers;
let log = '';
const tokens: string[] = [];
beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  vexil = await startApp({ ...PATIENT, LOGIN_ATTEMPTS_PER_MINUTE: '1000' }, { log: sink });
  admin = await vexil.bearer('admin');
});
afterAll(() => vexil.close());

const newEmail = () => `someone-${randomUUID()}@example.com`;
const create = (body: object, headers: Headers = admin) =>
  vexil.http.post('/auth/invites').set(headers).send(body);
async function invite(body: object = {}, headers: Headers = admin): Promise<Made> {
  const made = await create({ role: 'developer', ...body }, headers);
  if (made.status !== 201) throw new Error(`${made.status} ${made.text}`);
  tokens.push(made.body.token as string);
  return made.body as Made;
}
const look = (token: string) => vexil.http.post('/auth/invites/look').send({ token });
const accept = (token: string, fields: object = {}) =>
  vexil.http
    .post('/auth/invites/accept')
    .send({ token, email: newEmail(), password: PASSWORD, name: 'Someone', ...fields });
const open = async (headers: Headers = admin): Promise<Record<string, unknown>[]> =>
  (await vexil.http.get('/auth/invites?limit=1000').set(headers)).body;
const isOpen = async (id: string) => (await open()).some((each) => each['id'] === id);
const entriesOf = async (id: string) => {
  const rows = (await vexil.http.get('/audit?entity_type=invite&limit=200').set(admin)).body;
  return (rows as { entity_id: string }[]).filter((entry) => entry.entity_id === id);
};
const expire = (id: string) =>
  vexil.query(`UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = $1`, [id]);

/** Makes the next call of a method stand still for a while, in the middle of its transaction: long enough for others to overtake. */
function holdUp<T extends object>(type: Type<T>, method: string): { readonly reached: Promise<void> } {
  const target = vexil.app.get<T, Record<string, (...args: unknown[]) => unknown>>(type, {
    strict: false,
  });
  const original = target[method];
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => (reach = resolve));
  target[method] = async (...args) => {
    // Gone from the object, the method of the class is there again.
    Reflect.deleteProperty(target, method);
    reach();
    await sleep(300);
    return original?.apply(target, args);
  };
  return { reached };
}

describe('inviting', () => {
  it('gives a link, once, and keeps a hash of its token only', async () => {
    const email = newEmail();
    const { id: adminId, email: adminEmail } = await vexil.as('admin');
    const before = Date.now();
    const { status, body, headers } = await create({ role: 'viewer', email: ` ${email.toUpperCase()} ` });
    expect(status).toBe(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      id: expect.any(String),
      role: 'viewer',
      email,
      expires_at: expect.stringMatching(MOMENT),
      created_by: adminEmail,
      created_at: expect.stringMatching(MOMENT),
      token: expect.stringMatching(/^vx_invite_[0-9a-f]{64}$/),
      path: `/app/invite#${String(body.token)}`,
    });
    expect((new Date(body.expires_at).getTime() - before) / HOUR_MS).toBeCloseTo(72, 1);
    tokens.push(body.token);

    const { token, path, ...shown } = body;
    expect(path).toContain(token);
    const listed = await vexil.http.get('/auth/invites').set(admin);
    expect(listed.headers['x-total-count']).toBe(String((await open()).length));
    expect(listed.body).toContainEqual(shown);
    const [row] = await vexil.query('SELECT * FROM invites WHERE id = $1', [body.id]);
    expect(row).toMatchObject({
      token_hash: createHash('sha256').update(token).digest('hex'),
      created_by_id: adminId,
    });
  });

  it('leaves an audit entry that has all of it but the token', async () => {
    const { id, expires_at } = await invite({ role: 'admin', reason: 'Takes over from Dana' });
    const { email, id: adminId } = await vexil.as('admin');
    expect(await entriesOf(id)).toEqual([
      expect.objectContaining({
        action: 'created',
        entity_key: id,
        user_id: adminId,
        reason: 'Takes over from Dana',
        before: null,
        after: { role: 'admin', email: null, expires_at, created_by: email },
      }),
    ]);
  });

  it.each([1, 720])('is good for %i hours when asked', async (hours) => {
    const { expires_at } = await invite({ expires_in_hours: hours });
    expect((new Date(expires_at).getTime() - Date.now()) / HOUR_MS).toBeCloseTo(hours, 1);
  });

  it.each([
    [{}, 'role'],
    [{ role: 'owner' }, 'role'],
    [{ role: ['admin'] }, 'role'],
    [{ role: 'viewer', email: 'no-address' }, 'email'],
    [{ role: 'viewer', email: '' }, 'email'],
    [{ role: 'viewer', email: 'a\u0000b@example.com' }, 'email'],
    [{ role: 'viewer', expires_in_hours: 0 }, 'expires_in_hours'],
    [{ role: 'viewer', expires_in_hours: 721 }, 'expires_in_hours'],
    [{ role: 'viewer', expires_in_hours: 1.5 }, 'expires_in_hours'],
    [{ role: 'viewer', expires_in_hours: '72' }, 'expires_in_hours'],
    [{ role: 'viewer', expires_at: '2999-01-01T00:00:00Z' }, 'expires_at'],
    [{ role: 'viewer', token: 'mine' }, 'token'],
    [{ role: 'viewer', reason: '' }, 'reason'],
  ])('refuses %j and names the field', async (body, path) => {
    const { status, body: problem } = await create(body);
    expect(status).toBe(422);
    expect(problem.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  });

  it('refuses an address that has an account', async () => {
    const { email } = await vexil.as('viewer');
    const { status, body } = await create({ role: 'developer', email: email.toUpperCase() });
    expect([status, body.code]).toEqual([409, 'email_taken']);
  });

  it('lists page by page, newest first, and not what has expired, which goes when the next one is made', async () => {
    const [first, second] = [await invite(), await invite()];
    const ids = (await open()).map(({ id }) => id);
    expect(ids.indexOf(second.id)).toBeLessThan(ids.indexOf(first.id));
    const page = await vexil.http.get('/auth/invites?skip=1&limit=1').set(admin);
    expect(page.body.map(({ id }: Made) => id)).toEqual([ids[1]]);
    await expire(first.id);
    expect(await isOpen(first.id)).toBe(false);
    await invite();
    expect(await vexil.query('SELECT 1 FROM invites WHERE id = $1', [first.id])).toEqual([]);
  });
});

describe('looking', () => {
  it('tells what is offered, and nothing else, as often as one likes', async () => {
    const email = newEmail();
    const { token, expires_at } = await invite({ role: 'admin', email });
    for (let times = 0; times < 3; times += 1) {
      const { status, body, headers } = await look(token);
      expect(status).toBe(200);
      expect(headers['cache-control']).toBe('no-store');
      expect(body).toEqual({ role: 'admin', email, expires_at });
    }
  });

  it('takes the token from the body only', async () => {
    const { token } = await invite();
    const inQuery = await vexil.http.post(`/auth/invites/look?token=${token}`).send({});
    expect(inQuery.status).toBe(422);
    expect((await vexil.http.get(`/auth/invites/look?token=${token}`)).status).toBe(405);
  });
});

describe('accepting', () => {
  it.each(ROLES)('makes an account with the role %s and logs in', async (role) => {
    const { token, id } = await invite({ role });
    const email = newEmail();
    const { status, body, headers } = await accept(token, { email: ` ${email.toUpperCase()} ` });
    expect(status).toBe(201);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 3600,
      user: {
        id: expect.any(String),
        email,
        name: 'Someone',
        role,
        is_active: true,
        created_at: expect.stringMatching(MOMENT),
      },
    });
    const me = await vexil.http.get('/auth/me').set('Authorization', `Bearer ${String(body.access_token)}`);
    expect(me.body).toEqual(body.user);
    await vexil.http.post('/auth/login').send({ email, password: PASSWORD }).expect(200);
    expect(await isOpen(id)).toBe(false);
  });

  it('leaves an entry for the invitation and one for the account, in the name of the person', async () => {
    const { token, id, expires_at } = await invite();
    const email = newEmail();
    const { body } = await accept(token, { email }).set('X-Request-Id', `accept-${id}`);
    const actor = { type: 'user', id: body.user.id, name: email };
    expect((await vexil.http.get(`/audit?request_id=accept-${id}`).set(admin)).body).toEqual([
      expect.objectContaining({ action: 'created', entity_type: 'user', entity_key: email, actor }),
      expect.objectContaining({
        action: 'accepted',
        entity_type: 'invite',
        entity_id: id,
        actor,
        before: {
          role: 'developer',
          email: null,
          expires_at,
          created_by: (await vexil.as('admin')).email,
        },
        after: null,
      }),
    ]);
  });

  it('says the same of an invitation that was used, withdrawn, has expired or never was', async () => {
    const [used, withdrawn, expired] = [await invite(), await invite(), await invite()];
    await accept(used.token).expect(201);
    await vexil.http.delete(`/auth/invites/${withdrawn.id}`).set(admin).expect(204);
    await expire(expired.id);
    const never = `vx_invite_${'0'.repeat(64)}`;
    const shown = [];
    for (const token of [used.token, withdrawn.token, expired.token, never, '', 'x']) {
      const answers = [await look(token), await accept(token)];
      shown.push(...answers.map(({ status, body }) => ({ status, body: { ...body, request_id: '' } })));
    }
    for (const answer of shown) expect(answer).toEqual(shown[0]);
    expect(shown[0]).toMatchObject({ status: 404, body: { code: 'invite_not_found' } });
  });

  it.each([
    [{ email: 'no-address' }, 'email'],
    [{ password: 'seven77' }, 'password'],
    [{ password: 'password1' }, 'password'],
    [{ name: ' ' }, 'name'],
    [{ role: 'admin' }, 'role'],
    [{ is_active: true }, 'is_active'],
  ])('refuses %j as registering does, and the invitation stays good', async (fields, path) => {
    const { token } = await invite();
    const { status, body } = await accept(token, fields);
    expect(status).toBe(422);
    expect(body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
    await accept(token).expect(201);
  });

  it('refuses another address than the one it is for, and the invitation stays good', async () => {
    const email = newEmail();
    const { token } = await invite({ email });
    const refused = await accept(token);
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toEqual([
      { path: 'email', message: 'must be the address that the invitation is for' },
    ]);
    await accept(token, { email: email.toUpperCase() }).expect(201);
  });

  it('refuses an address that has an account, and the invitation stays good', async () => {
    const { token, id } = await invite();
    const { email } = await vexil.as('viewer');
    const refused = await accept(token, { email });
    expect([refused.status, refused.body.code]).toEqual([409, 'email_taken']);
    expect(await entriesOf(id)).toHaveLength(1);
    await accept(token).expect(201);
  });

  it('works where registration is closed', async () => {
    const closed = await startApp({ REGISTRATION_OPEN: 'false' }, { database: vexil.database });
    try {
      const person = { email: newEmail(), password: PASSWORD, name: 'Someone' };
      expect((await closed.http.post('/auth/register').send(person)).status).toBe(403);
      const { token } = await invite();
      const accepted = await closed.http.post('/auth/invites/accept').send({ ...person, token });
      expect([accepted.status, accepted.body.user.role]).toEqual([201, 'developer']);
    } finally {
      await closed.close();
    }
  });
});

describe('withdrawing', () => {
  it('leaves an entry with the reason, and can be done once', async () => {
    const { id, token } = await invite();
    const withdraw = () => vexil.http.delete(`/auth/invites/${id}?reason=Wrong%20person`).set(admin);
    expect((await withdraw()).status).toBe(204);
    const again = await withdraw();
    expect([again.status, again.body.code]).toEqual([404, 'invite_not_found']);
    expect((await look(token)).status).toBe(404);
    expect(await entriesOf(id)).toEqual([
      expect.objectContaining({ action: 'revoked', reason: 'Wrong person', after: null }),
      expect.objectContaining({ action: 'created' }),
    ]);
  });

  it.each(['not-an-id', '0'])('refuses %s, which is no id', async (id) => {
    expect((await vexil.http.delete(`/auth/invites/${id}`).set(admin)).status).toBe(422);
  });
});

describe('an admin who is none any more', () => {
  it.each([
    ['demoted', 'role', { role: 'developer' }, { role: 'admin' }],
    ['disabled', 'active', { is_active: false }, { is_active: true }],
  ])('takes their invitations with them when %s, for good', async (_, what, end, begin) => {
    const person = await vexil.person('admin');
    const bearer = { Authorization: `Bearer ${person.token}` };
    const [one, two] = [await invite({}, bearer), await invite({ role: 'admin' }, bearer)];
    const other = await invite();
    const put = (body: object) => vexil.http.put(`/auth/users/${person.id}/${what}`).set(admin).send(body);
    await put(end).expect(200);
    for (const { token, id } of [one, two]) {
      expect((await accept(token)).status).toBe(404);
      expect(await isOpen(id)).toBe(false);
      expect((await entriesOf(id))[0]).toMatchObject({
        action: 'revoked',
        actor: { id: (await vexil.as('admin')).id },
        reason: `${person.email} is no longer an active admin`,
      });
    }
    await put(begin).expect(200);
    for (const { token } of [one, two]) expect((await look(token)).status).toBe(404);
    await accept(other.token).expect(201);
  });
});

describe('at the same moment', () => {
  it('one of many accepts', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { token, id } = await invite();
      const emails = Array.from({ length: 10 }, newEmail);
      const answers = await Promise.all(emails.map((email) => accept(token, { email })));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...new Array<number>(9).fill(404)]);
      expect(await vexil.query('SELECT 1 FROM users WHERE email = ANY($1)', [emails])).toHaveLength(1);
      expect((await entriesOf(id)).map((entry) => (entry as { action?: string }).action)).toEqual([
        'accepted',
        'created',
      ]);
    }
  });

  it('one address gets one account of two invitations, and the other one stays good', async () => {
    const email = newEmail();
    const made = [await invite(), await invite()];
    const answers = await Promise.all(made.map(({ token }) => accept(token, { email })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const left = made.filter((_, index) => answers[index]?.status === 409);
    await accept(left[0]?.token ?? '').expect(201);
  });

  it('one that is being accepted can be withdrawn no more', async () => {
    const { token, id } = await invite();
    const held = holdUp(UsersRepository, 'insert');
    const accepted = accept(token).then(({ status }) => status);
    await held.reached;
    const withdrawn = await vexil.http.delete(`/auth/invites/${id}`).set(admin);
    expect([await accepted, withdrawn.status]).toEqual([201, 404]);
    expect(await entriesOf(id)).toHaveLength(2);
  });

  it('one that is being withdrawn can be accepted no more', async () => {
    const { token, id } = await invite();
    const held = holdUp(AuditService, 'record');
    const withdrawn = vexil.http
      .delete(`/auth/invites/${id}`)
      .set(admin)
      .then(({ status }) => status);
    await held.reached;
    expect([(await accept(token)).status, await withdrawn]).toEqual([404, 204]);
    expect(await entriesOf(id)).toHaveLength(2);
  });

  it('nobody who is demoted while they invite leaves an invitation behind', async () => {
    const person = await vexil.person('admin');
    const held = holdUp(InvitesRepository, 'insert');
    const made = create({ role: 'admin' }, { Authorization: `Bearer ${person.token}` }).then(
      ({ status, body }) => ({ status, token: body.token as string }),
    );
    await held.reached;
    await vexil.http.put(`/auth/users/${person.id}/role`).set(admin).send({ role: 'viewer' }).expect(200);
    const { status, token } = await made;
    expect(status).toBe(201);
    expect((await look(token)).status).toBe(404);
  });
});

it('no log line and no row holds a token, and no audit entry a hash of one', async () => {
  expect(tokens.length).toBeGreaterThan(10);
  expect(log).toContain('POST /auth/invites/accept');
  const audit = JSON.stringify(await vexil.query('SELECT * FROM audit_entries'));
  const rows = JSON.stringify(await vexil.query('SELECT * FROM invites'));
  for (const token of tokens) {
    for (const place of [log, audit, rows]) expect(place.includes(token)).toBe(false);
    expect(audit.includes(createHash('sha256').update(token).digest('hex'))).toBe(false);
  }
});
