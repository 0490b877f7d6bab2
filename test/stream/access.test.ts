/** How soon a stream ends for whoever may not have it any more: by what is told, and without it by what is asked. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { SessionWatch } from '../../src/auth/session-watch.js';
import { UsersRepository } from '../../src/auth/users.repository.js';
import { Notifications } from '../../src/platform/database/notifications.js';
import type { Repeating } from '../../src/platform/events/repeating.js';
import { StreamsService } from '../../src/stream/streams.service.js';
import { eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { StreamConnection } from '../support/stream-client.js';
import { serverKey, withKey } from '../api-keys/support.js';

/** One that makes changes, and one that hears of nothing. */
let writer: TestApp;
let asker: TestApp;
const open: StreamConnection[] = [];
beforeAll(async () => {
  const shared = { JWT_SECRET_KEY: randomBytes(32).toString('hex'), REVISION_POLL_SECONDS: '300' };
  writer = await startApp(shared);
  // It looks after its streams only when it is told to.
  const clocks = [
    writer.app.get<{ open: { ticking: Repeating } }>(StreamsService, { strict: false }).open.ticking,
    writer.app.get<{ repeating: Repeating }>(SessionWatch, { strict: false }).repeating,
  ];
  for (const clock of clocks) clock.stop();
  asker = await startApp(shared, { database: writer.database });
  await asker.app.get(Notifications, { strict: false }).onApplicationShutdown();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.cut();
});
afterAll(async () => {
  await asker.close();
  await writer.close();
});

async function follow({ url }: TestApp, token: string): Promise<StreamConnection> {
  const stream = await StreamConnection.open(url, { token });
  open.push(stream);
  expect(stream.status).toBe(200);
  await stream.until(1);
  return stream;
}

const admin = () => writer.bearer('admin');
const endings = [
  [
    'a revoked key',
    false,
    async () => {
      const { id, secret } = await serverKey(writer);
      await eventually(
        async () =>
          (await asker.http.get('/ruleset?environment_key=development').set(withKey({ secret }))).status ===
          200,
      );
      return {
        token: secret,
        end: async () =>
          writer.http
            .delete(`/auth/api-keys/${id}`)
            .set(await admin())
            .expect(204),
      };
    },
  ],
  [
    'a disabled account',
    true,
    async () => {
      const { id, token } = await writer.person('viewer');
      return {
        token,
        end: async () =>
          writer.http
            .put(`/auth/users/${id}/active`)
            .set(await admin())
            .send({ is_active: false })
            .expect(200),
      };
    },
  ],
] as const;

describe.each(endings)('the streams of %s', (_, isPerson, make) => {
  it('end where it happens without waiting for a clock', async () => {
    const { token, end } = await make();
    const stream = await follow(writer, token);
    await end();
    await eventually(() => stream.isEnded, 10_000);
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
  });

  it('end on an instance that is not told, whatever REVISION_POLL_SECONDS is', async () => {
    const { token, end } = await make();
    const looks = jest.spyOn(asker.app.get(UsersRepository, { strict: false }), 'findAll');
    const stream = await follow(asker, token);
    // Whoever comes in is looked after once more: what happens after that is meant.
    if (isPerson) await eventually(() => looks.mock.calls.length > 0);
    looks.mockRestore();
    await end();
    await eventually(() => stream.isEnded, 20_000);
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
  }, 30_000);
});

it('a key that expires ends its streams', async () => {
  const { secret } = await serverKey(asker, { expires_at: new Date(Date.now() + 6_000).toISOString() });
  const stream = await follow(asker, secret);
  await eventually(() => stream.isEnded, 30_000);
  expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
}, 40_000);
