import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiKeyDirectory } from '../../src/api-keys/api-key-directory.js';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { startApp, type TestApp } from '../support/app.js';
import { Api, eventually } from '../support/api.js';
import { adminKey, clientKey, newKey, serverKey, withKey, type MadeKey } from './support.js';

let vexil: TestApp;
let api: Api;
let admin: { Authorization: string };
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  admin = await vexil.bearer('admin');
  await api.newFlag({ key: 'shown', is_enabled: true, client_visible: true });
  await api.newFlag({ key: 'hidden', is_enabled: true });
});
afterAll(() => vexil.close());

const evaluate = (key: { secret: string }, flag = 'shown', environment = 'development') =>
  vexil.http.get(`/evaluate/${flag}?environment_key=${environment}&user_id=u`).set(withKey(key));

describe('a key', () => {
  it('T13: shows its secret once, and is kept as a hash', async () => {
    const made = await serverKey(vexil, { name: 'Once' });
    expect(made.secret.startsWith(made.prefix)).toBe(true);
    const one = await api.get(`/auth/api-keys/${made.id}`);
    const all = await api.get('/auth/api-keys');
    for (const { text } of [one, all]) expect(text).not.toContain(made.secret.slice(-43));
    expect(one.body).toMatchObject({
      name: 'Once',
      kind: 'server',
      prefix: made.prefix,
      environment_key: 'development',
      rate_limit_per_minute: 1000,
      revoked_at: null,
    });
    expect(all.headers['x-total-count']).toBe(String(all.body.length));
  });

  it.each([
    [{ kind: 'server' }, 'environment_key'],
    [{ kind: 'client', environment_key: 'development', role: 'admin' }, 'role'],
    [{ kind: 'admin' }, 'role'],
    [{ kind: 'admin', role: 'owner' }, 'role'],
    [{ kind: 'admin', role: 'viewer', environment_key: 'development' }, 'environment_key'],
    [{ kind: 'root', role: 'admin' }, 'kind'],
    [{ kind: 'server', environment_key: 'development', origins: ['https://a.example'] }, 'origins'],
    [{ kind: 'client', environment_key: 'development', origins: ['a.example'] }, 'origins[0]'],
    [{ kind: 'client', environment_key: 'development', origins: ['https://a.example/'] }, 'origins[0]'],
    [{ kind: 'client', environment_key: 'development', origins: ['https://*.example'] }, 'origins[0]'],
    [{ kind: 'client', environment_key: 'development', origins: ['null'] }, 'origins[0]'],
    [{ kind: 'server', environment_key: 'development', expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    [{ kind: 'server', environment_key: 'development', rate_limit_per_minute: -1 }, 'rate_limit_per_minute'],
    [{ kind: 'server', environment_key: 'development', secret: 'mine' }, 'secret'],
  ])('is refused as %j', async (body, path) => {
    const { status, body: problem } = await api.post('/auth/api-keys', { name: 'x', ...body });
    expect(status).toBe(422);
    expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  it('leaves one audit entry for each change, and none for what changes nothing', async () => {
    const { id, prefix, secret } = await clientKey(vexil, { name: 'Audited' });
    const path = `/auth/api-keys/${id}`;
    const patch = (body: object) => vexil.http.patch(path).set(admin).send(body);
    await patch({ rate_limit_per_minute: 7, origins: ['https://b.example', 'https://a.example'] }).expect(
      200,
    );
    await patch({ rate_limit_per_minute: 7 }).expect(200);
    await vexil.http.delete(`${path}?reason=leaked`).set(admin).expect(204);
    await vexil.http.delete(path).set(admin).expect(204);
    expect((await patch({ name: 'Late' })).body.code).toBe('api_key_revoked');
    const { body } = await api.get(`/audit?entity_type=api_key&entity_key=${prefix}`);
    expect(body.map((entry: { action: string }) => entry.action)).toEqual(['revoked', 'updated', 'created']);
    expect(body[1].changes).toEqual({
      rate_limit_per_minute: { old: 1000, new: 7 },
      origins: { old: [], new: ['https://a.example', 'https://b.example'] },
    });
    expect(body[0].reason).toBe('leaked');
    expect(JSON.stringify(body)).not.toContain(secret);
    expect((await api.get(path)).body.revoked_at).not.toBeNull();
  });

  it('is refused from the moment it is revoked, or expires, or never was', async () => {
    const revoked = await serverKey(vexil);
    await evaluate(revoked).expect(200);
    await vexil.http.delete(`/auth/api-keys/${revoked.id}`).set(admin).expect(204);
    const expiring = await serverKey(vexil, { expires_at: new Date(Date.now() + 5_000).toISOString() });
    await eventually(async () => (await evaluate(expiring)).status === 401);
    for (const secret of [revoked.secret, expiring.secret, newSecret('server').secret, 'vx_', 'x']) {
      const { status, body, headers } = await evaluate({ secret });
      expect([status, body.code]).toEqual([401, 'invalid_api_key']);
      expect(headers['www-authenticate']).toMatch(/^Bearer/);
    }
  });

  it('works as a bearer too, but not beside another credential', async () => {
    const [key, other] = [await serverKey(vexil), await serverKey(vexil)];
    const send = (headers: Record<string, string>) =>
      vexil.http.get('/evaluate/shown?environment_key=development').set(headers);
    const bearer = { Authorization: `Bearer ${key.secret}` };
    await send(bearer).expect(200);
    await send({ ...bearer, ...withKey(key) }).expect(200);
    for (const headers of [
      { ...bearer, ...withKey(other) },
      { ...admin, ...withKey(key) },
    ])
      expect((await send(headers)).body).toMatchObject({ status: 401, code: 'two_credentials' });
  });

  it('tells when it was used, a while later', async () => {
    const { id, secret } = await serverKey(vexil);
    expect((await api.get(`/auth/api-keys/${id}`)).body.last_used_at).toBeNull();
    await evaluate({ secret }).expect(200);
    const directory: { writeUses(): Promise<void> } = vexil.app.get(ApiKeyDirectory, { strict: false });
    await directory.writeUses();
    expect((await api.get(`/auth/api-keys/${id}`)).body.last_used_at).not.toBeNull();
  });

  it('keeps its environment from going unless that is forced, and goes with it', async () => {
    await api.post('/environments', { key: 'passing', name: 'Passing' });
    const revoked = await serverKey(vexil, { environment_key: 'passing' });
    await api.delete(`/auth/api-keys/${revoked.id}`);
    const key = await serverKey(vexil, { environment_key: 'passing' });
    const refused = await api.delete('/environments/passing');
    expect(refused.body).toMatchObject({ code: 'environment_in_use' });
    expect(refused.body.detail).toContain('1 API key(s)');
    expect((await api.delete('/environments/passing?force=true')).status).toBe(204);
    expect((await evaluate(key, 'shown', 'passing')).status).toBe(401);
    await api.post('/environments', { key: 'passing', name: 'Passing' });
    expect((await evaluate(key, 'shown', 'passing')).status).toBe(401);
    const { body } = await api.get(`/audit?entity_type=api_key&entity_key=${key.prefix}`);
    expect(body[0]).toMatchObject({ action: 'deleted', reason: "environment 'passing' deleted" });
    expect((await api.get('/audit/verify')).body.valid).toBe(true);
  });
});

describe('who a key is', () => {
  it('an admin key acts as its role, and the audit log says that it was the key', async () => {
    const key = await adminKey(vexil, 'developer', { name: 'Pipeline' });
    const body = { key: 'by-key', name: 'By key', environment_key: 'development' };
    await vexil.http.post('/flags').set(withKey(key)).send(body).expect(201);
    const protectedOne = await vexil.http
      .post('/flags')
      .set(withKey(key))
      .send({ ...body, environment_key: 'production' });
    expect(protectedOne.body.code).toBe('environment_protected');
    const [entry] = (await api.get('/audit/flag/by-key')).body;
    expect(entry.actor).toEqual({ type: 'api_key', id: key.id, name: 'Pipeline' });
    await evaluate(key, 'hidden', 'development').expect(200);
  });

  it('no key manages people or keys, not even that of an admin', async () => {
    const key = await adminKey(vexil, 'admin');
    const made = await vexil.http
      .post('/auth/api-keys')
      .set(withKey(key))
      .send({ name: 'x', kind: 'admin', role: 'admin' });
    expect(made.body).toMatchObject({ status: 403, code: 'people_only' });
    const { id } = await vexil.person('viewer');
    const raised = await vexil.http.put(`/auth/users/${id}/role`).set(withKey(key)).send({ role: 'admin' });
    expect(raised.body).toMatchObject({ status: 403, code: 'people_only' });
  });

  it.each(['server', 'client'])('T1: a %s key is for its own environment', async (kind) => {
    const key = await newKey(vexil, { kind, environment_key: 'development' });
    for (const environment of ['production', 'nowhere']) {
      const asked = [
        await evaluate(key, 'shown', environment),
        await vexil.http.post('/evaluate').set(withKey(key)).send({ environment_key: environment }),
      ];
      for (const { body } of asked) expect(body).toMatchObject({ status: 403, code: 'wrong_environment' });
    }
  });

  it('a server key may have every step explained, a client key none', async () => {
    const ask = (key: MadeKey) =>
      vexil.http
        .post('/evaluate/hidden')
        .set(withKey(key))
        .send({ environment_key: 'development', user_id: 'u', explain: true });
    const explained = await ask(await serverKey(vexil));
    expect(explained.status).toBe(200);
    expect(explained.body.trace).toMatchObject({ flag: 'hidden' });
    expect((await ask(await clientKey(vexil))).body).toMatchObject({ status: 403, code: 'api_key_kind' });
    expect((await ask(await adminKey(vexil, 'viewer'))).status).toBe(200);
  });
});

describe('where evaluation asks for a key', () => {
  it('lets keys and people pass, and nobody else', async () => {
    const closed = await startApp({ EVALUATE_ACCESS: 'key' });
    try {
      const ask = (headers: Record<string, string>) =>
        closed.http.get('/evaluate/x?environment_key=development').set(headers);
      expect((await ask({})).body).toMatchObject({ status: 401, code: 'not_authenticated' });
      expect((await ask({ Authorization: 'Bearer x' })).status).toBe(401);
      expect((await ask(await closed.bearer('viewer'))).status).toBe(200);
      for (const key of [await serverKey(closed), await clientKey(closed), await adminKey(closed, 'viewer')])
        expect((await ask(withKey(key))).status).toBe(200);
      expect((await closed.http.post('/evaluate').send({ environment_key: 'development' })).status).toBe(401);

      // It names every flag.
      const figures = (headers: Record<string, string>) => closed.http.get('/metrics').set(headers);
      expect((await figures({})).status).toBe(401);
      expect((await figures(await closed.bearer('viewer'))).status).toBe(200);
      const { secret } = await adminKey(closed, 'viewer');
      expect((await figures({ Authorization: `Bearer ${secret}` })).status).toBe(200);
      for (const key of [await serverKey(closed), await clientKey(closed)])
        expect((await figures(withKey(key))).body).toMatchObject({ status: 403, code: 'api_key_kind' });
    } finally {
      await closed.close();
    }
  });
});
