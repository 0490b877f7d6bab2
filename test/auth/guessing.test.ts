import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomInt, randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import { PasswordHasher } from '../../src/auth/password-hasher.js';
import { UsersRepository } from '../../src/auth/users.repository.js';
import { DatabaseUnavailable } from '../../src/platform/database/faults.js';
import { PASSWORD, startApp, type Person, type TestApp } from '../support/app.js';

const LIMIT = 5;

/** A network that no other test comes from: counters in Redis outlive a test. */
const network = () => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

/** Redis for this file alone, and empty; its counters would otherwise know what other files did from 127.0.0.1. */
async function ownRedis(): Promise<Record<string, string>> {
  const server = process.env['REDIS_URL'];
  if (!server) return {};
  const url = `${server.replace(/\/\d*$/, '')}/${8 + (Number(process.env['JEST_WORKER_ID'] ?? '1') % 8)}`;
  const client = createClient({ url });
  await client.connect();
  await client.flushDb();
  await client.disconnect();
  return { REDIS_URL: url };
}

type Forwarded = string | undefined;
const logIn = (app: TestApp, email: string, password: string, from?: Forwarded) => {
  const request = app.http.post('/auth/login');
  if (from !== undefined) void request.set('X-Forwarded-For', from);
  return request.send({ email, password });
};
const guess = (app: TestApp, email: string, from?: Forwarded) =>
  logIn(app, email, `a guess ${randomUUID()}`, from);

async function useUp(app: TestApp, email: string, from?: Forwarded): Promise<void> {
  for (let n = 0; n < LIMIT; n += 1) expect((await guess(app, email, from)).status).toBe(401);
}

describe('behind one proxy that is trusted', () => {
  let vexil: TestApp;
  let victim: Person;
  beforeAll(async () => {
    vexil = await startApp({
      LOGIN_ATTEMPTS_PER_MINUTE: String(LIMIT),
      REGISTRATIONS_PER_HOUR: '3',
      TRUST_PROXY: '1',
      ...(await ownRedis()),
    });
    victim = await vexil.as('viewer');
  });
  afterAll(() => vexil.close());

  it('guessing is stopped, and one is told for how long', async () => {
    const from = network();
    await useUp(vexil, victim.email, from);
    const { status, headers, body } = await guess(vexil, victim.email, from);
    expect(status).toBe(429);
    expect(headers['retry-after']).toMatch(/^\d+$/);
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(headers).toMatchObject({
      'x-ratelimit-limit': String(LIMIT),
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': headers['retry-after'],
    });
    expect(body).toMatchObject({ status: 429, code: 'too_many_attempts' });
  });

  it('the right password does not help from there, but does from anywhere else', async () => {
    const from = network();
    await useUp(vexil, victim.email, from);
    expect((await logIn(vexil, victim.email, PASSWORD, from)).status).toBe(429);
    expect((await logIn(vexil, victim.email, PASSWORD, network())).status).toBe(200);
  });

  it('other accounts can still log in from there', async () => {
    const from = network();
    await useUp(vexil, victim.email, from);
    const other = await vexil.person('viewer');
    expect((await logIn(vexil, other.email, PASSWORD, from)).status).toBe(200);
  });

  it('an address that is written otherwise is the same account', async () => {
    const from = network();
    for (const email of [victim.email, victim.email.toUpperCase(), ` ${victim.email}`, `${victim.email} `])
      await guess(vexil, email, from).expect(401);
    await guess(vexil, `\t${victim.email.replace('v', 'V')}`, from).expect(401);
    expect((await guess(vexil, victim.email, from)).status).toBe(429);
  });

  it('an unknown address is limited just the same', async () => {
    const from = network();
    const nobody = `${randomUUID()}@example.com`;
    await useUp(vexil, nobody, from);
    expect((await guess(vexil, nobody, from)).status).toBe(429);
  });

  it('does not count logins that succeed', async () => {
    const from = network();
    for (let n = 0; n < LIMIT * 3; n += 1)
      expect((await logIn(vexil, victim.email, PASSWORD, from)).status).toBe(200);
  });

  it('a login that succeeds does not take back the failures before it', async () => {
    const from = network();
    for (let n = 0; n < LIMIT - 1; n += 1) await guess(vexil, victim.email, from).expect(401);
    await logIn(vexil, victim.email, PASSWORD, from).expect(200);
    await guess(vexil, victim.email, from).expect(401);
    expect((await guess(vexil, victim.email, from)).status).toBe(429);
  });

  it('does not count logins that nobody could have made', async () => {
    const from = network();
    const lost = jest
      .spyOn(vexil.app.get(UsersRepository, { strict: false }), 'findWithHash')
      .mockRejectedValue(new DatabaseUnavailable());
    try {
      for (let n = 0; n < LIMIT * 2; n += 1)
        expect((await logIn(vexil, victim.email, PASSWORD, from)).status).toBe(503);
    } finally {
      lost.mockRestore();
    }
    expect((await logIn(vexil, victim.email, PASSWORD, from)).status).toBe(200);
  });

  it('one account that is locked out locks nobody else out', async () => {
    const from = network();
    await useUp(vexil, victim.email, from);
    for (let n = 0; n < LIMIT * 10; n += 1)
      expect((await logIn(vexil, victim.email, PASSWORD, from)).status).toBe(429);
    const other = await vexil.person('viewer');
    expect((await logIn(vexil, other.email, PASSWORD, from)).status).toBe(200);
  });

  it('many guesses at the same time do not slip through', async () => {
    const from = network();
    const verify = jest.spyOn(vexil.app.get(PasswordHasher, { strict: false }), 'verify');
    try {
      const answers = await Promise.all(Array.from({ length: 30 }, () => guess(vexil, victim.email, from)));
      expect(verify.mock.calls.length).toBeLessThanOrEqual(LIMIT);
      const statuses = answers.map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(verify.mock.calls.length);
      expect(statuses.filter((status) => status === 429)).toHaveLength(30 - verify.mock.calls.length);
    } finally {
      verify.mockRestore();
    }
  });

  it('what a client puts before the proxy says is not believed', async () => {
    const from = network();
    for (let n = 0; n < LIMIT; n += 1)
      await guess(vexil, victim.email, `${network()}, ${network()}, ${from}`).expect(401);
    expect((await guess(vexil, victim.email, `${network()}, ${from}`)).status).toBe(429);
  });

  it('a whole /64 of IPv6 counts as one', async () => {
    const prefix = `2001:db8:${randomInt(0xffff).toString(16)}:${randomInt(0xffff).toString(16)}`;
    for (let n = 0; n < LIMIT; n += 1)
      await guess(vexil, victim.email, `${prefix}::${(n + 1).toString(16)}`).expect(401);
    expect((await guess(vexil, victim.email, `${prefix}:a:b:c:d`)).status).toBe(429);
    expect((await guess(vexil, victim.email, `::ffff:${network()}`)).status).toBe(401);
  });

  it('one network cannot go through all accounts', async () => {
    const from = network();
    const statuses: number[] = [];
    for (let n = 0; n < LIMIT * 10 + 5; n += 1)
      statuses.push((await guess(vexil, `${randomUUID()}@example.com`, from)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(LIMIT * 10);
    expect(statuses.slice(-5)).toEqual([429, 429, 429, 429, 429]);
    expect((await logIn(vexil, victim.email, PASSWORD, network())).status).toBe(200);
  });

  it('registering is limited by network, and so is guessing the setup token', async () => {
    const register = (from: string) =>
      vexil.http
        .post('/auth/register')
        .set('X-Forwarded-For', from)
        .send({ email: `${randomUUID()}@example.com`, password: PASSWORD, name: 'x' });
    const setUp = (from: string) =>
      vexil.http
        .post('/auth/setup')
        .set('X-Forwarded-For', from)
        .send({ email: `${randomUUID()}@example.com`, password: PASSWORD, name: 'x', token: 'x' });
    const from = network();
    for (let n = 0; n < 3; n += 1) expect((await register(from)).status).toBe(201);
    const { status, headers } = await register(from);
    expect(status).toBe(429);
    expect(Number(headers['retry-after'])).toBeGreaterThan(60);
    expect((await setUp(from)).status).toBe(429);
    expect((await register(network())).status).toBe(201);
    const another = network();
    for (let n = 0; n < 3; n += 1) expect((await setUp(another)).status).toBe(401);
    expect((await setUp(another)).status).toBe(429);
  });
});

describe('invitations', () => {
  let vexil: TestApp;
  beforeAll(async () => {
    vexil = await startApp({
      LOGIN_ATTEMPTS_PER_MINUTE: String(LIMIT),
      REGISTRATIONS_PER_HOUR: '3',
      TRUST_PROXY: '1',
      ...(await ownRedis()),
    });
  });
  afterAll(() => vexil.close());

  it('one that is open does not let a network find out who has an account', async () => {
    const { email } = await vexil.as('viewer');
    const admin = await vexil.bearer('admin');
    const { body: made } = await vexil.http.post('/auth/invites').set(admin).send({ role: 'viewer' });
    const accept = (from: string) =>
      vexil.http
        .post('/auth/invites/accept')
        .set('X-Forwarded-For', from)
        .send({ email, password: PASSWORD, name: 'x', token: made.token });
    const from = network();
    for (let n = 0; n < 3; n += 1) expect((await accept(from)).status).toBe(409);
    expect((await accept(from)).status).toBe(429);
    expect((await accept(network())).status).toBe(409);
  });

  it('guessing one is limited by network, also for who has a right one there', async () => {
    const admin = await vexil.bearer('admin');
    const { body: made } = await vexil.http.post('/auth/invites').set(admin).send({ role: 'viewer' });
    const look = (from: string, token: string) =>
      vexil.http.post('/auth/invites/look').set('X-Forwarded-For', from).send({ token });
    const accept = (from: string, token: string) =>
      vexil.http
        .post('/auth/invites/accept')
        .set('X-Forwarded-For', from)
        .send({ email: `${randomUUID()}@example.com`, password: PASSWORD, name: 'x', token });
    const from = network();
    const hash = jest.spyOn(vexil.app.get(PasswordHasher, { strict: false }), 'hash');
    try {
      // What is found is no guess.
      for (let n = 0; n < LIMIT * 2; n += 1) expect((await look(from, made.token)).status).toBe(200);
      const guesses = [look, accept, look, accept, look].map((ask) => ask(from, randomUUID()));
      for (const { status } of await Promise.all(guesses)) expect(status).toBe(404);
      for (const ask of [look, accept]) {
        const { status, body, headers } = await ask(from, made.token);
        expect([status, body.code]).toEqual([429, 'too_many_attempts']);
        expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
      }
      expect(hash).not.toHaveBeenCalled();
    } finally {
      hash.mockRestore();
    }
    const { email } = await vexil.as('viewer');
    expect((await logIn(vexil, email, PASSWORD, from)).status).toBe(200);
    expect((await accept(network(), made.token)).status).toBe(201);
  });
});

describe('without a proxy that is trusted', () => {
  let vexil: TestApp;
  beforeAll(async () => {
    vexil = await startApp({ LOGIN_ATTEMPTS_PER_MINUTE: String(LIMIT), ...(await ownRedis()) });
  });
  afterAll(() => vexil.close());

  it.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'X-Client-IP', 'CF-Connecting-IP', 'True-Client-IP'])(
    'another address in %s at each guess does not help',
    async (header) => {
      const { email } = await vexil.person('viewer');
      const forged = () =>
        vexil.http
          .post('/auth/login')
          .set(header, header === 'Forwarded' ? `for=${network()}` : network())
          .send({ email, password: 'a wrong password' });
      for (let n = 0; n < LIMIT; n += 1) expect((await forged()).status).toBe(401);
      expect((await forged()).status).toBe(429);
    },
  );
});
