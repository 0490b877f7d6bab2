import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, eventually, flagPath, PATIENT } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { StreamConnection } from '../support/stream-client.js';

let vexil: TestApp;
let api: Api;
const open: StreamConnection[] = [];
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
});
afterEach(() => {
  for (const each of open.splice(0)) each.cut();
});
afterAll(() => vexil.close());

async function follow(lastEventId?: string): Promise<StreamConnection> {
  const { token } = await vexil.as('viewer');
  const stream = await StreamConnection.open(vexil.url, { path: '/activity', token, lastEventId });
  open.push(stream);
  await eventually(() => stream.events.length > 0 || lastEventId !== undefined);
  return stream;
}

const changes = (stream: StreamConnection) => stream.events.filter(({ name }) => name === 'change');
const toggle = async (key: string, isEnabled: boolean): Promise<void> => {
  const { status } = await api.put(flagPath(key, 'development'), { is_enabled: isEnabled });
  expect(status).toBe(200);
};

describe('the activity', () => {
  it('begins with where the audit log ends, and tells each change that follows, with who made it', async () => {
    await api.newFlag({ key: 'told', environment_key: 'development' });
    const stream = await follow();
    expect(stream.events[0]).toMatchObject({ name: 'message', data: { position: expect.any(Number) } });
    await toggle('told', true);
    await eventually(() => changes(stream).length === 1);
    expect(changes(stream)[0]?.data).toMatchObject({
      position: Number(stream.events[0]?.data.position) + 1,
      entity_type: 'flag',
      entity_key: 'told',
      action: 'updated',
      environment_key: 'development',
      actor: { type: 'user', name: expect.stringMatching(/^admin-/) },
    });
  });

  it('goes on after the last event of whoever was away, and tells each change once', async () => {
    await api.newFlag({ key: 'cut', environment_key: 'development' });
    const first = await follow();
    const seen: number[] = [];
    let last = first.events[0]?.id;
    first.cut();
    for (let round = 0; round < 20; round += 1) {
      await toggle('cut', round % 2 === 0);
      const stream = await follow(last);
      await eventually(() => changes(stream).length > 0);
      seen.push(...changes(stream).map(({ data }) => data.position as number));
      last = stream.events.at(-1)?.id;
      stream.cut();
    }
    expect(seen).toHaveLength(20);
    expect(seen.map((position) => position - (seen[0] ?? 0))).toEqual(seen.map((_, index) => index));
  });

  it.each(['nonsense', '1-000000000000', '999999-abcdefabcdef'])(
    'asks to read anew after an id it does not know: %s',
    async (id) => {
      await api.newFlag({ key: `anew-${id.slice(0, 3)}`, environment_key: 'development' });
      const stream = await follow(id);
      await eventually(() => stream.events.length === 2);
      expect(stream.events.map(({ name }) => name)).toEqual(['resync', 'message']);
    },
  );

  it('ends with the session', async () => {
    const person = await vexil.person('viewer');
    const stream = await StreamConnection.open(vexil.url, { path: '/activity', token: person.token });
    open.push(stream);
    const { status } = await api.put(`/auth/users/${person.id}/active`, { is_active: false });
    expect(status).toBe(200);
    await eventually(() => stream.isEnded);
    expect(stream.events.at(-1)).toMatchObject({ name: 'closed', data: { reason: 'access_ended' } });
  });
});
