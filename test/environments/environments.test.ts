import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let log = '';
let admin: { Authorization: string };
let viewer: { Authorization: string };
beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  vexil = await startApp({}, { log: sink });
  admin = await vexil.bearer('admin');
  viewer = await vexil.bearer('viewer');
});
afterAll(() => vexil.close());

const newKey = () => `env-${randomBytes(5).toString('hex')}`;
const create = (fields: object) => vexil.http.post('/environments').set(admin).send(fields);
const make = async (fields: object = {}) => {
  const { status, body } = await create({ key: newKey(), name: 'Somewhere', ...fields });
  expect(status).toBe(201);
  return body as { id: string; key: string; version: number; revision: number; position: number };
};
const read = (key: string) => vexil.http.get(`/environments/${key}`).set(viewer);
const change = (key: string, fields: object) =>
  vexil.http.put(`/environments/${key}`).set(admin).send(fields);
const remove = (key: string, query = '') => vexil.http.delete(`/environments/${key}${query}`).set(admin);
const makeFlag = async (key: string, environment: string) =>
  vexil.http
    .post('/flags')
    .set(admin)
    .send({ key, name: key, environment_key: environment, is_enabled: true })
    .expect(201);
const entriesOf = async (key: string) =>
  (await vexil.http.get(`/audit?environment_key=${key}&limit=200`).set(admin)).body as Record<
    string,
    unknown
  >[];
const evaluate = async (environment: string, flag: string) =>
  (await vexil.http.get(`/evaluate/${flag}?environment_key=${environment}&user_id=u`)).body as Record<
    string,
    unknown
  >;

it('starts with development, staging and production, of which production is protected', async () => {
  const { status, body } = await vexil.http.get('/environments').set(viewer);
  expect(status).toBe(200);
  const seeded = [
    ['development', 'Development', 'Local development and testing', false],
    ['staging', 'Staging', 'Pre-production testing environment', false],
    ['production', 'Production', 'Live environment for real users', true],
  ] as const;
  expect(body).toEqual(
    seeded.map(([key, name, description, isProtected], index) => ({
      id: expect.stringMatching(/^[\da-f-]{36}$/),
      key,
      name,
      description,
      protected: isProtected,
      confirm_changes: false,
      require_reason: false,
      position: index + 1,
      revision: 0,
      version: 1,
      created_at: expect.stringMatching(/Z$/),
      updated_at: expect.stringMatching(/Z$/),
    })),
  );
});

describe('making one', () => {
  it('answers what reading answers, and stands last', async () => {
    const key = newKey();
    const { status, body, headers } = await create({ key, name: ' Pre-production ' });
    expect(status).toBe(201);
    expect(headers['etag']).toBe('"1"');
    expect(body).toMatchObject({
      key,
      name: 'Pre-production',
      description: null,
      protected: false,
      version: 1,
      revision: 1,
    });
    const again = await read(key);
    expect(again.body).toEqual(body);
    const list = (await vexil.http.get('/environments').set(viewer)).body as { key: string }[];
    expect(list.at(-1)?.key).toBe(key);
  });

  it('leaves one audit entry', async () => {
    const { id, key } = await make({ description: 'd', protected: true, position: 7, reason: 'a new team' });
    expect(await entriesOf(key)).toEqual([
      expect.objectContaining({
        entity_type: 'environment',
        entity_id: id,
        entity_key: key,
        action: 'created',
        environment_key: key,
        revision: 1,
        revisions: { [key]: 1 },
        reason: 'a new team',
        user_id: (await vexil.as('admin')).id,
        before: null,
        after: {
          key,
          name: 'Somewhere',
          description: 'd',
          protected: true,
          confirm_changes: false,
          require_reason: false,
          position: 7,
        },
      }),
    ]);
  });

  it('is refused for a key that exists, and changes nothing', async () => {
    const { key } = await make();
    const before = await read(key);
    const { status, body } = await create({ key, name: 'Another', protected: true });
    expect(status).toBe(409);
    expect(body).toMatchObject({
      code: 'environment_exists',
      detail: `Environment with key '${key}' already exists`,
    });
    expect((await read(key)).body).toEqual(before.body);
    expect(await entriesOf(key)).toHaveLength(1);
  });

  it('makes one of many of the same key at the same time', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => create({ key, name: 'x' })));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...new Array<number>(9).fill(409)]);
    expect(await entriesOf(key)).toHaveLength(1);
  });

  it.each(['a', '0', 'a'.repeat(50), 'a-b-c', '0-1', 'a-'])('takes the key %j', async (key) => {
    expect((await create({ key, name: 'x' })).status).toBe(201);
    expect((await read(key)).body.key).toBe(key);
  });

  it.each([
    '',
    'A',
    'a'.repeat(51),
    '-a',
    'a_b',
    'a.b',
    'a b',
    ' a',
    'a\n',
    'ä',
    'ａ',
    'a/b',
    '..',
    'a\0',
    `a'--`,
    '{a}',
    '*',
    1,
    null,
    ['a'],
    { a: 1 },
    undefined,
  ])('refuses the key %j', async (key) => {
    const { status, body } = await create({ key, name: 'x' });
    expect(status).toBe(422);
    expect(body.errors[0].path).toBe('key');
  });

  it.each([
    ['name', { name: '' }],
    ['name', { name: '  ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\0' }],
    ['name', { name: undefined }],
    ['description', { description: 'x'.repeat(501) }],
    ['description', { description: 5 }],
    ['protected', { protected: 'true' }],
    ['protected', { protected: null }],
    ['position', { position: -1 }],
    ['position', { position: 1.5 }],
    ['position', { position: 10_001 }],
    ['reason', { reason: '' }],
    ['id', { id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21' }],
    ['revision', { revision: 100 }],
    ['version', { version: 100 }],
    ['is_protected', { is_protected: true }],
    ['created_at', { created_at: '2020-01-01T00:00:00Z' }],
  ])('refuses a wrong or unknown %s: %j', async (path, fields) => {
    const key = newKey();
    const { status, body } = await create({ key, name: 'x', ...fields });
    expect(status).toBe(422);
    expect(body.errors.map((problem: { path: string }) => problem.path)).toEqual([path]);
    expect((await read(key)).status).toBe(404);
  });

  it('can be evaluated in at once', async () => {
    const { key } = await make();
    expect(await evaluate(key, 'nothing')).toMatchObject({ enabled: false, revision: 1 });
    await makeFlag('in-new-environment', key);
    expect(await evaluate(key, 'in-new-environment')).toMatchObject({ value: true, revision: 2 });
  });
});

describe('reading one', () => {
  it.each(['nowhere', 'DEVELOPMENT', 'development ', '__proto__', 'constructor', `x'--`, '%25', '*'])(
    'says 404 of %j',
    async (key) => {
      const { status, body } = await read(encodeURIComponent(key));
      expect(status).toBe(404);
      expect(body).toMatchObject({
        code: 'environment_not_found',
        detail: `Environment '${key}' not found`,
      });
    },
  );

  it.each(['%00', 'a%00b', 'x'.repeat(101)])('says 422 of %s', async (key) => {
    expect((await read(key)).status).toBe(422);
  });

  it('tells the present revision to one who has the same version already', async () => {
    const { key } = await make();
    const { headers, body } = await read(key);
    const flag = { key: 'moves-it-on', name: 'A flag', environment_key: key };
    await vexil.http
      .post('/flags')
      .set(await vexil.bearer('admin'))
      .send(flag)
      .expect(201);
    const again = await read(key).set('If-None-Match', String(headers['etag']));
    expect([again.status, again.body.version, again.body.revision]).toEqual([
      200,
      1,
      Number(body.revision) + 1,
    ]);
  });
});

describe('changing one', () => {
  it('changes the fields that are given, and answers what reading answers', async () => {
    const made = await make({ description: 'before' });
    const { status, body, headers } = await change(made.key, { name: 'After', position: 42 });
    expect(status).toBe(200);
    expect(headers['etag']).toBe('"2"');
    expect(body).toEqual({
      ...made,
      name: 'After',
      position: 42,
      version: 2,
      revision: made.revision + 1,
      updated_at: expect.any(String),
    });
    expect((await read(made.key)).body).toEqual(body);
  });

  it('can take a description away, and protect and unprotect', async () => {
    const { key } = await make({ description: 'before' });
    expect((await change(key, { description: null, protected: true })).body).toMatchObject({
      description: null,
      protected: true,
    });
    expect((await change(key, { protected: false })).body.protected).toBe(false);
  });

  it('leaves one audit entry with old and new, by field', async () => {
    const { key } = await make({ name: 'Old' });
    await change(key, { name: 'New', protected: true, reason: 'why not' })
      .set('X-Request-Id', 'change-1')
      .expect(200);
    const [entry, ...rest] = await entriesOf(key);
    expect(rest).toHaveLength(1);
    expect(entry).toMatchObject({
      action: 'updated',
      revision: 2,
      revisions: { [key]: 2 },
      reason: 'why not',
      request_id: 'change-1',
      changes: { name: { old: 'Old', new: 'New' }, protected: { old: false, new: true } },
    });
  });

  it('keeps whether it asks for reasons, and asks for none itself', async () => {
    const { key } = await make({ require_reason: true });
    expect((await change(key, { name: 'Same rule' })).body).toMatchObject({ require_reason: true });
    expect((await change(key, { require_reason: false })).body).toMatchObject({ require_reason: false });
    expect((await read(key)).body.require_reason).toBe(false);
    const [entry] = await entriesOf(key);
    expect(entry).toMatchObject({ changes: { require_reason: { old: true, new: false } } });
  });

  it.each([
    {},
    { name: 'Same' },
    { name: ' Same ' },
    { protected: false, description: 'same' },
    { reason: 'x' },
  ])('to what it is already leaves no entry and no revision: %j', async (fields) => {
    const made = await make({ name: 'Same', description: 'same' });
    const { status, body } = await change(made.key, fields);
    expect(status).toBe(200);
    expect(body).toEqual(made);
    expect((await read(made.key)).body).toEqual(made);
    expect(await entriesOf(made.key)).toHaveLength(1);
  });

  it.each([
    ['"1"', 412],
    ['"99"', 412],
    ['W/"1"', 412],
    ['"2"', 200],
    ['2', 200],
    ['"1", "2"', 200],
    ['*', 200],
    ['yesterday', 400],
    ['', 400],
  ])('honours If-Match: %s with %i', async (header, expected) => {
    const { key } = await make();
    await change(key, { name: 'Second' }).expect(200);
    const { status, body } = await change(key, { name: 'Third' }).set('If-Match', header);
    expect(status).toBe(expected);
    expect((await read(key)).body.name).toBe(expected === 200 ? 'Third' : 'Second');
    if (expected === 412) {
      expect(body.code).toBe('stale_version');
      expect(await entriesOf(key)).toHaveLength(2);
    }
  });

  it('lets exactly one of ten editors with the same copy through', async () => {
    const { key } = await make();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        change(key, { name: `Editor ${index}` }).set('If-Match', '"1"'),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...new Array<number>(9).fill(412)]);
    expect((await read(key)).body.version).toBe(2);
  });

  it('loses none of the changes that are made at the same time', async () => {
    const { key } = await make();
    const answers = await Promise.all([
      change(key, { name: 'Name' }),
      change(key, { description: 'Description' }),
      change(key, { protected: true }),
      change(key, { position: 77 }),
    ]);
    for (const { status } of answers) expect(status).toBe(200);
    expect((await read(key)).body).toMatchObject({
      name: 'Name',
      description: 'Description',
      protected: true,
      position: 77,
      version: 5,
      revision: 5,
    });
    const revisions = (await entriesOf(key)).map((entry) => entry['revision']);
    expect(revisions).toEqual([5, 4, 3, 2, 1]);
  });

  it('cannot rename its key, and says 404 of one that is not there', async () => {
    const { key } = await make();
    const { status, body } = await change(key, { key: newKey() });
    expect(status).toBe(422);
    expect(body.errors).toEqual([{ path: 'key', message: 'is not a known field' }]);
    const absent = await change('nowhere', { name: 'x' });
    expect(absent.status).toBe(404);
    expect(absent.body.detail).toBe("Environment 'nowhere' not found");
  });
});

describe('deleting one', () => {
  it('that is empty removes it and leaves an entry', async () => {
    const { id, key } = await make({ name: 'Short-lived' });
    const { status, text } = await remove(key, '?reason=over');
    expect(status).toBe(204);
    expect(text).toBe('');
    await read(key).expect(404);
    await remove(key).expect(404);
    const [entry] = await entriesOf(key);
    expect(entry).toMatchObject({
      action: 'deleted',
      entity_id: id,
      reason: 'over',
      before: { key, name: 'Short-lived' },
      after: null,
    });
    expect(await evaluate(key, 'x')).toMatchObject({
      enabled: false,
      reason: `Environment '${key}' not found`,
    });
  });

  it('with flags in it is refused, and harms nothing', async () => {
    const { key } = await make();
    await makeFlag(`kept-${key}`, key);
    for (const query of ['', '?force=false']) {
      const { status, body } = await remove(key, query);
      expect(status).toBe(409);
      expect(body.code).toBe('environment_in_use');
      expect(body.detail).toContain('1 flag');
      expect(body.detail).toContain('force=true');
    }
    expect(await evaluate(key, `kept-${key}`)).toMatchObject({ value: true });
    expect(await entriesOf(key)).toHaveLength(2);
  });

  it('with force takes its flags with it, and each leaves its entry', async () => {
    const { key } = await make();
    const flags = ['a', 'b', 'c'].map((name) => `${name}-${key}`);
    for (const flag of flags) await makeFlag(flag, key);
    // One of them lives elsewhere too.
    await makeFlag(flags[0]!, 'development');
    const logged = log.length;
    await remove(key, '?force=true').expect(204);

    const entries = await entriesOf(key);
    expect(entries.map((entry) => [entry['entity_type'], entry['action'], entry['entity_key']])).toEqual([
      ['environment', 'deleted', key],
      ...[...flags].reverse().map((flag) => ['flag', 'deleted', flag]),
      ...[...flags].reverse().map((flag) => ['flag', 'created', flag]),
      ['environment', 'created', key],
    ]);
    expect(entries.slice(1, 4).map((entry) => entry['reason'])).toEqual(
      new Array(3).fill(`environment '${key}' deleted`),
    );
    expect(await evaluate(key, flags[0]!)).toMatchObject({
      enabled: false,
      reason: `Environment '${key}' not found`,
    });
    expect(await evaluate('development', flags[0]!)).toMatchObject({ value: true });
    const rest = await vexil.query<{ key: string }>('SELECT key FROM flags WHERE key = ANY($1)', [flags]);
    expect(rest).toEqual([{ key: flags[0] }]);
    expect((await vexil.http.get('/audit/verify').set(admin)).body.valid).toBe(true);
    expect(log.slice(logged)).not.toContain('"level":"error"');
  });

  it.each(['?force=yes', '?force=1', '?force', '?forced=true', '?force=true&force=false'])(
    'refuses %s',
    async (query) => {
      const { key } = await make();
      expect((await remove(key, query)).status).toBe(422);
      await read(key).expect(200);
    },
  );

  it('honours If-Match', async () => {
    const { key } = await make();
    await change(key, { name: 'Second' }).expect(200);
    await remove(key).set('If-Match', '"1"').expect(412);
    await read(key).expect(200);
    await remove(key).set('If-Match', '"2"').expect(204);
  });

  it.each(['nobody', 'viewer', 'developer'] as const)('is refused to %s', async (caller) => {
    const { key } = await make();
    const headers = caller === 'nobody' ? {} : await vexil.bearer(caller);
    for (const query of ['', '?force=true']) {
      const { status } = await vexil.http.delete(`/environments/${key}${query}`).set(headers);
      expect(status).toBe(caller === 'nobody' ? 401 : 403);
    }
    await read(key).expect(200);
  });

  it('while flags are made in it leaves no flag without an environment', async () => {
    const { key } = await make();
    const made = Array.from({ length: 8 }, (_, index) =>
      vexil.http
        .post('/flags')
        .set(admin)
        .send({ key: `race-${index}-${key}`, name: 'x', environment_key: key }),
    );
    const [removal, ...answers] = await Promise.all([remove(key, '?force=true'), ...made]);
    expect(removal.status).toBe(204);
    for (const { status } of answers) expect([201, 404]).toContain(status);
    const rest = await vexil.query('SELECT key FROM flags WHERE key LIKE $1', [`race-%-${key}`]);
    expect(rest).toEqual([]);
  });
});

describe('a new one under the key of a deleted one', () => {
  it('starts clean: in evaluations, in cached reads and in its history of revisions', async () => {
    const first = await make();
    const { key } = first;
    await makeFlag(`old-${key}`, key);
    await makeFlag(`older-${key}`, key);
    const list = () => vexil.http.get(`/flags?environment_key=${key}`).set(viewer);
    expect((await list()).body).toHaveLength(2);
    expect((await list()).headers['x-cache']).toBe('HIT');
    await remove(key, '?force=true').expect(204);
    expect((await list()).status).toBe(404);

    const { status, body: second } = await create({ key, name: 'Second' });
    expect(status).toBe(201);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ revision: 1, version: 1, protected: false, description: null });
    expect((await list()).body).toEqual([]);
    expect(await evaluate(key, `old-${key}`)).toMatchObject({ enabled: false, revision: 1 });
    // The same revisions as before, and other contents.
    await makeFlag(`new-${key}`, key);
    await makeFlag(`newer-${key}`, key);
    const flags = (await list()).body.map((flag: { key: string }) => flag.key);
    expect(flags).toEqual([`new-${key}`, `newer-${key}`]);
    expect(await evaluate(key, `new-${key}`)).toMatchObject({ value: true, revision: 3 });
    expect(await evaluate(key, `old-${key}`)).toMatchObject({ enabled: false });
  });

  it('is taken up by another instance too, though its revisions go back', async () => {
    const other = await startApp({}, { database: vexil.database });
    try {
      const { key } = await make();
      for (const name of ['a', 'b', 'c']) await makeFlag(`${name}-${key}`, key);
      await remove(key, '?force=true').expect(204);
      await create({ key, name: 'Second' }).expect(201);
      await makeFlag(`second-${key}`, key);
      let answer: Record<string, unknown> = {};
      for (let n = 0; n < 100 && answer['value'] !== true; n += 1) {
        const path = `/evaluate/second-${key}?environment_key=${key}&user_id=u`;
        answer = (await other.http.get(path)).body;
        if (answer['value'] !== true) await sleep(30);
      }
      expect(answer).toMatchObject({ value: true, revision: 2 });
      const gone = (await other.http.get(`/evaluate/a-${key}?environment_key=${key}&user_id=u`)).body;
      expect(gone).toMatchObject({ enabled: false, revision: 2 });
    } finally {
      await other.close();
    }
  });
});
