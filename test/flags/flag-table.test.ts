import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, flagPath, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

let vexil: TestApp;
let api: Api;
const read = async (query = ''): Promise<Json[]> => (await api.get(`/flag-table?${query}`)).body as Json[];
const keys = async (query: string): Promise<unknown[]> => (await read(query)).map(({ key }) => key);

beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  await api.post('/flags', {
    key: 'alpha',
    name: 'First',
    tags: ['mobile', 'growth'],
    owner: 'Dana@example.com',
  });
  await api.post('/flags', {
    key: 'beta',
    name: 'Second',
    value_type: 'string',
    tags: ['mobile'],
    variants: [
      { key: 'a', value: 'a' },
      { key: 'b', value: 'b' },
    ],
    off_variant: 'a',
    default_serve: {
      rollout: {
        percentage: 50,
        weights: [
          { variant: 'a', weight: 50 },
          { variant: 'b', weight: 50 },
        ],
      },
    },
  });
  await api.post('/flags', { key: 'gamma', name: 'Only here', environment_key: 'staging' });
  await api.put(flagPath('alpha', 'production'), { is_enabled: true, rollout_percentage: 25 });
});
afterAll(() => vexil.close());

describe('the table of flags', () => {
  it('has one row for each flag, with a cell for each environment that has it', async () => {
    const rows = await read();
    expect(rows.map(({ key, environments }) => [key, (environments as Json[]).length])).toEqual([
      ['alpha', 3],
      ['beta', 3],
      ['gamma', 1],
    ]);
    expect((rows[0]?.['environments'] as Json[]).at(-1)).toMatchObject({
      environment_key: 'production',
      is_enabled: true,
      rollout_percentage: 25,
      served: [
        { variant: 'on', percentage: 25 },
        { variant: 'off', percentage: 75 },
      ],
      version: 2,
    });
    expect((rows[1]?.['environments'] as Json[])[0]?.['served']).toEqual([
      { variant: 'a', percentage: 75 },
      { variant: 'b', percentage: 25 },
    ]);
  });

  it('says who changed a flag last, and where', async () => {
    const [row] = await read('key=alpha');
    expect(row?.['last_change']).toMatchObject({
      by: expect.stringMatching(/^admin-/),
      environment_key: 'production',
    });
  });

  it.each([
    ['q=FIRST', ['alpha']],
    ['tag=mobile', ['alpha', 'beta']],
    ['tag=mobile&tag=growth', ['alpha']],
    ['owner=dana@example.com', ['alpha']],
    ['value_type=string', ['beta']],
    ['key=gamma&key=alpha', ['alpha', 'gamma']],
    ['on=production', ['alpha']],
    ['off=staging&off=production', ['beta']],
    ['stale=true', []],
    ['stale=false', ['alpha', 'beta', 'gamma']],
    ['sort=changed&limit=1', ['alpha']],
    ['skip=1&limit=1', ['beta']],
    ['archived=true', []],
  ])('finds %s', async (query, found) => {
    expect(await keys(query)).toEqual(found);
  });

  it('counts what it found, beyond the page', async () => {
    const { headers } = await api.get('/flag-table?limit=1');
    expect(headers['x-total-count']).toBe('3');
  });

  it('calls a flag stale that nobody changed for a month and that gives everybody the same', async () => {
    await vexil.query(`UPDATE flags SET updated_at = now() - interval '40 days'`);
    await vexil.query(`UPDATE flag_settings SET updated_at = now() - interval '40 days'`);
    // A share of 25 % still decides something.
    expect(await keys('stale=true')).toEqual(['beta', 'gamma']);
    await api.put(flagPath('gamma', 'staging'), { is_enabled: true });
    expect(await keys('stale=true')).toEqual(['beta']);
  });
});
