import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, flagPath } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
let made = 0;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const newKey = () => `edit-${(made += 1)}`;

it('gives every answer about a flag its version as ETag, from the cache too', async () => {
  const key = newKey();
  await api.newFlag({ key });
  const changed = await api.put(flagPath(key), { is_enabled: true });
  expect([changed.headers['etag'], changed.body.version]).toEqual(['"2"', 2]);
  const [first, second] = [await api.get(flagPath(key)), await api.get(flagPath(key))];
  expect([first.headers['x-cache'], second.headers['x-cache']]).toEqual(['MISS', 'HIT']);
  expect([first.headers['etag'], second.headers['etag']]).toEqual(['"2"', '"2"']);
  expect(second.body).toEqual(first.body);
});

it('answers the whole to a reader who has the same version of a flag that was made anew', async () => {
  const key = newKey();
  await api.newFlag({ key, name: 'First' });
  await api.delete(flagPath(key));
  await api.newFlag({ key, name: 'Second' });
  for (let round = 0; round < 2; round += 1) {
    const answer = await api.get(flagPath(key), { 'If-None-Match': '"1"' });
    expect([answer.status, answer.body.name, answer.headers['etag']]).toEqual([200, 'Second', '"1"']);
  }
});

it.each([
  ['"1"', 412],
  ['"2"', 200],
  ['W/"2"', 200],
  ['2', 200],
  ['"1", "2"', 200],
  ['*', 200],
  ['"3"', 412],
  ['"abc"', 400],
  ['', 400],
  ['"99999999999999999999"', 400],
])('takes If-Match %s at version 2 as %i', async (header, status) => {
  const key = newKey();
  await api.newFlag({ key });
  await api.change(key, { is_enabled: true });
  const answer = await api.put(flagPath(key), { name: 'Changed' }, { 'If-Match': header });
  expect(answer.status).toBe(status);
  expect(await api.flag(key)).toMatchObject({ version: status === 200 ? 3 : 2 });
});

it('tells a stale editor at which version the flag is, and changes nothing', async () => {
  const key = newKey();
  await api.newFlag({ key });
  await api.change(key, { is_enabled: true });
  const [flag, revision] = [await api.flag(key), await api.revision()];
  const stale = await api.put(flagPath(key), { name: 'Late' }, { 'If-Match': '"1"' });
  expect([stale.status, stale.body.code]).toEqual([412, 'stale_version']);
  expect(stale.body.detail).toBe(
    `Flag '${key}' in 'development' has changed since you read it: it is at version 2 now. Read it again and repeat your change.`,
  );
  expect([await api.flag(key), await api.revision()]).toEqual([flag, revision]);
});

it('makes a copy stale also when the definition was changed from another environment', async () => {
  const key = newKey();
  await api.newFlag({ key });
  await api.newFlag({ key, environment_key: 'staging' });
  await api.change(key, { name: 'From staging' }, 'staging');
  expect((await api.put(flagPath(key), { is_enabled: true }, { 'If-Match': '"1"' })).status).toBe(412);
});

it('changes only the fields that a writer names when there is no If-Match', async () => {
  const key = newKey();
  await api.newFlag({ key, description: 'd', owner: 'o', tags: ['t'] });
  await Promise.all([
    api.change(key, { is_enabled: true }),
    api.change(key, { rollout_percentage: 25 }),
    api.change(key, { name: 'New name' }),
    api.change(key, { owner: null }),
    api.change(key, { tags: ['u'] }),
  ]);
  expect(await api.flag(key)).toMatchObject({
    is_enabled: true,
    rollout_percentage: 25,
    name: 'New name',
    owner: null,
    tags: ['u'],
    description: 'd',
    version: 6,
  });
});

it('moves no other environment on when a form sends the definition along unchanged', async () => {
  const key = newKey();
  const flag = await api.newFlag({ key });
  await api.newFlag({ key, environment_key: 'staging' });
  const [staging, production] = [await api.revision('staging'), await api.revision('production')];
  const { name, description, tags, owner, variants } = flag;
  await api.change(key, { name, description, tags, owner, variants, is_enabled: true });
  expect([await api.revision('staging'), await api.revision('production')]).toEqual([staging, production]);
  expect((await api.history(key))[0]).toMatchObject({ revisions: { development: expect.any(Number) } });
  expect(Object.keys((await api.history(key))[0]!['revisions'] as object)).toEqual(['development']);
});

it('evaluates a change before its writer hears of it', async () => {
  const key = newKey();
  await api.newFlag({ key });
  for (let round = 0; round < 20; round += 1) {
    const { version } = await api.change(key, { is_enabled: round % 2 === 0 });
    expect(await api.evaluate(key)).toMatchObject({ enabled: round % 2 === 0, flag_version: version });
  }
});

it('shows a serve that it cannot read as null, leaves it as it is, and lets an editor mend it', async () => {
  const key = newKey();
  await api.newFlag({ key, is_enabled: true });
  const future = { rollout: { hash_version: 'next' } };
  await vexil.query(
    `UPDATE flag_settings SET default_serve = $1 FROM flags f WHERE flag_id = f.id AND f.key = $2`,
    [future, key],
  );
  const stored = async () => {
    const rows = await vexil.query<{ default_serve: unknown }>(
      'SELECT default_serve FROM flag_settings s JOIN flags f ON f.id = s.flag_id WHERE f.key = $1',
      [key],
    );
    return rows[0]!.default_serve;
  };
  await api.change(key, { name: 'Seen', is_enabled: false });
  expect(await api.flag(key)).toMatchObject({
    name: 'Seen',
    default_serve: null,
    unreadable: ['default_serve'],
  });
  await api.change(key, { default_serve: null, flag_type: 'multivariate', rollout_percentage: null });
  expect(await stored()).toEqual(future);
  await api.change(key, { is_enabled: true });
  expect(await api.evaluate(key, 'alice')).toMatchObject({ reason_code: 'ERROR', error_code: 'PARSE_ERROR' });

  await api.change(key, { default_serve: { variant: 'off' } });
  expect(await stored()).toEqual({ variant: 'off' });
  expect((await api.history(key))[0]).toMatchObject({
    changes: {
      flag_type: { old: null, new: 'multivariate' },
      default_serve: { old: null, new: { variant: 'off' } },
    },
  });
  expect(await api.evaluate(key, 'alice')).toMatchObject({ variant: 'off', reason_code: 'STATIC' });
});
