import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Api, type Json, PATIENT } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
  // Two entries for the admin, and eight of these.
  for (let index = 0; index < 8; index += 1) await api.newFlag({ key: `f${index}` });
  await vexil.query('CREATE TABLE saved_entries AS TABLE audit_entries');
  await vexil.query('CREATE TABLE saved_chain AS TABLE audit_chain');
});
afterAll(() => vexil.close());

const verdict = async (): Promise<Json> => (await api.get('/audit/verify')).body;
const freely = async (...statements: string[]): Promise<void> => {
  for (const sql of [
    'ALTER TABLE audit_entries DISABLE TRIGGER USER',
    ...statements,
    'ALTER TABLE audit_entries ENABLE TRIGGER USER',
  ]) {
    await vexil.query(sql);
  }
};
afterEach(() =>
  freely(
    'DELETE FROM audit_entries',
    'INSERT INTO audit_entries SELECT * FROM saved_entries',
    'UPDATE audit_chain SET position = s.position, hash = s.hash FROM saved_chain s',
  ),
);

it('finds a chain whole, also while it grows', async () => {
  expect(await verdict()).toEqual({
    valid: true,
    checked: 10,
    head: { position: 10, hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
    first_broken: null,
  });
  const growing = Promise.all(Array.from({ length: 40 }, (_, index) => api.newFlag({ key: `g${index}` })));
  for (let round = 0; round < 10; round += 1) expect(await verdict()).toMatchObject({ valid: true });
  await growing;
  expect(await verdict()).toMatchObject({ valid: true, checked: 50 });
});

it.each([
  `UPDATE audit_entries SET actor_name = 'nobody' WHERE position = 5`,
  'DELETE FROM audit_entries WHERE position = 5',
  'DELETE FROM audit_entries',
  'TRUNCATE audit_entries',
])('refuses %s', async (sql) => {
  await expect(vexil.query(sql)).rejects.toThrow('audit entries are never changed or removed');
  expect(await verdict()).toMatchObject({ valid: true, checked: 10 });
});

it.each<[string, string[], number]>([
  ['another actor', [`UPDATE audit_entries SET actor_name = 'nobody' WHERE position = 5`], 5],
  [
    'another value',
    [`UPDATE audit_entries SET after = jsonb_set(after, '{name}', '"x"') WHERE position = 7`],
    7,
  ],
  [
    'another moment',
    [`UPDATE audit_entries SET created_at = created_at - interval '1 second' WHERE position = 3`],
    3,
  ],
  ['a reason put in', [`UPDATE audit_entries SET reason = 'allowed' WHERE position = 1`], 1],
  ['another revision', [`UPDATE audit_entries SET revision = 99 WHERE position = 10`], 10],
  ['two edits', [`UPDATE audit_entries SET reason = 'a' WHERE position IN (4, 8)`], 4],
  ['another hash', [`UPDATE audit_entries SET hash = repeat('0', 64) WHERE position = 6`], 6],
  ['the middle gone', ['DELETE FROM audit_entries WHERE position = 5'], 6],
  [
    'the middle gone and closed up',
    [
      'DELETE FROM audit_entries WHERE position = 5',
      ...[6, 7, 8, 9, 10].map(
        (position) => `UPDATE audit_entries SET position = ${position - 1} WHERE position = ${position}`,
      ),
    ],
    5,
  ],
  ['the first gone', ['DELETE FROM audit_entries WHERE position = 1'], 2],
  ['the tail gone', ['DELETE FROM audit_entries WHERE position > 8'], 9],
  ['all gone', ['DELETE FROM audit_entries'], 1],
  [
    'the tail and the count gone',
    ['DELETE FROM audit_entries WHERE position > 8', 'UPDATE audit_chain SET position = 8'],
    8,
  ],
  [
    'two in another order',
    [
      [4, 1004],
      [5, 4],
      [1004, 5],
    ].map(([from, to]) => `UPDATE audit_entries SET position = ${to} WHERE position = ${from}`),
    4,
  ],
  ...(
    [
      ['a copy put in at the end', 11, 11],
      ['a copy put in before the first', 0, 0],
      ['a copy put in far before', -5, -5],
      ['a copy put in far behind', 1000, 1000],
    ] as const
  ).map(([name, position, broken]): [string, string[], number] => [
    name,
    [
      `INSERT INTO audit_entries SELECT (e).* FROM (SELECT jsonb_populate_record(a, jsonb_build_object('position', ${position}, 'id', gen_random_uuid())) AS e FROM audit_entries a WHERE position = 10) x`,
    ],
    broken,
  ]),
])('names the first broken entry after %s', async (_, statements, position) => {
  await freely(...statements);
  expect(await verdict()).toMatchObject({
    valid: false,
    first_broken: { position, problem: expect.any(String) },
  });
});

it('does not take an entry in that fits the last one but that the chain does not know', async () => {
  const { sealOf } = await import('../../src/audit/audit-chain.js');
  const { AuditEntryEntity } = await import('../../src/audit/audit-entry.entity.js');
  const { Database } = await import('../../src/platform/database/database.js');
  const { manager } = vexil.app.get(Database);
  const last = await manager.findOneByOrFail(AuditEntryEntity, { position: 10 });
  const { hash, ...content } = last;
  const id = '7b0c8a52-0000-4000-8000-000000000000';
  const sealed = { ...content, position: 11, id, previousHash: hash };
  await manager.insert(AuditEntryEntity, { ...sealed, hash: sealOf(sealed) } as object);
  expect(await verdict()).toMatchObject({ valid: false, first_broken: { position: 11 } });
});
