import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ApiKeysChanged } from '../../src/api-keys/api-key.events.js';
import { ApiKeysRepository } from '../../src/api-keys/api-keys.repository.js';
import { DatabaseUnavailable } from '../../src/platform/database/faults.js';
import { Notifications } from '../../src/platform/database/notifications.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { startApp, type TestApp } from '../support/app.js';
import { eventually } from '../support/api.js';
import { serverKey, withKey, type MadeKey } from './support.js';

/** Instances that share a database: one that makes changes, one that hears of them, one that only asks. */
let writer: TestApp;
let listener: TestApp;
let asker: TestApp;
beforeAll(async () => {
  const shared = { JWT_SECRET_KEY: randomBytes(32).toString('hex'), REVISION_POLL_SECONDS: '300' };
  writer = await startApp(shared);
  const { database } = writer;
  listener = await startApp(shared, { database });
  asker = await startApp(shared, { database });
  await asker.app.get(Notifications, { strict: false }).onApplicationShutdown();
});
afterAll(async () => {
  await asker.close();
  await listener.close();
  await writer.close();
});

const statusAt = async (app: TestApp, key: MadeKey) =>
  (await app.http.get('/evaluate/x?environment_key=development').set(withKey(key))).status;

const revoke = async ({ id }: MadeKey) =>
  writer.http
    .delete(`/auth/api-keys/${id}`)
    .set(await writer.bearer('admin'))
    .expect(204);

/** How long an instance goes on accepting a key. */
async function msUntilRefused(app: TestApp, key: MadeKey): Promise<number> {
  const start = performance.now();
  for (;;) {
    const status = await statusAt(app, key);
    const passed = performance.now() - start;
    if (status === 401 || passed > 10_000) return passed;
    await sleep(20);
  }
}

it('T13: a new key works on every instance, and a revoked one on none, whether they hear of it or ask', async () => {
  for (let round = 0; round < 3; round += 1) {
    const key = await serverKey(writer);
    expect(await statusAt(writer, key)).toBe(200);
    for (const app of [listener, asker]) await eventually(async () => (await statusAt(app, key)) === 200);
    await revoke(key);
    expect(await statusAt(writer, key)).toBe(401);
    const [heard, asked] = await Promise.all([msUntilRefused(listener, key), msUntilRefused(asker, key)]);
    // Promised within a second; a machine that is busy with other tests gets more.
    expect(heard).toBeLessThan(5_000);
    expect(asked).toBeLessThan(5_000);
  }
});

it('a changed limit or name is known everywhere, too', async () => {
  const key = await serverKey(writer, { rate_limit_per_minute: 0 });
  await writer.http
    .patch(`/auth/api-keys/${key.id}`)
    .set(await writer.bearer('admin'))
    .send({ rate_limit_per_minute: 500 })
    .expect(200);
  const limitAt = async (app: TestApp) =>
    (await app.http.get('/evaluate/x?environment_key=development').set(withKey(key))).headers[
      'x-ratelimit-limit'
    ];
  for (const app of [writer, listener, asker]) await eventually(async () => (await limitAt(app)) === '500');
});

it('keys that are known go on working while the database does not answer', async () => {
  const key = await serverKey(writer);
  const repository = asker.app.get(ApiKeysRepository, { strict: false });
  await eventually(async () => (await statusAt(asker, key)) === 200);
  const away = () => Promise.reject(new DatabaseUnavailable());
  const spies = [
    jest.spyOn(repository, 'revision').mockImplementation(away),
    jest.spyOn(repository, 'known').mockImplementation(away),
  ] as const;
  await eventually(() => spies[0].mock.calls.length >= 2);
  expect(await statusAt(asker, key)).toBe(200);
  for (const spy of spies) spy.mockRestore();
  await revoke(key);
  await eventually(async () => (await statusAt(asker, key)) === 401);
});

it('a burst of changes is read once, and none of them is missed', async () => {
  const key = await serverKey(writer);
  await eventually(async () => (await statusAt(listener, key)) === 200);
  const repository = listener.app.get(ApiKeysRepository, { strict: false });
  const bus = listener.app.get(EventBus, { strict: false });
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (go = resolve));
  const known = repository.known.bind(repository);
  const spy = jest.spyOn(repository, 'known').mockImplementation(async () => {
    const before = await known();
    await held;
    return before;
  });
  try {
    // One is being read, without what comes now.
    const first = bus.publish(new ApiKeysChanged());
    await eventually(() => spy.mock.calls.length === 1);
    const revoked = revoke(key);
    const burst = Array.from({ length: 50 }, () => bus.publish(new ApiKeysChanged()));
    await revoked;
    const last = bus.publish(new ApiKeysChanged());
    expect(await statusAt(listener, key)).toBe(200);
    go();
    await Promise.all([first, ...burst, last]);
    expect(await statusAt(listener, key)).toBe(401);
    // Those that waited, and whoever heard of it after that had begun.
    expect(spy.mock.calls.length).toBeLessThanOrEqual(4);
  } finally {
    go();
    spy.mockRestore();
  }
});
