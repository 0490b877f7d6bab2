import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, PATIENT, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import { inSegments, segmentPath } from './support.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

async function make(key: string, body: Json = {}): Promise<void> {
  const answer = await api.post('/segments', { key, name: key, environment_key: 'development', ...body });
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`);
}

it('loses none of the edits of ten editors who look, change and try again', async () => {
  await make('edited', { description: '0' });
  await Promise.all(
    times(10).map(async () => {
      for (let done = 0; done < 5;) {
        const { version, description } = (await api.get(segmentPath('edited'))).body;
        const { status } = await api.put(
          segmentPath('edited'),
          { description: String(Number(description) + 1) },
          { 'If-Match': `"${version}"` },
        );
        expect([200, 412]).toContain(status);
        if (status === 200) done += 1;
      }
    }),
  );
  expect((await api.get(segmentPath('edited'))).body).toMatchObject({ version: 51, description: '50' });
}, 120_000);

it('keeps every key that is added at the same time, without If-Match too', async () => {
  await make('added');
  const answers = await Promise.all(
    times(30).map((index) => api.put(segmentPath('added'), { included_add: [`user-${index}`] })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await api.get(segmentPath('added'))).body).toMatchObject({ included_count: 30, version: 31 });
}, 60_000);

it('makes one of many of the same key', async () => {
  const answers = await Promise.all(
    times(8).map(() => api.post('/segments', { key: 'once', name: 'x', environment_key: 'development' })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
});

it('never lets two segments use each other, however close their writers are', async () => {
  for (const round of times(10)) {
    const [a, b] = [`left-${round}`, `right-${round}`];
    await Promise.all([make(a), make(b)]);
    const answers = await Promise.all([
      api.put(segmentPath(a), { conditions: inSegments(b) }),
      api.put(segmentPath(b), { conditions: inSegments(a) }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 422]);
  }
}, 60_000);

it('never leaves a segment that uses one which was just deleted', async () => {
  for (const round of times(10)) {
    const [used, user] = [`used-${round}`, `user-${round}`];
    await Promise.all([make(used), make(user)]);
    const [deleted, changed] = await Promise.all([
      api.delete(segmentPath(used)),
      api.put(segmentPath(user), { conditions: inSegments(used) }),
    ]);
    expect([
      [204, 422],
      [409, 200],
    ]).toContainEqual([deleted.status, changed.status]);
  }
}, 60_000);
