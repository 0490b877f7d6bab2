import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  await api.newFlag({ key: 'target' });
});
afterAll(() => vexil.close());

const pathsOf = (problem: { errors?: Json[] }) => problem.errors?.map(({ path }) => path) ?? [];
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

it.each(['a', '0', 'a'.repeat(100), 'a.b_c-d', '9-lives', 'stats.daily', 'administration'])(
  'takes the key %s',
  async (key) => {
    const { status, body } = await api.post('/flags', { key, name: 'x', environment_key: 'staging' });
    expect([status, body.key]).toEqual([201, key]);
    expect((await api.get(flagPath(key, 'staging'))).body.key).toBe(key);
  },
);

it.each([
  ...['admin', 'api', 'auth', 'health', 'docs', 'stream', 'stats', 'system', 'debug'],
  ...['', 'a'.repeat(101), '-a', '_a', '.a', 'a b', 'a/b', 'ä', 'a\n', 'a\0', '\ud800', '😀'],
  ...[null, 1, true, ['a'], { a: 1 }],
])('refuses the key %j', async (key) => {
  const refused = await api.post('/flags', { key, name: 'x', environment_key: 'development' });
  expect([refused.status, pathsOf(refused.body)]).toEqual([422, ['key']]);
});

it.each<[string, Json, string]>([
  ['an unknown field', { enabled: true }, 'enabled'],
  ['an id', { id: '7b0c8a52-0000-4000-8000-000000000000' }, 'id'],
  ['a version', { version: 7 }, 'version'],
  ['a moment of making', { created_at: '2026-01-01T00:00:00Z' }, 'created_at'],
  ['a moment of archiving', { archived_at: null }, 'archived_at'],
  ['no name', { name: undefined }, 'name'],
  ['a blank name', { name: ' \t ' }, 'name'],
  ['a long name', { name: 'x'.repeat(201) }, 'name'],
  ['a name of NUL', { name: 'a\0b' }, 'name'],
  ['a name of half a character', { name: 'a\ud800' }, 'name'],
  ['null for a name', { name: null }, 'name'],
  ['a long description', { description: 'x'.repeat(1001) }, 'description'],
  ['a description of NUL', { description: '\0' }, 'description'],
  ['half a character in a tag', { tags: ['\udfff'] }, 'tags[0]'],
  ['a blank tag', { tags: [' '] }, 'tags[0]'],
  ['too many tags', { tags: Array.from({ length: 51 }, (_, index) => `t${index}`) }, 'tags'],
  ['an owner of NUL', { owner: '\0' }, 'owner'],
  ['text for truth', { is_enabled: 'true' }, 'is_enabled'],
  ['null for truth', { is_enabled: null }, 'is_enabled'],
  ['NUL in a value', { value_type: 'string', variants: [{ key: 'a', value: '\0' }] }, 'variants[0].value'],
  [
    'half a character deep in a value',
    { value_type: 'json', variants: [{ key: 'a', value: { b: ['\ud800'] } }] },
    'variants[0].value',
  ],
  [
    'NUL in a name within a value',
    { value_type: 'json', variants: [{ key: 'a', value: { '\0': 1 } }] },
    'variants[0].value',
  ],
  [
    'NUL in a salt',
    { default_serve: { rollout: { percentage: 1, salt: '\0' } } },
    'default_serve.rollout.salt',
  ],
  ['NUL in a reason', { reason: '\0' }, 'reason'],
  ['an environment that is a number', { environment_key: 1 }, 'environment_key'],
  ['an environment id that is none', { environment_id: 'development' }, 'environment_id'],
])('refuses a new flag with %s, by name', async (_, fields, path) => {
  const refused = await api.post('/flags', {
    key: 'refused',
    name: 'x',
    environment_key: 'development',
    ...fields,
  });
  expect(refused.status).toBe(422);
  expect(pathsOf(refused.body)).toContain(path);
  expect((await api.get(flagPath('refused'))).status).toBe(404);
});

it.each([
  'key',
  'id',
  'version',
  'value_type',
  'environment_key',
  'environment_id',
  'created_at',
  'updated_at',
  'archived_at',
  'salt',
  'nonsense',
])('refuses to change %s, by name', async (field) => {
  const flag = await api.flag('target');
  const refused = await api.put(flagPath('target'), { [field]: flag[field] ?? 'x', is_enabled: true });
  expect([refused.status, pathsOf(refused.body)]).toEqual([422, [field]]);
  expect(await api.flag('target')).toEqual(flag);
});

it.each<[string, string, number]>([
  ['null', 'null', 422],
  ['a number', '1', 422],
  ['a list', '[]', 422],
  ['half an object', '{"name": ', 400],
  ['two objects', '{}{}', 400],
  ['NaN', '{"rollout_percentage": NaN}', 400],
  ['infinity', '{"rollout_percentage": 1e400}', 422],
  [
    'infinity in a value',
    '{"variants": [{"key": "on", "value": true}, {"key": "off", "value": -1e999}]}',
    422,
  ],
  ['a prototype', '{"__proto__": {"is_enabled": true}}', 422],
  ['a constructor', '{"constructor": 1}', 422],
  ['a prototype deep in a value', '{"variants": [{"key": "on", "value": {"a": [{"__proto__": 1}]}}]}', 422],
  ['31 levels', `{"name": ${nested(31)}}`, 422],
  ['100,000 levels', `{"name": ${nested(100_000)}}`, 422],
  ['half a character, escaped', '{"name": "\\ud800"}', 422],
  ['NUL, escaped', '{"name": "\\u0000"}', 422],
  ['too many values', `{"tags": [${'1,'.repeat(500_000)}1]}`, 413],
  ['more than 8 MiB', JSON.stringify({ name: 'x'.repeat(8_400_000) }), 413],
  ['just under 8 MiB', JSON.stringify({ name: 'x'.repeat(8_000_000) }), 422],
])('answers %s in a body clearly, and changes nothing', async (_, text, status) => {
  const flag = await api.flag('target');
  const answer = await api.raw('put', flagPath('target'), text);
  expect([answer.status, answer.headers['content-type']]).toEqual([
    status,
    expect.stringContaining('problem+json'),
  ]);
  expect(answer.body.detail.length).toBeLessThan(1_000);
  expect(await api.flag('target')).toEqual(flag);
});

it('takes the last of two fields with one name, as JSON.parse does', async () => {
  const answer = await api.raw('put', flagPath('target'), '{"name": "First", "name": "Second"}');
  expect([answer.status, answer.body.name]).toEqual([200, 'Second']);
});

it('takes -0 for 0, and does not call it a change', async () => {
  await api.newFlag({ key: 'zero', value_type: 'number', variants: [{ key: 'zero', value: 0 }] });
  const answer = await api.raw('put', flagPath('zero'), '{"variants": [{"key": "zero", "value": -0}]}');
  expect([answer.status, answer.body.version]).toEqual([200, 1]);
  await api.newFlag({ key: 'none', flag_type: 'percentage', rollout_percentage: 0 });
  const share = await api.raw('put', flagPath('none'), '{"rollout_percentage": -0}');
  expect([share.status, share.body.version, Object.is(share.body.rollout_percentage, 0)]).toEqual([
    200,
    1,
    true,
  ]);
});

it('does not call another order of keys a change', async () => {
  const value = { z: 1, a: { y: [1, { c: 1, b: 2 }], x: null } };
  await api.newFlag({ key: 'json', value_type: 'json', variants: [{ key: 'v', value }] });
  const variants = [{ value: { a: { x: null, y: [1, { b: 2, c: 1 }] }, z: 1 }, key: 'v' }];
  expect(await api.change('json', { variants })).toMatchObject({ version: 1 });
});

it('keeps numbers, texts and structures exactly, at rest, in evaluation and in the audit log', async () => {
  const values = [
    1.7976931348623157e308,
    5e-324,
    -1e-7,
    1e21,
    0.1 + 0.2,
    9007199254740991,
    '\u2028 \u{1f600} "quoted" \\ \u007f \uffff',
    '',
    [],
    {},
    { '': null, 'a.b': [[[]]], ['ä'.repeat(50)]: true },
    'x'.repeat(100_000),
  ];
  const variants = values.map((value, index) => ({ key: `v${index}`, value }));
  await api.newFlag({ key: 'exact', value_type: 'json', variants, is_enabled: true });
  expect(await api.flag('exact')).toMatchObject({ variants });
  for (const { key, value } of variants) {
    await api.change('exact', { default_serve: { variant: key } });
    expect((await api.evaluate('exact'))['value']).toEqual(value);
  }
  expect((await api.history('exact')).at(-1)).toMatchObject({ after: { variants } });
  expect((await api.get('/audit/verify')).body).toMatchObject({ valid: true });
});

it.each([
  ['/flags/%00?environment_key=development', 422],
  ['/flags/%ED%A0%80?environment_key=development', 400],
  ['/flags/%?environment_key=development', 400],
  [`/flags/${'a'.repeat(201)}?environment_key=development`, 422],
  ['/flags/A%20B?environment_key=development', 404],
  ["/flags/a'%3B--?environment_key=development", 404],
  ['/flags/..%2Fusers?environment_key=development', 404],
  ['/flags/target', 422],
  ['/flags/target?environment_key=', 422],
  ['/flags/target?environment_key=%00', 422],
  ['/flags/target?environment_key[]=development', 422],
  ['/flags/target?environment_key=development&environment_key=staging', 422],
  ['/flags/target?environment_key=development&x=1', 422],
])('answers %s with %i to each method', async (path, status) => {
  expect((await api.get(path)).status).toBe(status);
  expect((await api.put(path, { is_enabled: true })).status).toBe(status);
  expect((await api.delete(path)).status).toBe(status);
});

it.each([
  ['get', '/flags?x=1'],
  ['get', '/flags/target?environment_key=development&x=1'],
  ['put', '/flags/target?environment_key=development&x=1'],
  ['delete', '/flags/target?environment_key=development&x=1'],
  ['post', '/flags?x=1'],
] as const)('refuses an unknown field of the query of %s %s by name', async (method, path) => {
  const body = { get: {}, delete: {}, put: { name: 'x' }, post: { name: 'x', key: 'x' } }[method];
  const refused = await api[method](path, body);
  expect([refused.status, refused.body.errors]).toEqual([
    422,
    [{ path: 'x', message: 'is not a known parameter' }],
  ]);
});
