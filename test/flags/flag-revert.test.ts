import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
});
afterAll(() => vexil.close());

const last = async (key: string): Promise<Json> =>
  ((await api.get(`/audit/flag/${key}?limit=1`)).body as Json[])[0] ?? {};
const revert = (key: string, position: unknown, more: Json = {}, environment = 'development') =>
  api.post(`/flags/${key}/revert?environment_key=${environment}`, { position, ...more });
const settingsOf = ({ version: _, updated_at: __, warnings: ___, ...rest }: Json): Json => rest;

const RULES = [
  {
    id: 'r1',
    name: 'Pro',
    conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro'] }] },
    serve: { rollout: { percentage: 30 } },
  },
];

describe('taking a change back', () => {
  it.each<[string, Json]>([
    ['a switch', { is_enabled: true }],
    ['a percentage', { rollout_percentage: 60 }],
    ['a serve', { default_serve: { variant: 'off' } }],
    ['rules', { rules: RULES }],
    ['listed users', { targets: [{ variant: 'on', keys: ['alice', 'bob'] }] }],
    [
      'the definition',
      { name: 'Another', tags: ['x'], owner: 'dana', description: 'Long', client_visible: true },
    ],
    [
      'variants',
      {
        variants: [
          { key: 'on', value: true },
          { key: 'off', value: false },
          { key: 'no', value: false },
        ],
      },
    ],
    ['the off variant', { off_variant: 'on', default_serve: { variant: 'on' } }],
    ['an archived flag', { archived: true }],
  ])('restores what it was before: %s', async (what, change) => {
    const key = `back-${what.replaceAll(' ', '-')}`;
    await api.newFlag({
      key,
      environment_key: 'development',
      flag_type: 'percentage',
      rollout_percentage: 25,
      rules: RULES,
    });
    await api.put(flagPath(key), { rules: [] });
    const before = (await api.get(flagPath(key))).body as Json;
    expect((await api.put(flagPath(key), change)).status).toBe(200);
    const { position } = await last(key);
    const reverted = await revert(key, position);
    expect(reverted.status).toBe(200);
    expect(settingsOf(reverted.body as Json)).toEqual(settingsOf(before));
    expect(await last(key)).toMatchObject({
      action: 'updated',
      reason: `Reverts change ${String(position)}`,
    });
  });

  it('leaves alone what others changed since', async () => {
    await api.newFlag({ key: 'beside', environment_key: 'development' });
    await api.put(flagPath('beside'), { is_enabled: true });
    const { position } = await last('beside');
    await api.put(flagPath('beside'), { name: 'Renamed' });
    const { body } = await revert('beside', position);
    expect(body).toMatchObject({ is_enabled: false, name: 'Renamed' });
  });

  it('is refused when the same was changed again since', async () => {
    await api.newFlag({ key: 'again', environment_key: 'development' });
    await api.put(flagPath('again'), { rollout_percentage: 10, flag_type: 'percentage' });
    const { position } = await last('again');
    await api.put(flagPath('again'), { rollout_percentage: 20 });
    const { status, body } = await revert('again', position);
    expect([status, body]).toMatchObject([409, { code: 'changed_since' }]);
    expect((body as Json)['detail']).toMatch(/rollout_percentage/);
  });

  it('is refused for what is no change of that flag there', async () => {
    await api.newFlag({ key: 'other', environment_key: 'development' });
    const { position } = await last('other');
    expect((await revert('other', position)).body).toMatchObject({ code: 'change_not_revertible' });
    await api.newFlag({ key: 'another', environment_key: 'development' });
    expect((await revert('another', position)).body).toMatchObject({ code: 'change_not_revertible' });
    expect((await revert('another', 1_000_000)).body).toMatchObject({ code: 'change_not_revertible' });
  });
});

describe('an environment that confirms changes', () => {
  const path = flagPath('guarded', 'production');
  beforeAll(async () => {
    await api.newFlag({ key: 'guarded', environment_key: 'production' });
    await api.put('/environments/production', { confirm_changes: true });
  });

  it('wants people to name what they change', async () => {
    const { status, body } = await api.put(path, { is_enabled: true });
    expect([status, body]).toMatchObject([
      422,
      { code: 'confirmation_needed', errors: [{ path: 'confirm' }] },
    ]);
    expect((await api.put(path, { is_enabled: true, confirm: 'gaurded' })).status).toBe(422);
    expect((await api.put(path, { is_enabled: true, confirm: 'guarded' })).status).toBe(200);
    const { position } = await last('guarded');
    expect((await revert('guarded', position, {}, 'production')).status).toBe(422);
    expect((await revert('guarded', position, { confirm: 'guarded' }, 'production')).status).toBe(200);
    expect((await vexil.http.delete(path).set(await vexil.bearer('admin'))).status).toBe(422);
  });

  it('wants it of segments too', async () => {
    await api.post('/segments', { key: 'few', name: 'Few', environment_key: 'production' });
    const segment = '/segments/few?environment_key=production';
    expect((await api.put(segment, { included: ['alice'] })).status).toBe(422);
    expect((await api.put(segment, { included: ['alice'], confirm: 'few' })).status).toBe(200);
  });

  it('does not ask programs', async () => {
    const { body } = await api.post('/auth/api-keys', { name: 'CI', kind: 'admin', role: 'admin' });
    const { status } = await vexil.http
      .put(path)
      .set('X-API-Key', (body as { secret: string }).secret)
      .send({ is_enabled: true });
    expect(status).toBe(200);
  });

  it('refuses a wrong name anywhere', async () => {
    await api.newFlag({ key: 'open', environment_key: 'development' });
    expect((await api.put(flagPath('open'), { is_enabled: true, confirm: 'opne' })).status).toBe(422);
  });
});
