import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { EnvironmentRevised } from '../../src/environments/environment.events.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
let made = 0;
const newKey = () => `life-${(made += 1)}`;
afterAll(() => vexil.close());

it('makes a flag that is off, and for everyone once it is on', async () => {
  const made = await api.post('/flags', { key: 'plain', name: 'Plain', environment_key: 'development' });
  expect(made.status).toBe(201);
  expect(made.headers['etag']).toBe('"1"');
  expect(made.body).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    key: 'plain',
    name: 'Plain',
    description: null,
    value_type: 'boolean',
    variants: [
      { key: 'on', value: true },
      { key: 'off', value: false },
    ],
    tags: [],
    owner: null,
    archived_at: null,
    client_visible: false,
    environment_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    environment_key: 'development',
    flag_type: 'boolean',
    is_enabled: false,
    rollout_percentage: 100,
    off_variant: 'off',
    prerequisites: [],
    targets: [],
    rules: [],
    warnings: [],
    unreadable: [],
    default_serve: { variant: 'on' },
    version: 1,
    created_at: expect.stringMatching(/^\d{4}-.*Z$/),
    updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
  });
});

it('reads back what the writer was told, after each kind of write', async () => {
  const made = await api.newFlag({ key: 'same', tags: ['b', 'a', 'b'], owner: 'team', description: 'd' });
  expect(await api.flag('same')).toEqual(made);
  const settled = await api.change('same', { is_enabled: true });
  expect(await api.flag('same')).toEqual(settled);
  const renamed = await api.change('same', { name: 'Renamed', rollout_percentage: 12.34 });
  expect(await api.flag('same')).toEqual(renamed);
  expect(renamed).toMatchObject({ version: 3, tags: ['a', 'b'], name: 'Renamed', rollout_percentage: 12.34 });
  const elsewhere = await api.newFlag({ key: 'same', name: 'Renamed', environment_key: 'staging' });
  expect(await api.flag('same', 'staging')).toEqual(elsewhere);
  expect(await api.flag('same')).toEqual(renamed);
});

it('says in the words of the contract what is missing and what is there already', async () => {
  await api.newFlag({ key: 'words' });
  const again = await api.post('/flags', { key: 'words', name: 'x', environment_key: 'development' });
  expect([again.status, again.body.code, again.body.detail]).toEqual([
    409,
    'flag_exists',
    "Flag 'words' already exists in this environment",
  ]);
  for (const missing of [
    await api.get(flagPath('words', 'staging')),
    await api.put(flagPath('words', 'staging'), { is_enabled: true }),
    await api.delete(flagPath('words', 'staging')),
  ]) {
    expect([missing.status, missing.body.code, missing.body.detail]).toEqual([
      404,
      'flag_not_found',
      "Flag 'words' not found in environment 'staging'",
    ]);
  }
  for (const missing of [
    await api.get(flagPath('words', 'nowhere')),
    await api.put(flagPath('words', 'nowhere'), { is_enabled: true }),
    await api.delete(flagPath('words', 'nowhere')),
    await api.post('/flags', { key: 'x', name: 'x', environment_key: 'nowhere' }),
    await api.get('/flags?environment_key=nowhere'),
  ]) {
    expect([missing.status, missing.body.detail]).toEqual([404, "Environment 'nowhere' not found"]);
  }
  const id = '7b0c8a52-0000-4000-8000-000000000000';
  const unknownId = await api.post('/flags', { key: 'x', name: 'x', environment_id: id });
  expect([unknownId.status, unknownId.body.detail]).toEqual([404, `Environment '${id}' not found`]);
});

it('asks for the environment before the role, and for the role before the flag', async () => {
  await api.newFlag({ key: 'order', environment_key: 'production' });
  const developer = api.as('developer');
  expect((await developer.put(flagPath('order', 'nowhere'), {})).status).toBe(404);
  expect((await developer.put(flagPath('no-such', 'development'), {})).status).toBe(404);
  for (const refused of [
    await developer.put(flagPath('order', 'production'), { is_enabled: true }),
    await developer.put(flagPath('no-such', 'production'), { is_enabled: true }),
    await developer.post('/flags', { key: 'other', name: 'x', environment_key: 'production' }),
    await developer.post('/flags', { key: 'other', name: 'x' }),
  ]) {
    expect([refused.status, refused.body.detail]).toEqual([
      403,
      "Only admins can modify flags in 'production' environment",
    ]);
  }
  expect((await developer.delete(flagPath('order'))).status).toBe(403);
  expect((await api.as('viewer').put(flagPath('order'), {})).status).toBe(403);
  expect((await api.as('viewer').get(flagPath('order', 'production'))).status).toBe(200);
});

it('makes a flag in every environment when none is named', async () => {
  const made = await api.post('/flags', { key: 'everywhere', name: 'Everywhere', is_enabled: true });
  expect([made.status, made.body.environment_key]).toEqual([201, 'development']);
  const { body } = await api.get('/flags?q=everywhere');
  expect(body.map((flag: { environment_key: string }) => flag.environment_key)).toEqual([
    'development',
    'staging',
    'production',
  ]);
});

it('takes the environment by id or by key, in the body or in the query, when they agree', async () => {
  const { body: environments } = await api.get('/environments');
  const [development, staging] = environments as { id: string; key: string }[];
  const byId = await api.post('/flags', { key: 'by-id', name: 'x', environment_id: staging!.id });
  expect(byId.body.environment_key).toBe('staging');
  const byQuery = await api.post('/flags?environment_key=staging', { key: 'by-query', name: 'x' });
  expect(byQuery.body.environment_key).toBe('staging');
  const both = await api.post('/flags', {
    key: 'by-both',
    name: 'x',
    environment_id: development!.id,
    environment_key: 'staging',
  });
  expect([both.status, both.body.errors[0].path]).toEqual([422, 'environment_id']);
  const two = await api.post('/flags?environment_key=staging', {
    key: 'by-two',
    name: 'x',
    environment_key: 'development',
  });
  expect([two.status, two.body.errors?.[0].path]).toEqual([422, 'environment_key']);
});

it('keeps the same flag with different settings in three environments, under one definition', async () => {
  await api.newFlag({ key: 'three', name: 'Three', tags: ['t'], is_enabled: true });
  await api.newFlag({
    key: 'three',
    name: 'Three',
    environment_key: 'staging',
    rollout_percentage: 25,
    flag_type: 'percentage',
  });
  await api.newFlag({ key: 'three', name: 'Three', environment_key: 'production', off_variant: null });
  const [development, staging, production] = [
    await api.flag('three'),
    await api.flag('three', 'staging'),
    await api.flag('three', 'production'),
  ];
  expect(development).toMatchObject({ is_enabled: true, flag_type: 'boolean', version: 1, tags: ['t'] });
  expect(staging).toMatchObject({
    is_enabled: false,
    flag_type: 'percentage',
    rollout_percentage: 25,
    version: 1,
    tags: ['t'],
  });
  expect(production).toMatchObject({ is_enabled: false, off_variant: null, version: 1 });
  expect(new Set([development['id'], staging['id'], production['id']]).size).toBe(1);

  await api.change('three', { is_enabled: true }, 'staging');
  expect(await api.flag('three')).toMatchObject({ version: 1 });
  const before = await api.revision('production');
  await api.change('three', { name: 'Drei', description: 'all', tags: ['z'], owner: 'me' });
  for (const [environment, version] of [
    ['development', 2],
    ['staging', 3],
    ['production', 2],
  ] as const) {
    expect(await api.flag('three', environment)).toMatchObject({
      name: 'Drei',
      description: 'all',
      tags: ['z'],
      owner: 'me',
      version,
    });
  }
  expect(await api.revision('production')).toBe(before + 1);
  expect(await api.flag('three', 'staging')).toMatchObject({ is_enabled: true, rollout_percentage: 25 });
});

it('leaves other environments as they are when one more gets the flag', async () => {
  await api.newFlag({ key: 'joined', name: 'Joined' });
  const [before, revision] = [await api.flag('joined'), await api.revision()];
  await new Promise((resolve) => setTimeout(resolve, 5));
  await api.newFlag({ key: 'joined', name: 'Joined', environment_key: 'staging' });
  expect(await api.revision()).toBe(revision);
  const [row] = await vexil.query<{ updated_at: Date }>(
    `SELECT greatest(s.updated_at, f.updated_at) AS updated_at FROM flags f JOIN flag_settings s ON s.flag_id = f.id
     JOIN environments e ON e.id = s.environment_id WHERE f.key = 'joined' AND e.key = 'development'`,
  );
  expect(row?.updated_at.toISOString()).toBe(before['updated_at']);
});

it.each<[string, Json, string]>([
  ['value_type', { value_type: 'string' }, 'value_type'],
  ['variants', { variants: [{ key: 'yes', value: true }] }, 'variants'],
  ['name', { name: 'Another' }, 'name'],
  ['description', { description: 'another' }, 'description'],
  ['empty description', { description: null }, 'description'],
  ['tags', { tags: [] }, 'tags'],
  ['owner', { owner: 'me' }, 'owner'],
  ['all at once', { name: 'Another', tags: ['z'], owner: null }, 'name, tags, owner'],
])('does not let a second environment give the flag another definition: %s', async (_, change, fields) => {
  const key = newKey();
  const definition = { key, name: 'Kept', description: 'd', tags: ['b', 'a'], owner: 'team' };
  const flag = await api.newFlag(definition);
  const [revision, history] = [await api.revision(), await api.history(key)];
  for (const where of [{ environment_key: 'staging' }, { environment_key: 'production' }]) {
    const other = await api.post('/flags', { ...definition, ...where, ...change });
    expect([other.status, other.body.code, other.body.detail]).toEqual([
      409,
      'flag_definition_differs',
      `Flag '${key}' exists in another environment, and its definition differs in: ${fields}. ` +
        `Say the same here; PUT /flags/${key} changes a definition, all but its value_type.`,
    ]);
  }
  expect([await api.flag(key), await api.revision(), await api.history(key)]).toEqual([
    flag,
    revision,
    history,
  ]);
  expect((await api.get(flagPath(key, 'staging'))).status).toBe(404);
});

it('takes the same body for each environment, or one that says less', async () => {
  const key = newKey();
  const body = {
    key,
    name: 'Same',
    description: 'd',
    tags: ['b', 'a', 'b'],
    owner: 'team',
    value_type: 'json',
    variants: [{ key: 'v', value: { a: 1, b: 2 } }],
  };
  const { id, tags, description } = await api.newFlag(body);
  const staging = await api.newFlag({
    ...body,
    environment_key: 'staging',
    variants: [{ value: { b: 2, a: 1 }, key: 'v' }],
  });
  const production = await api.newFlag({
    key,
    name: 'Same',
    environment_key: 'production',
    is_enabled: true,
  });
  for (const flag of [staging, production])
    expect(flag).toMatchObject({ id, tags, description, owner: 'team', value_type: 'json', version: 1 });
  expect(await api.flag(key)).toMatchObject({ version: 1 });
});

it('lets a developer add a flag that production has, and changes nothing there', async () => {
  const key = newKey();
  await api.newFlag({ key, environment_key: 'production' });
  const revision = await api.revision('production');
  const added = await api
    .as('developer')
    .post('/flags', { key, name: 'A flag', environment_key: 'development' });
  expect([added.status, await api.revision('production')]).toEqual([201, revision]);
  expect(await api.flag(key, 'production')).toMatchObject({ version: 1 });
});

it('keeps an archived flag archived where one more environment gets it', async () => {
  const key = newKey();
  await api.newFlag({ key });
  const { archived_at } = await api.change(key, { archived: true });
  const added = await api.newFlag({ key, environment_key: 'staging', is_enabled: true });
  expect(added).toMatchObject({ archived_at, is_enabled: true });
  expect(await api.evaluate(key, 'alice', 'staging')).toMatchObject({
    enabled: false,
    reason: 'Flag is archived',
  });
});

it('refuses, by name, to take away a variant that another environment still serves', async () => {
  const variants = ['red', 'green', 'blue'].map((key) => ({ key, value: key }));
  const colour = { key: 'colour', name: 'Colour', value_type: 'string', variants };
  await api.newFlag(colour);
  await api.newFlag({
    ...colour,
    environment_key: 'staging',
    default_serve: { variant: 'blue' },
    off_variant: 'green',
  });
  const refused = await api.put(flagPath('colour'), { variants: variants.slice(0, 1) });
  expect(refused.status).toBe(422);
  expect(refused.body.errors).toEqual([
    { path: 'variants', message: "'green' is not a variant of this flag, but 'staging' still serves it" },
    { path: 'variants', message: "'blue' is not a variant of this flag, but 'staging' still serves it" },
  ]);
  const own = await api.put(flagPath('colour'), { variants: variants.slice(1) });
  expect(own.status).toBe(422);
  expect(JSON.stringify(own.body.errors)).toContain("'red' is not a variant of this flag");
  expect(await api.flag('colour')).toMatchObject({ version: 1, variants });

  const changed = await api.change('colour', {
    variants: [...variants.slice(1), { key: 'black', value: '#000' }],
    default_serve: { variant: 'black' },
  });
  expect(changed).toMatchObject({ version: 2, default_serve: { variant: 'black' } });
  expect(await api.flag('colour', 'staging')).toMatchObject({
    version: 2,
    default_serve: { variant: 'blue' },
  });
});

it('lets a developer rename a flag that production has, and not change what it means', async () => {
  await api.newFlag({ key: 'meaning', name: 'Meaning' });
  await api.newFlag({ key: 'meaning', name: 'Meaning', environment_key: 'production' });
  const developer = api.as('developer');
  expect((await developer.put(flagPath('meaning'), { name: 'Sense', tags: ['x'] })).status).toBe(200);
  expect(await api.flag('meaning', 'production')).toMatchObject({ name: 'Sense', version: 2 });
  const more = [
    { key: 'on', value: true },
    { key: 'off', value: false },
    { key: 'maybe', value: true },
  ];
  for (const change of [{ archived: true }, { variants: more }]) {
    const refused = await developer.put(flagPath('meaning'), change);
    expect([refused.status, refused.body.code]).toEqual([403, 'environment_protected']);
  }
  expect(await api.flag('meaning')).toMatchObject({ version: 2, archived_at: null });
  expect((await api.put(flagPath('meaning'), { archived: true })).status).toBe(200);
  const refused = await developer.put(flagPath('meaning'), { archived: false });
  expect(refused.status).toBe(403);
});

it('archives a flag everywhere, and brings it back as it was', async () => {
  await api.newFlag({ key: 'old', name: 'Old', is_enabled: true });
  await api.newFlag({ key: 'old', name: 'Old', is_enabled: true, environment_key: 'staging' });
  const archived = await api.change('old', { archived: true });
  expect(archived['archived_at']).toEqual(expect.stringMatching(/Z$/));
  expect(await api.evaluate('old', 'alice', 'staging')).toMatchObject({
    enabled: false,
    reason: 'Flag is archived',
    reason_code: 'DISABLED',
  });
  const revision = await api.revision();
  expect(await api.change('old', { archived: true })).toEqual(archived);
  expect(await api.revision()).toBe(revision);
  expect(await api.change('old', { archived: false })).toMatchObject({ archived_at: null, is_enabled: true });
  expect(await api.evaluate('old', 'alice', 'staging')).toMatchObject({ enabled: true });
});

it('deletes a flag from one environment and keeps the others, until the last takes the definition along', async () => {
  await api.newFlag({ key: 'going', name: 'Going', is_enabled: true });
  await api.newFlag({ key: 'going', name: 'Going', is_enabled: true, environment_key: 'staging' });
  const gone = await api.delete(flagPath('going'));
  expect([gone.status, gone.text]).toEqual([204, '']);
  expect((await api.get(flagPath('going'))).status).toBe(404);
  expect(await api.evaluate('going')).toMatchObject({
    enabled: false,
    reason: "Flag 'going' not found in environment 'development'",
  });
  expect(await api.flag('going', 'staging')).toMatchObject({ is_enabled: true, version: 1 });
  expect(await api.evaluate('going', undefined, 'staging')).toMatchObject({ enabled: true });

  expect((await api.delete(flagPath('going', 'staging'))).status).toBe(204);
  expect(await vexil.query(`SELECT 1 FROM flags WHERE key = 'going'`)).toEqual([]);
  const again = await api.newFlag({
    key: 'going',
    name: 'Again',
    value_type: 'number',
    variants: [{ key: 'one', value: 1 }],
    is_enabled: true,
  });
  expect(again).toMatchObject({ value_type: 'number', version: 1, off_variant: null });
  expect(await api.evaluate('going')).toMatchObject({ value: 1, variant: 'one' });
});

it('deletes only the version that the caller has seen', async () => {
  await api.newFlag({ key: 'seen' });
  await api.change('seen', { is_enabled: true });
  const stale = await api.delete(flagPath('seen'), { 'If-Match': '"1"' });
  expect([stale.status, stale.body.code]).toEqual([412, 'stale_version']);
  expect((await api.delete(flagPath('seen'), { 'If-Match': '"2"' })).status).toBe(204);
});

it('takes all flags of an environment along in one revision, told once, with an entry for each', async () => {
  await api.post('/environments', { key: 'full', name: 'Full' });
  const keys = ['full-a', 'full-b', 'full-c', 'full-d'];
  for (const key of keys) await api.newFlag({ key, environment_key: 'full', is_enabled: true });
  await api.newFlag({ key: 'full-c', is_enabled: true });
  const revision = await api.revision('full');
  const told: object[] = [];
  const events = vexil.app.get(EventBus, { strict: false });
  events.on(EnvironmentRevised, (event) => void told.push(event));

  expect((await api.delete('/environments/full?force=true')).status).toBe(204);
  expect(told).toMatchObject([{ now: { key: 'full', revision: revision + 1 } }]);
  const entries = (await api.get('/audit?entity_type=flag&action=deleted&environment_key=full')).body;
  expect(entries.map(({ entity_key, revision: at }: Json) => [entity_key, at])).toEqual(
    [...keys].reverse().map((key) => [key, revision + 1]),
  );
  expect(await vexil.query(`SELECT key FROM flags WHERE key LIKE 'full-%'`)).toEqual([{ key: 'full-c' }]);
  expect(await api.evaluate('full-c')).toMatchObject({ enabled: true });
});
