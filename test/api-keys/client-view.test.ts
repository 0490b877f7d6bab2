import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SnapshotArchive } from '../../src/evaluation/snapshot-archive.js';
import { startApp, type TestApp } from '../support/app.js';
import { Api } from '../support/api.js';
import { clientKey, serverKey, withKey, type MadeKey } from './support.js';

const VISIBLE = ['shop-banner', 'shop-gated', 'shop-off', 'shop-ruled', 'shop-split'];
/** Whatever nobody with a client key may ever read. */
const PRIVATE = ['secret-plan', 'secret-list', 'secret-rule', 'secret-attribute', 'secret-note'];

let vexil: TestApp;
let api: Api;
let client: MadeKey;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  client = await clientKey(vexil);
  const visible = { is_enabled: true, client_visible: true, description: 'secret-note' };
  await api.post('/segments', {
    key: 'secret-list',
    name: 'x',
    environment_key: 'development',
    included: ['listed'],
  });
  await api.newFlag({ key: 'secret-plan', name: 'secret-note' });
  await api.newFlag({ key: 'shop-banner', ...visible });
  await api.newFlag({
    key: 'shop-gated',
    ...visible,
    prerequisites: [{ flag_key: 'secret-plan', variants: ['on'] }],
  });
  await api.newFlag({ key: 'shop-off', ...visible, is_enabled: false });
  await api.newFlag({
    key: 'shop-ruled',
    ...visible,
    rules: [
      {
        id: 'secret-rule',
        name: 'secret-rule',
        conditions: { all: [{ operator: 'in_segment', values: ['secret-list'] }] },
        serve: { variant: 'off' },
      },
    ],
  });
  await api.newFlag({
    key: 'shop-split',
    ...visible,
    default_serve: {
      rollout: {
        percentage: 50,
        bucket_by: 'secret-attribute',
        weights: [{ variant: 'on', weight: 100 }],
      },
    },
  });
});
afterAll(() => vexil.close());

/** All bytes of an answer but what differs from request to request. */
const bytesOf = ({ status, headers, text }: { status: number; headers: object; text: string }) => {
  const same = { ...headers, date: undefined, 'x-request-id': undefined };
  return JSON.stringify({ status, text, headers: same });
};

it('T14: a crawl with a client key finds the visible flags, and no name of anything else', async () => {
  const seen: string[] = [];
  for (const user of ['listed', 'other', undefined]) {
    const asked = { environment_key: 'development', ...(user === undefined ? {} : { user_id: user }) };
    const all = await vexil.http.post('/evaluate').set(withKey(client)).send(asked);
    expect(all.body.flags.map(({ flag_key: key }: { flag_key: string }) => key)).toEqual(VISIBLE);
    seen.push(bytesOf(all));
    for (const key of VISIBLE) {
      const named = await vexil.http.post(`/evaluate/${key}`).set(withKey(client)).send(asked);
      expect(named.status).toBe(200);
      seen.push(bytesOf(named));
    }
    for (const body of [{ ...asked, explain: true }, { ...asked, flag_keys: [7] }, { environment_key: 7 }])
      seen.push(bytesOf(await vexil.http.post('/evaluate').set(withKey(client)).send(body)));
  }
  for (const path of ['/flags', '/flags/secret-plan?environment_key=development', '/segments', '/audit'])
    seen.push(bytesOf(await vexil.http.get(path).set(withKey(client))));
  for (const word of PRIVATE) expect(seen.filter((bytes) => bytes.includes(word))).toEqual([]);
  expect(seen.join()).not.toMatch(/bucket|rollout/i);
});

it.each(['get', 'post'] as const)(
  'T14: a hidden flag answers as one that is not there (%s)',
  async (method) => {
    const ask = (key: string) =>
      method === 'get'
        ? vexil.http.get(`/evaluate/${key}?environment_key=development&user_id=u`).set(withKey(client))
        : vexil.http
            .post('/evaluate')
            .set(withKey(client))
            .send({ environment_key: 'development', flag_keys: [key] });
    const [hidden, missing] = [await ask('secret-plan'), await ask('absent-plan')];
    const count = (bytes: string) => bytes.replace(/"x-ratelimit-\w+":"\d+",?/g, '');
    expect(count(bytesOf(hidden))).toBe(count(bytesOf(missing)).replaceAll('absent-plan', 'secret-plan'));
    expect(hidden.text).toContain('FLAG_NOT_FOUND');
  },
);

it('an answer says what, and not why: no reason that speaks of rules, no version, no revision', async () => {
  const seen = new Map<string, Set<string>>();
  for (const user of ['listed', 'other', undefined]) {
    const asked = { environment_key: 'development', ...(user === undefined ? {} : { user_id: user }) };
    const { body: all } = await vexil.http.post('/evaluate').set(withKey(client)).send(asked);
    expect(all.revision).toBeNull();
    for (const key of VISIBLE) {
      const query = new URLSearchParams(asked).toString();
      const { body: plain } = await vexil.http.get(`/evaluate/${key}?${query}`).set(withKey(client));
      const { body: named } = await vexil.http.post(`/evaluate/${key}`).set(withKey(client)).send(asked);
      expect(named).toEqual(plain);
      expect(all.flags).toContainEqual(plain);
      expect([plain.flag_version, plain.revision]).toEqual([null, null]);
      const told = seen.get(key) ?? new Set();
      seen.set(key, told.add(plain.reason_code));
      expect(plain.reason).not.toMatch(/prerequisite|rule|target|listed|default/i);
    }
  }
  expect(Object.fromEntries([...seen].map(([key, told]) => [key, [...told]]))).toEqual({
    'shop-banner': ['UNKNOWN'],
    'shop-gated': ['DISABLED'],
    'shop-off': ['DISABLED'],
    'shop-ruled': ['UNKNOWN'],
    'shop-split': ['UNKNOWN'],
  });
  // Nor does it get what a server key was told a moment before, from any store of answers.
  const key = await serverKey(vexil);
  for (const flag of VISIBLE) {
    const ask = async (who: MadeKey) =>
      (await vexil.http.get(`/evaluate/${flag}?environment_key=development`).set(withKey(who))).body;
    expect((await ask(key)).flag_version).toEqual(expect.any(Number));
    expect((await ask(client)).flag_version).toBeNull();
    expect((await ask(key)).revision).toEqual(expect.any(Number));
  }
});

it('OFREP tells it the reason that the protocol asks for, and no version', async () => {
  const path = '/ofrep/v1/evaluate/flags';
  const context = { context: { targetingKey: 'other' } };
  const versions = async (who: MadeKey) =>
    (await vexil.http.post(path).set(withKey(who)).send(context)).body.flags.map(
      ({ metadata }: { metadata?: { version: number } }) => metadata?.version,
    ) as unknown[];
  expect(await versions(await serverKey(vexil))).toEqual(Array(6).fill(expect.any(Number)));
  expect(await versions(client)).toEqual(Array(5).fill(undefined));
  const { body } = await vexil.http.post(`${path}/shop-gated`).set(withKey(client)).send(context);
  expect(body).toEqual({ key: 'shop-gated', value: false, reason: 'DISABLED', variant: 'off' });
});

it('T14: what is asked for and hidden leaves no trace in the figures', async () => {
  const figures = async () =>
    (await vexil.http.get('/metrics')).text.split('\n').filter((line) => line.includes('flag="secret-plan"'));
  const before = await figures();
  for (let n = 0; n < 3; n += 1)
    await vexil.http
      .get('/evaluate/secret-plan?environment_key=development')
      .set(withKey(client))
      .expect(200);
  expect(await figures()).toEqual(before);
});

it('a server key sees all, and why', async () => {
  const key = await serverKey(vexil);
  const { body } = await vexil.http.get('/evaluate/shop-gated?environment_key=development').set(withKey(key));
  expect(body.reason).toContain('secret-plan');
});

it('visibility is a change like any other: audited, for admins where it is protected, seen at once', async () => {
  await api.post('/flags', { key: 'everywhere', name: 'x', is_enabled: true });
  const path = '/flags/everywhere?environment_key=development';
  expect((await api.as('developer').put(path, { client_visible: true })).body.code).toBe(
    'environment_protected',
  );
  const ask = async () =>
    (await vexil.http.get('/evaluate/everywhere?environment_key=development').set(withKey(client))).body;
  expect((await ask()).error_code).toBe('FLAG_NOT_FOUND');
  expect((await api.put(path, { client_visible: true })).body.client_visible).toBe(true);
  expect((await ask()).value).toBe(true);
  const [entry] = await api.history('everywhere');
  expect(entry?.['changes']).toEqual({ client_visible: { old: false, new: true } });
  expect((await api.get('/flags/everywhere?environment_key=production')).body.client_visible).toBe(true);
  await api.put(path, { client_visible: false });
  expect((await ask()).error_code).toBe('FLAG_NOT_FOUND');
});

it('a snapshot on disk that says nothing of visibility shows clients nothing', async () => {
  const archive = vexil.app.get(SnapshotArchive, { strict: false });
  await archive.onApplicationShutdown();
  const folder = join(vexil.config.dataDir, 'snapshots');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.json'))) {
    const stored = JSON.parse(readFileSync(join(folder, name), 'utf8').split('\n')[1] ?? '') as {
      ruleset: { flags: Record<string, unknown>[] };
    };
    for (const flag of stored.ruleset.flags) delete flag['client_visible'];
    const text = JSON.stringify(stored);
    writeFileSync(join(folder, name), `${createHash('sha256').update(text).digest('hex')}\n${text}`);
  }
  const { SnapshotStore } = await import('../../src/evaluation/snapshot-store.js');
  const store = vexil.app.get(SnapshotStore, { strict: false });
  const restored = (await archive.restore()).filter(({ source }) => source === 'disk');
  const held = restored.find(({ document }) => document.ruleset.environment_key === 'development');
  if (held) {
    expect(store.hold(held.document, 'disk', Date.now())).toBe(true);
    expect(store.get('development')?.compiled.clientVisible.size).toBe(0);
    expect(store.get('development')?.compiled.flags.size).toBeGreaterThan(5);
  }
  expect(held !== undefined || vexil.config.redisUrl !== undefined).toBe(true);
});
