import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { Api, eventually } from '../support/api.js';
import { adminKey, clientKey, serverKey, withKey, type MadeKey } from './support.js';

const OWN = 'https://acme.com';
const STRANGERS = [
  'null',
  'https://acme.com.evil.example',
  'https://acme.co',
  'https://evilacme.com',
  'https://www.acme.com',
  'http://acme.com',
  'https://acme.com:8443',
  'https://ACME.com',
  'https://acme.com/',
];

let vexil: TestApp;
let bound: MadeKey;
beforeAll(async () => {
  vexil = await startApp({ ALLOWED_ORIGINS: 'https://dashboard.example' });
  bound = await clientKey(vexil, { origins: [OWN] });
});
afterAll(() => vexil.close());

const PATH = '/evaluate/x?environment_key=development';
const ask = (key: { secret: string } | undefined, origin: string, path = PATH) =>
  vexil.http.get(path).set({ ...(key ? withKey(key) : {}), Origin: origin });
const preflight = (origin: string, path = PATH) =>
  vexil.http.options(path).set({
    Origin: origin,
    'Access-Control-Request-Method': 'GET',
    'Access-Control-Request-Headers': 'x-api-key',
  });
const allowed = ({ headers }: { headers: Record<string, string> }) => headers['access-control-allow-origin'];

describe('T23: a client key with origins', () => {
  it('lets pages of its origin read the answer, without credentials', async () => {
    for (const answer of [await preflight(OWN), await ask(bound, OWN)]) {
      expect(answer.status).toBeLessThan(300);
      expect(allowed(answer)).toBe(OWN);
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
      expect(answer.headers['vary']).toContain('Origin');
    }
    expect((await preflight(OWN)).headers['access-control-allow-headers']).toContain('X-API-Key');
  });

  it.each(STRANGERS)('lets no page of %s', async (origin) => {
    expect(allowed(await preflight(origin))).toBeUndefined();
    const answer = await ask(bound, origin);
    expect(allowed(answer)).toBeUndefined();
    expect(answer.body).toMatchObject({ status: 403, code: 'origin_not_allowed' });
  });

  it('works where there is no page', async () => {
    await vexil.http.get(PATH).set(withKey(bound)).expect(200);
  });

  it('opens nothing but evaluation, and nothing to who has no key', async () => {
    for (const path of ['/flags?environment_key=development', '/auth/login', '/evaluates']) {
      expect(allowed(await preflight(OWN, path))).toBeUndefined();
      expect(allowed(await ask(bound, OWN, path))).toBeUndefined();
    }
    expect(allowed(await ask(undefined, OWN))).toBeUndefined();
    expect(allowed(await ask({ secret: 'vx_client_00000000_x' }, OWN))).toBeUndefined();
  });

  it('leaves the origins of the installation as they are', async () => {
    expect(allowed(await ask(undefined, 'https://dashboard.example'))).toBe('https://dashboard.example');
  });
});

describe.each([
  ['server', () => serverKey(vexil)],
  ['admin', () => adminKey(vexil, 'developer')],
])('T13: a %s key in a page', (_, make) => {
  it('is refused, and the audit log says so once an hour', async () => {
    const key = await make();
    for (let n = 0; n < 5; n += 1) {
      const { body } = await ask(key, OWN);
      expect(body).toMatchObject({ status: 403, code: 'key_in_browser' });
    }
    const entries = async () =>
      (await new Api(vexil).get(`/audit?entity_type=api_key&entity_key=${key.prefix}&action=exposed`))
        .body as { reason: string; changes: object; actor: object }[];
    await eventually(async () => (await entries()).length > 0);
    // The database has the last word, whatever an instance remembers.
    const { ApiKeysService } = await import('../../src/api-keys/api-keys.service.js');
    await vexil.app.get(ApiKeysService, { strict: false }).reportBrowserUse(key.id, OWN);
    const found = await entries();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ changes: {}, actor: { type: 'api_key', id: key.id } });
    expect(found[0]?.reason).toContain(OWN);
    await vexil.http.get(PATH).set(withKey(key)).expect(200);
  });
});

describe('a client key that was revoked', () => {
  const revoked = async () => {
    const key = await clientKey(vexil, { origins: [OWN] });
    await vexil.http
      .delete(`/auth/api-keys/${key.id}`)
      .set(await vexil.bearer('admin'))
      .expect(204);
    return key;
  };

  it('lets pages that may ask at all read that it has ended', async () => {
    const key = await revoked();
    const answer = await ask(key, OWN);
    expect([answer.status, answer.body.code, allowed(answer)]).toEqual([401, 'invalid_api_key', OWN]);
    const bulk = await vexil.http
      .post('/ofrep/v1/evaluate/flags')
      .set({ ...withKey(key), Origin: OWN })
      .send({ context: {} });
    expect([bulk.status, allowed(bulk)]).toEqual([401, OWN]);
  });

  it.each(STRANGERS)('lets no page of %s', async (origin) => {
    const answer = await ask(await revoked(), origin);
    expect([answer.status, allowed(answer)]).toEqual([401, undefined]);
  });
});

it('T23: a client key that names no origins is for every page', async () => {
  const open = await clientKey(vexil);
  expect(allowed(await ask(open, 'https://anywhere.example'))).toBe('https://anywhere.example');
  expect(allowed(await preflight('https://anywhere.example'))).toBe('https://anywhere.example');
  // Which opens nothing for the key that does.
  expect(allowed(await ask(bound, 'https://anywhere.example'))).toBeUndefined();
});
