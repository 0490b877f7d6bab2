import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Notifications } from '../../src/platform/database/notifications.js';
import { PASSWORD, startApp, type TestApp } from '../support/app.js';

/** Instances that share a database: one that makes changes, one that only hears of them, one that only asks. */
let writer: TestApp;
let listener: TestApp;
let asker: TestApp;
beforeAll(async () => {
  const JWT_SECRET_KEY = randomBytes(32).toString('hex');
  writer = await startApp({ JWT_SECRET_KEY });
  const { database } = writer;
  listener = await startApp({ JWT_SECRET_KEY, REVISION_POLL_SECONDS: '300' }, { database });
  asker = await startApp({ JWT_SECRET_KEY, REVISION_POLL_SECONDS: '1' }, { database });
  await asker.app.get(Notifications, { strict: false }).onApplicationShutdown();
});
afterAll(async () => {
  await asker.close();
  await listener.close();
  await writer.close();
});

const meAt = (app: TestApp, token: string) =>
  app.http.get('/auth/me').set('Authorization', `Bearer ${token}`);

/** How long an instance goes on accepting a token, up to two and a half seconds. */
async function msUntilRefused(app: TestApp, token: string): Promise<number> {
  const start = performance.now();
  for (;;) {
    const { status } = await meAt(app, token);
    const passed = performance.now() - start;
    if (status === 401 || passed > 2_500) return passed;
    await sleep(20);
  }
}

const changes = [
  ['disabling', 'active', { is_active: false }, 'User account is disabled'],
  ['lowering the role', 'role', { role: 'viewer' }, 'Invalid or expired token'],
  ['raising the role', 'role', { role: 'admin' }, 'Invalid or expired token'],
] as const;

describe.each(changes)('%s', (_, what, change, detail) => {
  it('ends tokens at once where it was done, and soon on every other instance', async () => {
    const { id, token } = await writer.person('developer');
    const admin = await writer.bearer('admin');
    // Each has the account in memory.
    for (const app of [writer, listener, asker]) await meAt(app, token).expect(200);

    await writer.http.put(`/auth/users/${id}/${what}`).set(admin).send(change).expect(200);
    const here = await meAt(writer, token);
    expect(here.status).toBe(401);
    expect(here.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(here.body.detail).toBe(detail);

    const [heard, asked] = await Promise.all([msUntilRefused(listener, token), msUntilRefused(asker, token)]);
    expect(heard).toBeLessThan(1_500);
    expect(asked).toBeLessThan(2_500);
  });

  it('is refused to every write that comes after it', async () => {
    const { id, token } = await writer.person('developer');
    const admin = await writer.bearer('admin');
    const create = () =>
      writer.http
        .post('/flags')
        .set('Authorization', `Bearer ${token}`)
        .send({ key: `f-${randomBytes(6).toString('hex')}`, name: 'x', environment_key: 'development' });
    await create().expect(201);
    await writer.http.put(`/auth/users/${id}/${what}`).set(admin).send(change).expect(200);
    await create().expect(401);
  });
});

it('a change made elsewhere while an account is being looked up is not missed', async () => {
  const admin = await writer.bearer('admin');
  for (let round = 0; round < 5; round += 1) {
    const { id, token } = await writer.person('viewer');
    const [, change] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => meAt(listener, token))),
      writer.http.put(`/auth/users/${id}/active`).set(admin).send({ is_active: false }),
    ]);
    expect(change.status).toBe(200);
    expect(await msUntilRefused(listener, token)).toBeLessThan(1_500);
    expect((await meAt(listener, token)).status).toBe(401);
  }
});

it('a new token of a changed role works on every instance', async () => {
  const { id, email } = await writer.person('viewer');
  const admin = await writer.bearer('admin');
  await writer.http.put(`/auth/users/${id}/role?new_role=admin`).set(admin).expect(200);
  const { body } = await writer.http.post('/auth/login').send({ email, password: PASSWORD });
  for (const app of [writer, listener]) {
    let status = 0;
    for (let n = 0; n < 50 && status !== 200; n += 1) {
      ({ status } = await app.http
        .get('/auth/users')
        .set('Authorization', `Bearer ${String(body.access_token)}`));
      if (status !== 200) await sleep(30);
    }
    expect(status).toBe(200);
  }
});
