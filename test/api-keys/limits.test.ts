import { afterEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { RedisConnection } from '../../src/platform/cache/redis-connection.js';
import { startApp, type TestApp } from '../support/app.js';
import { eventually } from '../support/api.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';
import { clientKey, serverKey, withKey } from './support.js';

const LIMIT = 20;
const PATH = '/evaluate/x?environment_key=development';

const apps: TestApp[] = [];
const servers: RedisServer[] = [];
afterEach(async () => {
  for (const app of apps.splice(0).reverse()) await app.close();
  for (const server of servers.splice(0)) await server.close();
});

async function start(env: Record<string, string>, options = {}): Promise<TestApp> {
  const app = await startApp({ REDIS_URL: '', ...env }, options);
  apps.push(app);
  return app;
}

/** @returns how many of so many were let through */
async function passing(app: TestApp, times: number, headers: () => Record<string, string>): Promise<number> {
  let passed = 0;
  for (let n = 0; n < times; n += 1) {
    const { status } = await app.http.get(PATH).set(headers());
    expect([200, 429]).toContain(status);
    if (status === 200) passed += 1;
  }
  return passed;
}

describe('on one instance', () => {
  it('a key has its own limit, and is told what is left of it', async () => {
    const vexil = await start({});
    const key = await serverKey(vexil, { rate_limit_per_minute: LIMIT });
    for (let left = LIMIT - 1; left >= 0; left -= 1) {
      const { status, headers } = await vexil.http.get(PATH).set(withKey(key));
      expect([status, headers['x-ratelimit-limit'], headers['x-ratelimit-remaining']]).toEqual([
        200,
        String(LIMIT),
        String(left),
      ]);
      expect(Number(headers['x-ratelimit-reset'])).toBeGreaterThan(0);
    }
    const { status, headers, body } = await vexil.http.get(PATH).set(withKey(key));
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(headers['retry-after']).toMatch(/^[1-9]\d?$/);
    expect(headers['x-ratelimit-remaining']).toBe('0');
    expect(headers['x-ratelimit-reset']).toBe(headers['retry-after']);
    // Of this key alone.
    expect((await vexil.http.get(PATH)).status).toBe(200);
    const free = await serverKey(vexil, { rate_limit_per_minute: 0 });
    expect((await vexil.http.get(PATH).set(withKey(free))).headers['x-ratelimit-limit']).toBeUndefined();
    expect(await passing(vexil, LIMIT + 10, () => withKey(free))).toBe(LIMIT + 10);
  });

  it('T11: a network without a key is limited, whatever it says of where it comes from', async () => {
    const vexil = await start({ RATE_LIMIT_PER_MINUTE: String(LIMIT) });
    let n = 0;
    const forged = () => {
      n += 1;
      const address = `203.0.113.${n}`;
      return {
        'X-Forwarded-For': address,
        Forwarded: `for=${address}`,
        'X-Real-IP': address,
        'X-Client-IP': address,
        'CF-Connecting-IP': address,
        'True-Client-IP': address,
      };
    };
    expect(await passing(vexil, LIMIT + 15, forged)).toBe(LIMIT);
    // Guessing keys, tokens and pages that ask for one are counted with it.
    for (const headers of [
      withKey({ secret: newSecret('server').secret }),
      { Authorization: 'Bearer a.b.c' },
      { Authorization: 'Bearer a.b.c', 'X-API-Key': 'x' },
    ])
      expect((await vexil.http.get('/flags').set(headers)).status).toBe(429);
    for (const path of ['/health/live', '/health/ready', '/metrics', '/'])
      expect((await vexil.http.get(path)).status).toBe(200);
  });

  it('T11: behind a proxy that is believed, each client is counted for itself', async () => {
    const vexil = await start({ RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' });
    const from = (address: string) => () => ({ 'X-Forwarded-For': address });
    expect(await passing(vexil, LIMIT + 5, from('203.0.113.1'))).toBe(LIMIT);
    expect(await passing(vexil, 5, from('203.0.113.2'))).toBe(5);
    // What the client itself put in front of what the proxy adds is not believed.
    expect(await passing(vexil, 3, from('198.51.100.7, 203.0.113.1'))).toBe(0);
  });

  it('T11: a proxy that tells the port, too, does not make a client of each connection', async () => {
    const vexil = await start({ RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '1' });
    let port = 40_000;
    const from = (before: string, after: string) => () => ({
      'X-Forwarded-For': `${before}${(port += 1)}${after}`,
    });
    expect(await passing(vexil, LIMIT + 5, from('203.0.113.1:', ''))).toBe(LIMIT);
    expect(await passing(vexil, 3, from('198.51.100.7, 203.0.113.1:', ''))).toBe(0);
    expect(await passing(vexil, LIMIT + 5, from('[2001:db8::1]:', ''))).toBe(LIMIT);
    // The application counts with the door.
    for (const headers of [from('203.0.113.1:', '')(), { 'X-Forwarded-For': '2001:db8::2' }])
      expect((await vexil.http.get('/flags').set(headers)).status).toBe(429);
    expect(await passing(vexil, 3, from('203.0.113.2:', ''))).toBe(3);
  });

  it('T11: what is no address makes nobody another client', async () => {
    const vexil = await start({ RATE_LIMIT_PER_MINUTE: String(LIMIT), TRUST_PROXY: '2' });
    let n = 0;
    const WORDS = ['x', 'unknown', '_hidden', '203.0.113', '203.0.113.256', '[203.0.113.1]:', '[::1', '::g'];
    const forged = () => {
      n += 1;
      return { 'X-Forwarded-For': `${WORDS[n % WORDS.length] ?? ''}${n % 7}n, 203.0.113.1` };
    };
    expect(await passing(vexil, LIMIT + 10, forged)).toBe(LIMIT);
    expect((await vexil.http.get('/flags').set(forged())).status).toBe(429);
  });

  it('a client key is counted for each network that brings it, and a server key for all', async () => {
    const vexil = await start({ TRUST_PROXY: '1' });
    const limit = { rate_limit_per_minute: LIMIT };
    const [page, program] = [await clientKey(vexil, limit), await serverKey(vexil, limit)];
    const from = (address: string, key: { secret: string }) => () => ({
      ...withKey(key),
      'X-Forwarded-For': address,
    });
    expect(await passing(vexil, LIMIT + 3, from('203.0.113.1', page))).toBe(LIMIT);
    expect(await passing(vexil, 5, from('203.0.113.2', page))).toBe(5);
    expect(await passing(vexil, 3, from('198.51.100.7, 203.0.113.1', page))).toBe(0);
    // One customer has a /64 to itself.
    expect(await passing(vexil, LIMIT, from('2001:db8::1', page))).toBe(LIMIT);
    expect(await passing(vexil, 3, from('2001:db8::2', page))).toBe(0);
    expect(await passing(vexil, LIMIT, from('203.0.113.1', program))).toBe(LIMIT);
    expect(await passing(vexil, 3, from('203.0.113.2', program))).toBe(0);
  });

  it('many at the same time do not slip through', async () => {
    const vexil = await start({ RATE_LIMIT_PER_MINUTE: String(LIMIT) });
    const answers = await Promise.all(Array.from({ length: 4 * LIMIT }, () => vexil.http.get(PATH)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(LIMIT);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3 * LIMIT);
  });
});

describeWithRedis('over instances that share a Redis', () => {
  let redis: RedisServer;
  let one: TestApp;
  let two: TestApp;

  async function startTwo(): Promise<void> {
    redis = await RedisServer.running();
    servers.push(redis);
    const env = { REDIS_URL: redis.url, JWT_SECRET_KEY: randomBytes(32).toString('hex') };
    one = await start(env);
    two = await start(env, { database: one.database });
    for (const app of [one, two])
      await eventually(() => app.app.get<RedisConnection>(RedisConnection, { strict: false }).isUp);
  }

  it('they count together', async () => {
    await startTwo();
    const key = await serverKey(one, { rate_limit_per_minute: 1000 });
    const ask = (app: TestApp) => app.http.get(PATH).set(withKey(key));
    await passing(one, 100, () => withKey(key));
    await eventually(async () => (await ask(two)).status === 200);
    let own = 1;
    await eventually(async () => {
      own += 1;
      return Number((await ask(two)).headers['x-ratelimit-remaining']) <= 1000 - 100 - own;
    });
    // It heard of the other, and did not get there by itself.
    expect(own).toBeLessThan(100);
    await one.http
      .patch(`/auth/api-keys/${key.id}`)
      .set(await one.bearer('admin'))
      .send({ rate_limit_per_minute: 50 })
      .expect(200);
    for (const app of [one, two]) await eventually(async () => (await ask(app)).status === 429);
  });

  it.each(['killed', 'frozen'] as const)('R2: with Redis %s the limit holds', async (fault) => {
    await startTwo();
    const key = await serverKey(one, { rate_limit_per_minute: LIMIT });
    await one.http.get(PATH).set(withKey(key)).expect(200);
    if (fault === 'killed') await redis.kill();
    else redis.freeze();
    try {
      expect(await passing(one, 2 * LIMIT, () => withKey(key))).toBe(LIMIT - 1);
    } finally {
      if (fault === 'frozen') redis.thaw();
    }
  });

  it('what each counted while Redis was away is added up when it is back', async () => {
    await startTwo();
    const key = await serverKey(one, { rate_limit_per_minute: 1000 });
    await redis.kill();
    await eventually(() => !one.app.get<RedisConnection>(RedisConnection, { strict: false }).isUp);
    await passing(one, 100, () => withKey(key));
    await redis.start();
    for (const app of [one, two])
      await eventually(() => app.app.get<RedisConnection>(RedisConnection, { strict: false }).isUp);
    const left = async (app: TestApp) =>
      Number((await app.http.get(PATH).set(withKey(key))).headers['x-ratelimit-remaining']);
    let asked = 0;
    await eventually(async () => {
      asked += 2;
      await left(one);
      // The other may not have heard of the last few yet.
      return (await left(two)) < 1000 - 50 - asked;
    });
  });
});
