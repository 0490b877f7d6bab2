import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, PATIENT, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp(PATIENT);
  api = new Api(vexil);
  await api.post('/segments', {
    key: 'beta',
    name: 'Beta',
    environment_key: 'development',
    included: ['alice'],
    conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro'] }] },
  });
});
afterAll(() => vexil.close());

const all = (...conditions: Json[]): Json => ({ all: conditions });
const CONTEXTS = [
  { user_id: 'alice', email: 'alice@example.com' },
  { user_id: 'bob', plan: 'pro', email: 'BOB@EXAMPLE.COM' },
  { targetingKey: 'carol' },
  {},
];
const attempt = (conditions: unknown, contexts: unknown = CONTEXTS, environment = 'development') =>
  api.as('viewer').post('/conditions/try', { environment_key: environment, conditions, contexts });

it.each<[string, Json, boolean[]]>([
  ['an attribute', all({ attribute: 'plan', operator: 'in', values: ['pro'] }), [false, true, false, false]],
  [
    'the user',
    all({ attribute: 'user_id', operator: 'in', values: ['alice', 'carol'] }),
    [true, false, true, false],
  ],
  ['a segment', all({ operator: 'in_segment', values: ['beta'] }), [true, true, false, false]],
  [
    'a pattern',
    all({ attribute: 'email', operator: 'matches', values: ['@example\\.com$'] }),
    [true, false, false, false],
  ],
  [
    'a pattern in any case',
    all({ attribute: 'email', operator: 'matches', values: ['@example\\.com$'], case_insensitive: true }),
    [true, true, false, false],
  ],
  ['a negation', { not: all({ attribute: 'plan', operator: 'is_set' }) }, [true, false, true, true]],
  ['nothing', all(), [true, true, true, true]],
])('says of each context whether conditions hold: %s', async (_, conditions, matches) => {
  const { status, body } = await attempt([conditions]);
  expect([status, body]).toEqual([200, { results: [{ matches, problems: [] }] }]);
});

it('says what a rule with the same conditions decides', async () => {
  const conditions = {
    any: [
      { operator: 'in_segment', values: ['beta'] },
      { attribute: 'n', operator: 'gt', values: [3] },
    ],
  };
  await api.newFlag({
    key: 'same',
    is_enabled: true,
    rules: [{ conditions, serve: { variant: 'on' } }],
    default_serve: { variant: 'off' },
  });
  const contexts = [...CONTEXTS, { user_id: 'dave', n: 4 }, { user_id: 'erin', n: 3 }];
  const [{ matches }] = (await attempt([conditions], contexts)).body.results as [{ matches: boolean[] }];
  const decided: unknown[] = [];
  for (const context of contexts) {
    const { body } = await api.post('/evaluate/same', { environment_key: 'development', context });
    decided.push((body as Json)['value']);
  }
  expect(matches).toEqual(decided);
});

it.each([
  ['a look-ahead', { attribute: 'a', operator: 'matches', values: ['(?=a)'] }, 'all[0].values[0]'],
  ['a segment that is missing', { operator: 'in_segment', values: ['none'] }, 'all[0].values[0]'],
])('says why conditions cannot be asked, and asks the others: %s', async (_, condition, path) => {
  const { body } = await attempt([all(condition), all()], [{}]);
  expect(body.results).toEqual([
    { matches: null, problems: [{ path, message: expect.any(String) }] },
    { matches: [true], problems: [] },
  ]);
});

it('takes a pattern that would keep other engines busy for ever', async () => {
  const condition = { attribute: 'a', operator: 'matches', values: ['^(a+)+$'] };
  const { body } = await attempt([all(condition)], [{ a: `${'a'.repeat(900)}!` }]);
  expect(body.results).toEqual([{ matches: [false], problems: [] }]);
});

it.each<[string, unknown, unknown]>([
  ['an operator that is none', [all({ attribute: 'a', operator: 'like', values: ['a'] })], []],
  ['too many groups', Array.from({ length: 101 }, () => all()), []],
  ['too many contexts', [all()], Array.from({ length: 51 }, () => ({}))],
  ['no group', [], []],
])('refuses %s', async (_, conditions, contexts) => {
  expect((await attempt(conditions, contexts)).status).toBe(422);
});

it('does not know every environment', async () => {
  expect((await attempt([all()], [], 'nowhere')).body).toMatchObject({ code: 'environment_not_found' });
});
