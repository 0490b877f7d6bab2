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

describe('an environment that asks for reasons', () => {
  const path = flagPath('argued', 'staging');
  const refusal = [
    422,
    {
      code: 'reason_needed',
      errors: [{ path: 'reason', message: 'is required in staging: say why' }],
    },
  ];
  const pro = { default_serve: { rollout: { percentage: 30 } } };
  beforeAll(async () => {
    await api.post('/flags', { key: 'argued', name: 'Argued' });
    await api.put(path, pro);
    await api.post('/segments', { key: 'heard', name: 'Heard', environment_key: 'staging' });
    await api.put('/environments/staging', { require_reason: true });
  });
  const refuses = async (answer: PromiseLike<{ status: number; body: unknown }>): Promise<void> => {
    const { status, body } = await answer;
    expect([status, body]).toMatchObject(refusal);
  };

  it('wants people to say why they change a flag, and blanks do not say it', async () => {
    await refuses(api.put(path, { is_enabled: true }));
    await refuses(api.put(path, { is_enabled: true, reason: '  ' }));
    expect((await api.put(path, { is_enabled: true, reason: 'a try' })).status).toBe(200);
    expect(await last('argued')).toMatchObject({ reason: 'a try', changes: { is_enabled: { new: true } } });
  });

  it('wants it where a change is taken back, though the log could say it by itself', async () => {
    const { position } = await last('argued');
    await refuses(revert('argued', position, {}, 'staging'));
    expect((await revert('argued', position, { reason: 'it broke' }, 'staging')).status).toBe(200);
    expect(await last('argued')).toMatchObject({ reason: 'it broke' });
  });

  it('wants it where everybody is placed anew, where a flag is made, and where it is deleted', async () => {
    const anew = '/flags/argued/re-randomise?environment_key=staging';
    await refuses(api.post(anew, {}));
    expect((await api.post(anew, { reason: 'a second round' })).status).toBe(200);
    await refuses(api.post('/flags', { key: 'unargued', name: 'x', environment_key: 'staging' }));
    await refuses(api.post('/flags', { key: 'unargued', name: 'x' }));
    expect((await api.post('/flags', { key: 'unargued', name: 'x', reason: 'to begin' })).status).toBe(201);
    const admin = await vexil.bearer('admin');
    await refuses(vexil.http.delete(flagPath('unargued', 'staging')).set(admin));
    await vexil.http
      .delete(`${flagPath('unargued', 'staging')}&reason=over`)
      .set(admin)
      .expect(204);
  });

  it('counts where a change that is made elsewhere reaches it', async () => {
    const elsewhere = flagPath('argued');
    await refuses(api.put(elsewhere, { archived: true }));
    await refuses(api.put(elsewhere, { name: 'Named' }));
    expect((await api.put(elsewhere, { is_enabled: true })).status).toBe(200);
    expect((await api.put(elsewhere, { name: 'Named', reason: 'clearer' })).status).toBe(200);
  });

  it('wants it of segments too', async () => {
    const segment = '/segments/heard?environment_key=staging';
    await refuses(api.put(segment, { included: ['alice'] }));
    expect((await api.put(segment, { included: ['alice'], reason: 'she asked' })).status).toBe(200);
    const [entry] = (await api.get('/audit?entity_type=segment&entity_key=heard&limit=1')).body as [Json];
    const { position } = entry;
    const back = '/segments/heard/revert?environment_key=staging';
    await refuses(api.post(back, { position }));
    expect((await api.post(back, { position, reason: 'she left' })).status).toBe(200);
    await refuses(api.post('/segments', { key: 'unheard', name: 'x' }));
    const admin = await vexil.bearer('admin');
    await refuses(vexil.http.delete(segment).set(admin));
    await vexil.http.delete(`${segment}&reason=over`).set(admin).expect(204);
  });

  it('does not ask programs', async () => {
    const { body } = await api.post('/auth/api-keys', { name: 'Deploy', kind: 'admin', role: 'admin' });
    const { status } = await vexil.http
      .put(path)
      .set('X-API-Key', (body as { secret: string }).secret)
      .send({ is_enabled: true });
    expect(status).toBe(200);
  });
});
