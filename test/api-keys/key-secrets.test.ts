import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.js';
import { eventually } from '../support/api.js';
import { adminKey, clientKey, serverKey, withKey } from './support.js';

let vexil: TestApp;
let log = '';
const secrets: string[] = [];
beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  vexil = await startApp({}, { log: sink });
  const admin = await vexil.bearer('admin');
  for (const key of [await serverKey(vexil), await clientKey(vexil), await adminKey(vexil, 'admin')]) {
    secrets.push(key.secret);
    const asked = [
      vexil.http.get('/evaluate/x?environment_key=development').set(withKey(key)),
      vexil.http.get('/evaluate/x?environment_key=production').set('Authorization', `Bearer ${key.secret}`),
      vexil.http
        .get('/evaluate/x?environment_key=development')
        .set({ ...withKey(key), Origin: 'https://a.b' }),
      vexil.http.get('/flags').set({ ...withKey(key), ...admin }),
      vexil.http.post('/flags').set(withKey(key)).send({ key: 'x' }),
      vexil.http.get(`/evaluate/x?environment_key=development&api_key=${key.secret}`),
      vexil.http.patch(`/auth/api-keys/${key.id}`).set(admin).send({ name: 'Renamed' }),
      vexil.http.delete(`/auth/api-keys/${key.id}`).set(admin),
      vexil.http.get('/flags').set(withKey(key)),
    ];
    for (const request of asked) expect((await request).text).not.toContain(key.secret.slice(-43));
  }
  await eventually(() => log.split('/auth/api-keys').length > 6);
});
afterAll(() => vexil.close());

it('T13: neither the log nor the database nor the figures hold a secret', async () => {
  const tables = await vexil.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()',
  );
  let dump = '';
  for (const { name } of tables)
    dump += JSON.stringify(await vexil.query(`SELECT to_jsonb(t) FROM "${name}" t`));
  expect(dump).toContain(secrets[0]!.slice(0, -44));
  const { text: figures } = await vexil.http.get('/metrics');
  for (const secret of secrets)
    for (const [place, text] of Object.entries({ log, dump, figures }))
      expect([place, text.includes(secret.slice(-43))]).toEqual([place, false]);
});

it('T13: the log and the audit log hold no hash of one either', async () => {
  const rows = JSON.stringify(await vexil.query('SELECT * FROM audit_entries'));
  for (const { secret_hash: hash } of await vexil.query<{ secret_hash: string }>(
    'SELECT secret_hash FROM api_keys',
  )) {
    expect(log).not.toContain(hash);
    expect(rows).not.toContain(hash);
  }
});
