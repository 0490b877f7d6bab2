import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  await api.newFlag({ key: 'alpha', name: 'First 100% of it', tags: ['x'], description: 'A_B' });
  await api.newFlag({ key: 'beta', name: 'Second \\ back', tags: ['x', 'y'] });
  await api.newFlag({ key: 'gamma', name: 'Third', description: 'ÄHRE it', tags: ['y z', '%'] });
  await api.newFlag({ key: 'alpha', name: 'First 100% of it', environment_key: 'staging' });
  await api.newFlag({ key: 'a-b', name: 'Dashed' });
  await api.newFlag({ key: 'old', name: 'Old it', tags: ['x'] });
  await api.change('old', { archived: true });
});
afterAll(() => vexil.close());

const keysOf = (flags: Json[]) => flags.map(({ key }) => key);

it.each([
  ['', ['a-b', 'alpha', 'alpha', 'beta', 'gamma']],
  ['environment_key=development', ['a-b', 'alpha', 'beta', 'gamma']],
  ['environment_key=staging', ['alpha']],
  ['environment_key=production', []],
  ['q=IT&environment_key=development', ['alpha', 'gamma']],
  ['q=%25', ['alpha', 'alpha']],
  ['q=_', ['alpha', 'alpha']],
  ['q=A_b', ['alpha', 'alpha']],
  ['q=axb', []],
  ['q=%5C', ['beta']],
  ['q=%5C%5C', []],
  ['q=%27%3B--', []],
  ['q=%C3%84HRE', ['gamma']],
  ['q=BET', ['beta']],
  ['tag=x', ['alpha', 'alpha', 'beta']],
  ['tag=y%20z', ['gamma']],
  ['tag=%25', ['gamma']],
  ['tag=X', []],
  ['tag=x&q=second', ['beta']],
  ['archived=true', ['old']],
  ['archived=any&tag=x&environment_key=development', ['alpha', 'beta', 'old']],
  ['skip=1&limit=2&environment_key=development', ['alpha', 'beta']],
  ['skip=4&environment_key=development', []],
])('lists for %j: %j', async (query, keys) => {
  const { status, body } = await api.get(`/flags?${query}`);
  expect([status, keysOf(body)]).toEqual([200, keys]);
});

it('orders a flag by its environments as people ordered them', async () => {
  const { body } = await api.get('/flags?q=alpha');
  expect(body.map((flag: Json) => flag['environment_key'])).toEqual(['development', 'staging']);
});

it('says how many there are in all, whatever the page, and from the cache too', async () => {
  const seen = [];
  for (const query of ['limit=1', 'limit=1', 'limit=1&skip=3', 'skip=100', 'q=nothing']) {
    const { headers } = await api.get(`/flags?environment_key=development&${query}`);
    seen.push([query, headers['x-cache'], headers['x-total-count']]);
  }
  expect(seen).toEqual([
    ['limit=1', 'MISS', '4'],
    ['limit=1', 'HIT', '4'],
    ['limit=1&skip=3', 'MISS', '4'],
    ['skip=100', 'MISS', '4'],
    ['q=nothing', 'MISS', '0'],
  ]);
});

it.each([
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['limit=-1', 'limit'],
  ['limit=ten', 'limit'],
  ['limit=1.5', 'limit'],
  ['limit=1&limit=2', 'limit'],
  ['skip=-1', 'skip'],
  ['skip=99999999999999999999', 'skip'],
  ['archived=yes', 'archived'],
  ['q=', 'q'],
  [`q=${'x'.repeat(201)}`, 'q'],
  ['q=%00', 'q'],
  ['tag=', 'tag'],
  ['environment_key=', 'environment_key'],
  ['environment_key=a&environment_key=b', 'environment_key'],
  ['environment=development', 'environment'],
  ['page=2', 'page'],
])('refuses %j by name', async (query, path) => {
  const { status, body } = await api.get(`/flags?${query}`);
  expect(status).toBe(422);
  expect(body.errors.map((problem: Json) => problem['path'])).toContain(path);
});

it('takes the largest page', async () => {
  expect((await api.get('/flags?limit=1000&skip=1000000000')).status).toBe(200);
});
