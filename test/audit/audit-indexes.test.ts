import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { SelectQueryBuilder } from 'typeorm';
import { Api, PATIENT } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
  // Many changes: most in production, every thousandth in another environment, and some in both.
  await vexil.query(`
    INSERT INTO audit_entries (position, id, created_at, entity_type, entity_id, entity_key, action, actor_type,
      actor_id, actor_name, environment_key, revision, revisions, changes, previous_hash, hash)
    SELECT 1000 + n, gen_random_uuid(), now(), 'flag', 'f' || n, 'flag-' || n, 'updated', 'user',
      'person-' || n % 500, 'somebody', CASE WHEN n % 2000 = 0 THEN NULL WHEN n % 1000 = 0 THEN 'preview' ELSE 'production' END, n,
      CASE WHEN n % 1000 = 0 THEN jsonb_build_object('preview', n, 'production', n) ELSE jsonb_build_object('production', n) END,
      '{}', '', ''
    FROM generate_series(1, 20000) n`);
  await vexil.query('ANALYZE audit_entries');
});
afterAll(() => vexil.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** How the database would find what a request asks for. */
async function planOf(path: string): Promise<string> {
  let asked: [string, unknown[]] | undefined;
  jest.spyOn(SelectQueryBuilder.prototype, 'getMany').mockImplementation(function (
    this: SelectQueryBuilder<object>,
  ) {
    asked = this.getQueryAndParameters();
    return Promise.resolve([]);
  });
  await api.get(path);
  const rows = await vexil.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${asked![0]}`, asked![1]);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

it.each([
  ['environment_key=preview', ['ix_audit_entries_environment', 'ix_audit_entries_revisions']],
  ['environment_key=never-was', ['ix_audit_entries_environment', 'ix_audit_entries_revisions']],
  ['entity_type=flag&entity_key=flag-7', ['ix_audit_entries_entity']],
  ['user_id=person-7', ['ix_audit_entries_actor']],
  ['request_id=request-7', ['ix_audit_entries_request']],
  // What is everywhere is found from the end.
  ['environment_key=production', ['pk_audit_entries']],
  ['limit=50', ['pk_audit_entries']],
])('reads no more of the log than it must for %s', async (query, indexes) => {
  const plan = await planOf(`/audit?${query}`);
  expect(plan).not.toContain('Seq Scan');
  expect([...plan.matchAll(/(?:ix|pk)_audit_entries\w*/g)].map(([name]) => name).sort()).toEqual(indexes);
});

it('finds what happened in an environment, and what moved it on', async () => {
  const { body } = await api.get('/audit?environment_key=preview&limit=200');
  expect(body).toHaveLength(20);
});
