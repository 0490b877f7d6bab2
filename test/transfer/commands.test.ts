import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { command, ensureBuilt } from '../support/built-service.js';
import { NodeProcess, Service } from '../support/service-process.js';

// The build may have to be made first.
jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'vexil-transfer-'));
const file = (name: string, document: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
  return path;
};

let service: Service;
let owner: Server;
let address: string;
const asked: { url: string; key: unknown; authorization: unknown }[] = [];

beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running();
  const many = Array.from({ length: 1001 }, (_, index) => ({
    key: `flag-${index}`,
    name: 'F',
    enabled: true,
    rollout_percentage: 50,
  }));
  owner = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://owner');
    asked.push({
      url: url.pathname,
      key: request.headers['x-api-key'],
      authorization: request.headers.authorization,
    });
    const elsewhere = `http://localhost:${(owner.address() as AddressInfo).port}/stolen`;
    const answers: Record<string, () => unknown> = {
      '/flags/': () =>
        many.slice(
          Number(url.searchParams.get('skip')),
          Number(url.searchParams.get('skip')) + Number(url.searchParams.get('limit')),
        ),
      '/platform/flags': () => [
        {
          key: 'paid',
          name: 'Paid',
          description: null,
          flag_type: 'percentage',
          is_enabled: true,
          rollout_percentage: 30,
          environment_id: 'e2',
        },
      ],
      '/platform/environments': () => [
        { id: 'e1', key: 'production' },
        { id: 'e2', key: 'staging' },
      ],
    };
    const answer = answers[url.pathname];
    if (url.pathname === '/moved') response.writeHead(302, { location: elsewhere });
    else response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
    response.end(answer ? JSON.stringify(answer()) : '');
  }).listen(0, '127.0.0.1');
  await new Promise((listening) => owner.once('listening', listening));
  address = `http://127.0.0.1:${(owner.address() as AddressInfo).port}`;
}, 120_000);
afterAll(async () => {
  owner.close();
  await service.close();
});

const run = (name: 'import' | 'export', ...args: string[]) =>
  new NodeProcess(command(name), args, service.environment).exited;
const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

const enabledFor = async (key: string, user: string): Promise<unknown> =>
  (await service.client.ask(`/evaluate/${key}?environment_key=production&user_id=${user}`)).body.enabled;

it('brings the flags of each system, whose users stay where they were', async () => {
  const plain = { name: 'N', description: null, enabled: true, rollout_percentage: 50 };
  const documents = {
    dashboard: [{ ...plain, key: 'd' }],
    mvp: [{ flag_name: 'm', status: true, rollout_percentage: 50, description: null }],
    platform: [{ ...plain, key: 'p', flag_type: 'percentage', is_enabled: true, environment_id: 'x' }],
    evaluation: {
      flags: [{ ...plain, flag_id: 'e', environment: 'prod', version: 1 }],
      count: 1,
      environment: 'prod',
    },
    edge: { flags: [{ name: 'g', enabled: true, rollout_percentage: 50 }], _cache: 'miss' },
  };
  for (const [system, document] of Object.entries(documents)) {
    const first = await run('import', '--from', system, file(`${system}.json`, document));
    expect([system, first.stderr, lastLine(first.stdout), first.code]).toEqual([
      system,
      '',
      '1 created, 0 changed, 0 same, 0 refused.',
      0,
    ]);
    const again = await run('import', '--from', system, join(folder, `${system}.json`));
    expect([again.stdout, again.code]).toEqual(['0 created, 0 changed, 1 same, 0 refused.\n', 0]);
  }
  const { body } = await service.client.ask('/compat/dashboard/flags');
  expect(
    body.map(({ key, enabled, rollout_percentage }: Record<string, unknown>) => [
      key,
      enabled,
      rollout_percentage,
    ]),
  ).toEqual(['d', 'e', 'g', 'm', 'p'].map((key) => [key, true, 50]));
  // Computed with the systems' own code: below 50 is on.
  const buckets = { d: ['sha256', 'd:'], m: ['sha256', ':m'] } as const;
  const { createHash } = await import('node:crypto');
  for (const user of ['alice', 'bob', 'carol', 'user-123']) {
    for (const [key, [hash, salt]] of Object.entries(buckets)) {
      const text = salt.startsWith(':') ? user + salt : salt + user;
      const bucket = Number(BigInt(`0x${createHash(hash).update(text).digest('hex')}`) % 100n);
      expect([key, user, await enabledFor(key, user)]).toEqual([key, user, bucket < 50]);
    }
  }
});

it('shows what it would do, does it once, and names the command in the audit log', async () => {
  const path = file('dry.json', [
    { key: 'dry', name: 'Dry', description: null, enabled: true, rollout_percentage: 25 },
  ]);
  const dry = await run('import', '--from', 'dashboard', '--dry-run', path);
  expect(dry.stdout).toContain("+ flag 'dry' in production: created");
  expect(lastLine(dry.stdout)).toBe(
    '1 created, 0 changed, 0 same, 0 refused. This was a dry run: nothing has been written.',
  );
  expect((await service.client.ask('/compat/dashboard/flags/dry')).status).toBe(404);

  await run('import', '--from', 'dashboard', path);
  file('dry.json', [{ key: 'dry', name: 'Dry', description: null, enabled: false, rollout_percentage: 75 }]);
  const preview = await run('import', '--from', 'dashboard', '--dry-run', path);
  expect(preview.stdout).toContain('is_enabled: true → false');
  expect(preview.stdout).toMatch(/default_serve: .*2500.* → .*7500/);
  expect((await run('import', '--from', 'dashboard', path)).stdout).toContain('0 created, 1 changed');
  const { body } = await service.client.ask('/compat/dashboard/flags/dry/audit');
  expect(body.map(({ action, user }: Record<string, unknown>) => [action, user])).toEqual([
    ['updated', 'import'],
    ['created', 'import'],
  ]);
});

it('brings a file for flagd in YAML, as people write them', async () => {
  const text =
    'flags:\n  yams:\n    state: ENABLED\n    variants: {on: true, off: false}\n    defaultVariant: on\n';
  const { stdout, code } = await run('import', '--from', 'flagd', file('flags.yaml', text));
  expect([lastLine(stdout), code]).toEqual(['1 created, 0 changed, 0 same, 0 refused.', 0]);
  expect(await enabledFor('yams', 'alice')).toBe(true);
});

describe('what is wrong', () => {
  it.each([
    ['a word for no system', ['--from', 'nowhere', 'x.json'], 'Say from where'],
    ['no document', ['--from', 'edge', '/nowhere.json'], 'cannot be read'],
    ['no JSON', ['--from', 'edge', file('text.json', 'flags: []')], 'is no JSON'],
    ['neither JSON nor YAML', ['--from', 'flagd', file('text.yaml', 'flags:\n\tf: 1')], 'at line 2'],
    [
      'another document',
      ['--from', 'unleash', file('other.json', { flags: {} })],
      'not an export of Unleash',
    ],
    [
      'an environment that is not there',
      [
        '--from',
        'edge',
        '--environment',
        'moon',
        file('one.json', { flags: [{ name: 'x', enabled: true, rollout_percentage: 1 }] }),
      ],
      "'moon' not found",
    ],
  ])('says so of %s', async (_, args, message) => {
    const { code, stderr } = await run('import', ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('refuses a flag by name, whole, and brings the others', async () => {
    const flag = { vexil: 1, environment_key: 'production' };
    const on = {
      value_type: 'boolean',
      variants: [
        { key: 'on', value: true },
        { key: 'off', value: false },
      ],
      is_enabled: true,
      off_variant: 'off',
      default_serve: { variant: 'on' },
    };
    const needs = (flag_key: string) => [{ flag_key, variants: ['on'] }];
    const document = {
      ...flag,
      flags: [
        { ...on, key: 'child', prerequisites: needs('parent') },
        { ...on, key: 'parent' },
        { ...on, key: 'circle-a', prerequisites: needs('circle-b') },
        { ...on, key: 'circle-b', prerequisites: needs('circle-a') },
        { ...on, key: 'admin' },
        { ...on, key: 'twice' },
        { ...on, key: 'twice' },
        { ...on, key: 'bad\u001b[31m', name: 'x' },
        { ...on, key: 'broken', default_serve: { variant: 'missing' } },
        {
          ...on,
          key: 'segmentless',
          rules: [
            {
              id: 'r',
              conditions: { all: [{ operator: 'in_segment', values: ['none'] }] },
              serve: { variant: 'on' },
            },
          ],
        },
        'nonsense',
        { ...on, key: '__proto__' },
      ],
    };
    const { stdout, code } = await run('import', '--from', 'vexil', file('hostile.json', document));
    expect(code).toBe(3);
    expect(stdout).not.toContain('\u001b');
    expect(lastLine(stdout)).toBe('2 created, 0 changed, 0 same, 10 refused.');
    expect(stdout).toMatch(/flag 'circle-a' .*refused: .*needs this one/);
    expect(stdout).toMatch(/flag 'broken'.*refused: .*not a variant/);
    expect(stdout).toMatch(/flag 'segmentless'.*refused: .*not a segment/);
    for (const key of ['circle-a', 'broken', 'twice', 'segmentless'])
      expect((await service.client.ask(`/compat/dashboard/flags/${key}`)).status).toBe(404);
  });
});

it('asks a list by its address with what its owner wants, page by page, and carries credentials nowhere else', async () => {
  const all = await run(
    'import',
    '--from',
    'dashboard',
    '--environment',
    'development',
    '--key',
    'k1',
    // To read more than a page holds is what is looked at here; to make as many flags takes a minute.
    '--dry-run',
    `${address}/flags/`,
  );
  expect([all.stderr, lastLine(all.stdout)]).toEqual([
    '',
    expect.stringMatching(/^1001 created, 0 changed, 0 same, 0 refused\./),
  ]);
  const platform = await run('import', '--from', 'platform', '--token', 't1', `${address}/platform/flags`);
  expect(platform.stdout).toContain("flag 'paid' in staging: created");
  expect(asked).toContainEqual({ url: '/flags/', key: 'k1', authorization: undefined });
  expect(asked).toContainEqual({ url: '/platform/environments', key: undefined, authorization: 'Bearer t1' });
  const moved = await run('import', '--from', 'edge', '--key', 'k1', `${address}/moved`);
  expect([moved.code, moved.stderr]).toEqual([2, expect.stringContaining('name that address')]);
  expect(asked.some(({ url }) => url === '/stolen')).toBe(false);
});

it('writes what it reads: an export brought elsewhere is exported the same', async () => {
  const written = await run('export');
  const document = JSON.parse(written.stdout) as { environment_key: string; flags: unknown[] };
  expect(document.flags.length).toBeGreaterThan(5);
  const there = await run(
    'import',
    '--from',
    'vexil',
    '--environment',
    'staging',
    file('export.json', document),
  );
  expect([there.stderr, there.code]).toEqual(['', 0]);
  const back = JSON.parse((await run('export', '--environment', 'staging')).stdout) as {
    flags: { key: string }[];
  };
  expect(back.flags.filter(({ key }) => key !== 'paid')).toEqual(document.flags);
  const again = await run('import', '--from', 'vexil', join(folder, 'export.json'));
  expect(again.stdout).toMatch(/^0 created, 0 changed, \d+ same, 0 refused\.\n$/);
});

it('leaves out of a flagd file what flagd would answer otherwise, by name, unless that is accepted', async () => {
  const { stdout, stderr, code } = await run('export', '--to', 'flagd');
  const keys = Object.keys((JSON.parse(stdout) as { flags: object }).flags);
  expect([code, keys]).toEqual([3, expect.not.arrayContaining(['d'])]);
  expect(stderr).toContain("flag 'd': left out: it has a rollout");
  const accepted = await run('export', '--to', 'flagd', '--approximate');
  expect(Object.keys((JSON.parse(accepted.stdout) as { flags: object }).flags)).toContain('d');
});
