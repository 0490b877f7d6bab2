import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { createHmac, createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { Tokens } from '../../src/auth/tokens.js';
import { UsersService } from '../../src/auth/users.service.js';
import { PASSWORD, startApp, type Person, type TestApp } from '../support/app.js';

let vexil: TestApp;
let victim: Person;
beforeAll(async () => {
  vexil = await startApp();
  victim = await vexil.as('admin');
});
afterAll(() => vexil.close());

const decode = (part: string | undefined) =>
  JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claimsOf = (token: string) => decode(token.split('.')[1]);
const headerOf = (token: string) => decode(token.split('.')[0]);
const secret = () => createSecretKey(Buffer.from(vexil.config.jwtSecretKey ?? ''));
const now = () => Math.floor(Date.now() / 1000);

type Changes = Record<string, unknown>;
/** The victim's token, signed as the service would, but for what is changed. `undefined` leaves a claim out. */
const signed = (
  claims: Changes = {},
  header: Changes = {},
  key: Parameters<SignJWT['sign']>[0] = secret(),
): Promise<string> => {
  const payload = { ...claimsOf(victim.token), ...claims } as JWTPayload;
  return new SignJWT(JSON.parse(JSON.stringify(payload)) as JWTPayload)
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
    .sign(key);
};
/** Anything at all, signed by hand. */
const byHand = (header: unknown, payload: unknown, key: Buffer | string, hash = 'sha256') => {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
};
const unsigned = (alg: string, signature = '') =>
  `${encode({ alg, typ: 'at+jwt' })}.${encode(claimsOf(victim.token))}.${signature}`;
const meBy = (token: string) => vexil.http.get('/auth/me').set('Authorization', `Bearer ${token}`);

it('the token that the forgeries are made from is itself accepted, and so is one signed by hand', async () => {
  expect(headerOf(victim.token)).toEqual({ alg: 'HS256', typ: 'at+jwt' });
  expect(claimsOf(victim.token)).toEqual({
    iss: 'vexil',
    aud: 'vexil-api',
    sub: victim.id,
    email: victim.email,
    role: 'admin',
    ver: expect.any(Number),
    auth_time: expect.any(Number),
    jti: expect.any(String),
    iat: expect.any(Number),
    exp: expect.any(Number),
  });
  const { iat, exp } = claimsOf(victim.token) as { iat: number; exp: number };
  expect(exp - iat).toBe(3600);
  await meBy(victim.token).expect(200);
  await meBy(await signed()).expect(200);
});

describe('a forged token is refused', () => {
  const forgeries: Record<string, () => Promise<string> | string> = {
    'unsigned, none': () => unsigned('none'),
    'unsigned, None': () => unsigned('None'),
    'unsigned, NONE': () => unsigned('NONE'),
    'unsigned, nOnE': () => unsigned('nOnE'),
    'none, with the old signature': () => unsigned('none', victim.token.split('.')[2]),
    'HS256, without a signature': () => unsigned('HS256'),
    'no algorithm': () => byHand({ typ: 'at+jwt' }, claimsOf(victim.token), vexil.config.jwtSecretKey ?? ''),
    'an empty algorithm': () => unsigned('', 'x'),
    'HS384 with the right secret': () => signed({}, { alg: 'HS384' }),
    'HS512 with the right secret': () => signed({}, { alg: 'HS512' }),
    'RS256, signed by HMAC with the right secret': () =>
      byHand({ alg: 'RS256', typ: 'at+jwt' }, claimsOf(victim.token), vexil.config.jwtSecretKey ?? ''),
    'hs256 in small letters': () =>
      byHand({ alg: 'hs256', typ: 'at+jwt' }, claimsOf(victim.token), vexil.config.jwtSecretKey ?? ''),
    'RS256 with a key of the forger': async () =>
      signed({}, { alg: 'RS256' }, (await generateKeyPair('RS256')).privateKey),
    'ES256 with a key of the forger': async () =>
      signed({}, { alg: 'ES256' }, (await generateKeyPair('ES256')).privateKey),
    'a key of the forger in the header': async () => {
      const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
      return signed({}, { alg: 'ES256', jwk: await exportJWK(publicKey) }, privateKey);
    },
    'an address of keys in the header': () =>
      signed({}, { jku: 'https://evil.example/keys' }, createSecretKey(randomBytes(32))),
    'a key id that is a file': () =>
      byHand({ alg: 'HS256', typ: 'at+jwt', kid: '../../../dev/null' }, claimsOf(victim.token), ''),
    'signed with nothing': () =>
      byHand({ alg: 'HS256', typ: 'at+jwt' }, claimsOf(victim.token), Buffer.alloc(0)),
    'signed with NULs': () =>
      byHand({ alg: 'HS256', typ: 'at+jwt' }, claimsOf(victim.token), Buffer.alloc(32)),
    'signed with another secret': () => signed({}, {}, createSecretKey(randomBytes(32))),
    'signed with a well-known secret': () => signed({}, {}, createSecretKey(Buffer.from('secret'))),
    'signed with the setup token': () =>
      signed({}, {}, createSecretKey(Buffer.from(vexil.app.get(Tokens, { strict: false }).setupToken()))),
    'a critical header that nobody knows': () =>
      byHand(
        { alg: 'HS256', typ: 'at+jwt', crit: ['x'], x: 1 },
        claimsOf(victim.token),
        vexil.config.jwtSecretKey ?? '',
      ),
    'an unencoded payload': () => signed({}, { b64: false, crit: ['b64'] }).catch(() => 'a.b.c'),
    'without an end': () => signed({ exp: undefined }),
    ended: () => signed({ exp: now() - 10 }),
    'its end is a text': () => signed({ exp: String(now() + 600) }).catch(() => 'a.b.c'),
    'its end is a text, by hand': () =>
      byHand(
        { alg: 'HS256', typ: 'at+jwt' },
        { ...claimsOf(victim.token), exp: String(now() + 600) },
        vexil.config.jwtSecretKey ?? '',
      ),
    'its end is null': () =>
      byHand(
        { alg: 'HS256', typ: 'at+jwt' },
        { ...claimsOf(victim.token), exp: null },
        vexil.config.jwtSecretKey ?? '',
      ),
    'not valid yet': () => signed({ nbf: now() + 60 }),
    'for another audience': () => signed({ aud: 'another-api' }),
    'for an audience that begins alike': () => signed({ aud: 'vexil-api-2' }),
    'for nobody': () => signed({ aud: undefined }),
    'of another issuer': () => signed({ iss: 'evil' }),
    'of no issuer': () => signed({ iss: undefined }),
    'of the plain type': () => signed({}, { typ: 'JWT' }),
    'of no type': () => signed({}, { typ: undefined }),
    'of the type of a refresh token': () => signed({}, { typ: 'rt+jwt' }),
    'without a subject': () => signed({ sub: undefined }),
    'of somebody unknown': () => signed({ sub: randomUUID() }),
    'of a subject that is no id': () => signed({ sub: `' OR 1=1 --` }),
    'of a subject with a NUL': () => signed({ sub: `${randomUUID()}\0` }),
    'of a subject that is a number': () =>
      byHand(
        { alg: 'HS256', typ: 'at+jwt' },
        { ...claimsOf(victim.token), sub: 1 },
        vexil.config.jwtSecretKey ?? '',
      ),
    'without an id': () => signed({ jti: undefined }),
    'without a beginning': () => signed({ iat: undefined }),
    'without a version': () => signed({ ver: undefined }),
    'of an earlier version': () => signed({ ver: Number(claimsOf(victim.token)['ver']) - 1 }),
    'of a later version': () => signed({ ver: Number(claimsOf(victim.token)['ver']) + 1 }),
    'of a version that is a text': () => signed({ ver: String(claimsOf(victim.token)['ver']) }),
    'without the time of the password': () => signed({ auth_time: undefined }),
    'with another payload under the old signature': () => {
      const [header, , signature] = victim.token.split('.');
      return `${header!}.${encode({ ...claimsOf(victim.token), exp: now() + 99_999 })}.${signature!}`;
    },
    'with another header over the old signature': () => {
      const [, payload, signature] = victim.token.split('.');
      return `${encode({ alg: 'HS256', typ: 'at+jwt', x: 1 })}.${payload!}.${signature!}`;
    },
    'cut short': () => victim.token.slice(0, -5),
    'with more at the end': () => `${victim.token}AAAA`,
    'without the signature and its dot': () => victim.token.split('.').slice(0, 2).join('.'),
    'in four parts': () => `${victim.token}.x`,
    'in five parts, as an encrypted one': () => `${victim.token}.x.y`,
    'dots alone': () => '..',
    'one letter': () => 'x',
    'no JSON': () => `${Buffer.from('{').toString('base64url')}.e30.x`,
    'a payload that is a list': () =>
      byHand({ alg: 'HS256', typ: 'at+jwt' }, [], vexil.config.jwtSecretKey ?? ''),
    'a payload that is null': () =>
      byHand({ alg: 'HS256', typ: 'at+jwt' }, null, vexil.config.jwtSecretKey ?? ''),
    'valid, but 10 KB long': () => signed({ padding: 'x'.repeat(7_500) }),
    'ten thousand letters': () => 'x'.repeat(10_000),
    'quotes around it': () => `"${victim.token}"`,
  };

  it.each(Object.keys(forgeries))('%s', async (name) => {
    const answer = await meBy(await forgeries[name]!());
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    expect(answer.body).toMatchObject({ code: 'invalid_token', detail: 'Invalid or expired token' });
  });

  it('100 KB long: before anything reads it', async () => {
    const outcome = await meBy('x'.repeat(100_000)).then(
      ({ status }) => status,
      (error: unknown) => (error as { code?: string }).code,
    );
    // Node itself refuses headers of that size, and may hang up while they are still being sent.
    expect([401, 431, 'ECONNRESET', 'EPIPE']).toContain(outcome);
    await meBy(victim.token).expect(200);
  });
});

it('reads a token once for each request', async () => {
  const read = jest.spyOn(vexil.app.get(Tokens, { strict: false }), 'read');
  try {
    await meBy(victim.token).expect(200);
    await vexil.http.post('/auth/refresh').set('Authorization', `Bearer ${victim.token}`).expect(200);
    expect(read).toHaveBeenCalledTimes(2);
  } finally {
    read.mockRestore();
  }
});

it('believes the account, not the role that a token tells', async () => {
  const viewer = await vexil.as('viewer');
  const boasting = await signed({
    sub: viewer.id,
    ver: claimsOf(viewer.token)['ver'],
    role: 'admin',
    email: victim.email,
  });
  const users = await vexil.http.get('/auth/users').set('Authorization', `Bearer ${boasting}`);
  expect(users.status).toBe(403);
  expect((await meBy(boasting)).body).toMatchObject({ email: viewer.email, role: 'viewer' });
});

it('forgives a clock that is five seconds off, and no more', async () => {
  await meBy(await signed({ exp: now() - 3 })).expect(200);
  await meBy(await signed({ exp: now() - 8 })).expect(401);
});

it('JWT_EXPIRE_MINUTES decides how long a token lasts', async () => {
  const brief = await startApp({ JWT_EXPIRE_MINUTES: '5' });
  try {
    const { token } = await brief.as('viewer');
    const { iat, exp } = claimsOf(token) as { iat: number; exp: number };
    expect(exp - iat).toBe(300);
  } finally {
    await brief.close();
  }
});

describe('refreshing', () => {
  const refresh = (token: string) => vexil.http.post('/auth/refresh').set('Authorization', `Bearer ${token}`);
  const HOUR = 3600;
  const loggedIn = async (secondsAgo: number) => {
    const { email } = await vexil.as('viewer');
    const user = await vexil.app.get(UsersService, { strict: false }).findByEmail(email);
    return vexil.app.get(Tokens, { strict: false }).sign(user!, now() - secondsAgo);
  };

  it('gives a new token that remembers when the password was given', async () => {
    const old = await loggedIn(2 * HOUR);
    const { status, body, headers } = await refresh(old);
    expect(status).toBe(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toMatchObject({ token_type: 'bearer', expires_in: 3600, user: { role: 'viewer' } });
    const [before, after] = [claimsOf(old), claimsOf(body.access_token)];
    expect(after['auth_time']).toBe(before['auth_time']);
    expect(after['jti']).not.toBe(before['jti']);
    const again = await refresh(body.access_token);
    expect(claimsOf(again.body.access_token)['auth_time']).toBe(before['auth_time']);
    await meBy(again.body.access_token).expect(200);
  });

  it('ends twelve hours after the password was given', async () => {
    expect((await refresh(await loggedIn(12 * HOUR - 60))).status).toBe(200);
    const tooOld = await loggedIn(12 * HOUR + 1);
    await meBy(tooOld).expect(200);
    const { status, headers, body } = await refresh(tooOld);
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer/);
    expect(body.code).toBe('session_too_old');
  });

  it('is refused to a token that has ended, to one of a changed role, and to none', async () => {
    const { sub, ver } = claimsOf((await vexil.as('viewer')).token);
    await refresh(await signed({ sub, ver, exp: now() - 60 })).expect(401);
    const person = await vexil.person('viewer');
    await vexil.http
      .put(`/auth/users/${person.id}/role?new_role=developer`)
      .set(await vexil.bearer('admin'))
      .expect(200);
    await refresh(person.token).expect(401);
    await vexil.http.post('/auth/refresh').expect(401);
  });
});

describe('changing the secret', () => {
  it('keeps tokens of the previous secret alive, signs with the new one, and forgets what is older', async () => {
    const [first, second, third] = [1, 2, 3].map(() => randomBytes(32).toString('hex')) as [
      string,
      string,
      string,
    ];
    const apps: TestApp[] = [];
    const start = async (env: Record<string, string>) => {
      const app = await startApp(env, apps[0] ? { database: apps[0].database } : {});
      apps.push(app);
      return app;
    };
    const by = (app: TestApp, token: string) =>
      app.http.post('/auth/refresh').set('Authorization', `Bearer ${token}`);
    try {
      const before = await start({ JWT_SECRET_KEY: first });
      const { email, token: old } = await before.person('viewer');

      const during = await start({ JWT_SECRET_KEY: second, JWT_SECRET_KEY_PREVIOUS: first });
      const refreshed = await by(during, old);
      expect(refreshed.status).toBe(200);
      expect((await by(before, refreshed.body.access_token)).status).toBe(401);
      const login = await during.http.post('/auth/login').send({ email, password: PASSWORD });

      const after = await start({ JWT_SECRET_KEY: second });
      expect((await by(after, old)).status).toBe(401);
      expect((await by(after, refreshed.body.access_token)).status).toBe(200);
      expect((await by(after, login.body.access_token)).status).toBe(200);

      const much = await start({ JWT_SECRET_KEY: third, JWT_SECRET_KEY_PREVIOUS: second });
      expect((await by(much, old)).status).toBe(401);
      expect((await by(much, login.body.access_token)).status).toBe(200);
    } finally {
      for (const app of apps.reverse()) await app.close();
    }
  });
});
