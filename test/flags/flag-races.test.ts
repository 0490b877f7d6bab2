import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, flagPath, PATIENT } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

// Postgres takes all of them; the embedded database works for one at a time.
const [EDITORS, EDITS] = process.env['DATABASE_URL'] ? [40, 10] : [12, 4];

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
});
afterAll(async () => {
  // A deadlock would have been answered with 503, or lost among the answers that are right.
  const [row] = await vexil.query<{ deadlocks: string }>(
    'SELECT coalesce(sum(deadlocks), 0) AS deadlocks FROM pg_stat_database WHERE datname = current_database()',
  );
  await vexil.close();
  expect(Number(row?.deadlocks)).toBe(0);
});

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

it(`loses none of the edits of ${EDITORS} editors who each look, change and try again`, async () => {
  await api.newFlag({ key: 'edited', description: '0' });
  const revision = await api.revision();
  let conflicts = 0;
  await Promise.all(
    times(EDITORS).map(async () => {
      for (let done = 0, tries = 0; done < EDITS; tries += 1) {
        const { version, description } = await api.flag('edited');
        const answer = await api.put(
          flagPath('edited'),
          { description: String(Number(description) + 1) },
          { 'If-Match': `"${String(version)}"` },
        );
        expect([200, 412]).toContain(answer.status);
        if (answer.status === 200) {
          done += 1;
          tries = 0;
        } else {
          conflicts += 1;
          // People look before they try again.
          await sleep(Math.random() * 200 * 2 ** Math.min(tries, 4));
        }
      }
    }),
  );
  expect(conflicts).toBeGreaterThan(0);
  expect(await api.flag('edited')).toMatchObject({
    version: 1 + EDITORS * EDITS,
    description: String(EDITORS * EDITS),
  });
  expect(await api.revision()).toBe(revision + EDITORS * EDITS);
  const [row] = await vexil.query<{ count: string }>(
    `SELECT count(*) AS count FROM audit_entries WHERE entity_key = 'edited' AND action = 'updated'`,
  );
  expect(Number(row?.count)).toBe(EDITORS * EDITS);
}, 240_000);

it('loses nothing of writers who change different fields at once', async () => {
  await api.newFlag({ key: 'fields' });
  const changes = times(20).flatMap((index) => [
    { is_enabled: index % 2 === 0 },
    { rollout_percentage: index },
    { description: `d${index}` },
    { owner: `o${index}` },
    { tags: [`t${index}`] },
  ]);
  for (const five of times(20).map((index) => changes.slice(index * 5, index * 5 + 5))) {
    const answers = await Promise.all(five.map((change) => api.put(flagPath('fields'), change)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(await api.flag('fields')).toMatchObject(Object.assign({}, ...five));
  }
  const { version } = await api.flag('fields');
  expect(await api.history('fields')).toHaveLength(version as number);
}, 60_000);

it('lets one of many makers of the same flag win, and tells the others', async () => {
  const answers = await Promise.all(
    times(12).map((index) =>
      api.post('/flags', { key: 'raced', name: `n${index}`, environment_key: 'development' }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, ...times(11).map(() => 409)]);
  expect(await api.history('raced')).toHaveLength(1);
});

it('lets makers of one flag in different environments share its definition', async () => {
  const answers = await Promise.all(
    ['development', 'staging', 'production', 'development', 'staging', 'production'].map((environment_key) =>
      api.post('/flags', { key: 'shared', name: 'Shared', environment_key }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409]);
  const views = await Promise.all(
    ['development', 'staging', 'production'].map((environment) => api.flag('shared', environment)),
  );
  expect(new Set(views.map(({ id }) => id)).size).toBe(1);
});

it('lets the first of many makers in different environments say what the flag is', async () => {
  const environments = ['development', 'staging', 'production'];
  const answers = await Promise.all(
    environments.map((environment_key) =>
      api.post('/flags', { key: 'contended', name: environment_key, environment_key }),
    ),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  const { body } = await api.get('/flags?q=contended');
  expect(body).toEqual([expect.objectContaining({ name: body[0].environment_key, version: 1 })]);
});

it('takes changes of one definition from two environments one after the other', async () => {
  await api.newFlag({ key: 'both', name: 'Both' });
  await api.newFlag({ key: 'both', name: 'Both', environment_key: 'staging' });
  const answers = await Promise.all(
    times(30).map((index) =>
      api.put(flagPath('both', index % 2 === 0 ? 'development' : 'staging'), {
        name: `Name ${index}`,
        is_enabled: index % 3 === 0,
      }),
    ),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  const [here, there] = [await api.flag('both'), await api.flag('both', 'staging')];
  expect([here['version'], there['version'], here['name']]).toEqual([31, 31, there['name']]);
});

it('survives writers and deleters of the same flags in all environments at once', async () => {
  const environments = ['development', 'staging', 'production'];
  const keys = times(6).map((index) => `melee-${index}`);
  const statuses = new Map<number, number>();
  const count = async (answer: Promise<{ status: number }>) => {
    const { status } = await answer;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  await Promise.all(
    times(15).flatMap((round) =>
      keys.flatMap((key, index) => {
        const environment = environments[(round + index) % 3]!;
        return [
          count(api.post('/flags', { key, name: `n${round % 2}`, environment_key: environment })),
          count(api.put(flagPath(key, environment), { name: `m${round}`, is_enabled: true })),
          count(api.put(flagPath(key, environment), { rollout_percentage: round })),
          count(api.delete(flagPath(key, environment))),
        ];
      }),
    ),
  );
  expect([...statuses.keys()].filter((status) => ![200, 201, 204, 404, 409].includes(status))).toEqual([]);
  expect(
    await vexil.query(
      'SELECT key FROM flags f WHERE NOT EXISTS (SELECT 1 FROM flag_settings WHERE flag_id = f.id)',
    ),
  ).toEqual([]);
  expect((await api.get('/audit/verify')).body).toMatchObject({ valid: true, first_broken: null });
}, 120_000);

it('survives the deletion of whole environments while their flags are deleted one by one elsewhere', async () => {
  for (let round = 0; round < 4; round += 1) {
    const names = ['east', 'west'];
    for (const key of names) await api.post('/environments', { key, name: key });
    for (const key of names) await api.post('/segments', { key: 'all', name: 'All', environment_key: key });
    const keys = times(8).map((index) => `wide-${round}-${index}`);
    for (const key of keys)
      for (const environment_key of [...names, 'staging']) await api.newFlag({ key, environment_key });
    const answers = await Promise.all([
      ...names.map((key) => api.delete(`/environments/${key}?force=true`)),
      ...[...keys].reverse().map((key) => api.delete(flagPath(key, 'staging'))),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 204));
    expect(await vexil.query(`SELECT key FROM flags WHERE key LIKE 'wide-%'`)).toEqual([]);
  }
}, 120_000);
