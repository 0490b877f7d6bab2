import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Drill, outOf } from '../support/drill.js';
import { send, type Received } from '../support/send.js';
import { Service } from '../support/service-process.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

/** Runs in the process before the service does, and tells on a signal what the prototype of all objects has. */
const WITNESS = `data:text/javascript,${encodeURIComponent(
  `process.on('SIGUSR2', () => process.stdout.write('\\nwitness ' + JSON.stringify([({}).polluted, Object.getOwnPropertyNames(Object.prototype), [].polluted, (() => {}).polluted]) + '\\n'))`,
)}`;

const LOADS = [
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"prototype":{"polluted":true}}',
  '{"__proto__":{"__proto__":{"polluted":true}}}',
  '{"\\u005f_proto__":{"polluted":true}}',
  '{"__proto__":null,"polluted":true}',
  '[{"__proto__":{"polluted":true}}]',
  '"__proto__"',
];
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '__defineGetter__'];

let service: Service;
let token: string;
let routes: string[];
beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running({ NODE_OPTIONS: `--import=${WITNESS}` });
  token = await service.setUp();
  const { body } = await service.client.ask('/openapi.json');
  routes = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
}, 300_000);
afterAll(() => service.close());

const ask = (route: string, path: string, body?: string): Promise<Received> =>
  send(service.client.url, {
    method: route.split(' ')[0] ?? '',
    path,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body,
  });

/** What the live process says of itself. */
async function witness(): Promise<unknown[]> {
  const before = service.process.stdout.length;
  service.process.signal('SIGUSR2');
  let line: string | undefined;
  await eventually(() => {
    line = /^witness (.*)$/m.exec(service.process.stdout.slice(before))?.[1];
    return line !== undefined;
  });
  return JSON.parse(line ?? '') as unknown[];
}

it('T16: no body, query, path, attribute or key reaches the prototype of all objects', async () => {
  const drill = new Drill('T16', 'prototype pollution');
  const clean = await witness();
  const counts = new Map<number, number>();
  const taken: string[] = [];
  const count = (what: string, { status }: Received): void => {
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (status >= 500) taken.push(`${status} ${what}`);
  };
  for (const route of routes.filter((each) => !each.includes('/auth/setup'))) {
    const pattern = route.split(' ')[1] ?? '';
    for (const name of NAMES) {
      const path = pattern.replace(/\{\w+\}/g, name);
      count(`${route} ${name}`, await ask(route, `${path}?environment_key=${name}`));
      for (const query of [`${name}[polluted]=1`, `a[${name}][polluted]=1`, `${name}.polluted=1`])
        count(`${route} ${query}`, await ask(route, `${path}?${query}`));
    }
    if (!/^(POST|PUT|PATCH)/.test(route)) continue;
    const path = pattern.replace(/\{\w+\}/g, 'a-key');
    for (const load of LOADS)
      for (const body of [
        load,
        `{"context":${load},"environment_key":"development"}`,
        `{"context":{"targetingKey":"u","deep":{"deeper":${load}}},"environment_key":"development"}`,
        `{"key":"a-key","name":"x","environment_key":"development","variants":[{"key":"a","value":${load}}],"value_type":"json"}`,
        `{"key":"a-key","name":"x","environment_key":"development","rules":[${load}],"included":[${load}],"tags":[${load}]}`,
      ])
        count(`${route} ${body}`, await ask(route, path, body));
  }
  const asked = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const after = await witness();
  drill.report({
    'prototypes changed': outOf(JSON.stringify(after) === JSON.stringify(clean) ? 0 : 1, asked),
    'server errors': outOf(taken.length, asked),
    'answers by status': Object.fromEntries([...counts].sort(([a], [b]) => a - b)),
  });
  expect(taken).toEqual([]);
  expect(after).toEqual(clean);
  expect(after[0]).toBeNull();
  expect(counts.get(200) ?? 0).toBeGreaterThan(0);
});

it.each(NAMES.filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name)))(
  'T16: an attribute that every object has (%s) is set only where the context has it',
  async (attribute) => {
    const made = await ask(
      'POST',
      '/flags',
      JSON.stringify({
        key: `inherits-${attribute.toLowerCase().replace(/_/g, '')}`,
        name: 'x',
        environment_key: 'development',
        is_enabled: true,
        default_serve: { variant: 'off' },
        rules: [
          {
            id: 'rule',
            conditions: { all: [{ attribute, operator: 'is_set', values: [] }] },
            serve: { variant: 'on' },
          },
        ],
      }),
    );
    expect([made.status, made.text]).toEqual([201, expect.anything()]);
    const { key } = JSON.parse(made.text) as { key: string };
    const evaluate = async (context: object) =>
      JSON.parse(
        (
          await ask(
            'POST',
            `/evaluate/${key}`,
            JSON.stringify({ environment_key: 'development', user_id: 'u', context }),
          )
        ).text,
      ) as { value: unknown };
    expect((await evaluate({})).value).toBe(false);
    expect((await evaluate({ [attribute]: 'x' })).value).toBe(true);
  },
);

it.each(['__proto__', 'constructor', 'prototype'])(
  'T16: %s as an attribute that a rule asks for, or as a name of ours, targets nothing and harms nothing',
  async (name) => {
    const clean = await witness();
    const inDevelopment = { name: 'x', environment_key: 'development' };
    const conditions = { all: [{ attribute: name, operator: 'is_set', values: [] }] };
    const key = `asks-${name.replace(/_/g, '')}`;
    const flag = await ask(
      'POST',
      '/flags',
      JSON.stringify({
        ...inDevelopment,
        key,
        is_enabled: true,
        default_serve: { variant: 'off' },
        rules: [{ id: 'rule', conditions, serve: { variant: 'on' } }],
      }),
    );
    const segment = await ask(
      'POST',
      '/segments',
      JSON.stringify({ ...inDevelopment, key: `crowd-${key}`, conditions }),
    );
    // Names that the JSON reader knows, as keys of what is made; and as units, targets, tags and values.
    const made = [
      await ask('POST', '/flags', JSON.stringify({ ...inDevelopment, key: name, is_enabled: true })),
      await ask('POST', '/segments', JSON.stringify({ ...inDevelopment, key: name, included: [name] })),
      await ask('POST', '/environments', JSON.stringify({ key: name, name })),
      await ask(
        'POST',
        '/flags',
        JSON.stringify({
          ...inDevelopment,
          key: `tells-${key}`,
          tags: [name],
          is_enabled: true,
          targets: [{ variant: 'on', keys: [name] }],
        }),
      ),
    ];
    for (const { status, text } of [flag, segment, ...made])
      expect([[201, 422].includes(status), status, text]).toEqual([true, status, text]);
    for (const asked of [key, name, `tells-${key}`])
      for (const context of [{}, { user_id: name }, JSON.parse(`{"${name}":1}`) as object]) {
        const body = JSON.stringify({ environment_key: 'development', context });
        const { status, text } = await ask('POST', `/evaluate/${asked}`, body);
        // A context may not have such an attribute, so that no rule can ever find it.
        if (Object.hasOwn(context, name)) expect([asked, status]).toEqual([asked, 422]);
        else if (asked === key)
          expect([status, JSON.parse(text)]).toEqual([200, expect.not.objectContaining({ value: true })]);
        else expect([asked, status < 500]).toEqual([asked, true]);
      }
    expect(await witness()).toEqual(clean);
  },
);

it.each(['Dockerfile', 'package.json', 'scripts/dev.mjs', 'docs/deployment.md'])(
  'T16: %s starts the service where no object has __proto__',
  async (file) => {
    const starts = (await readFile(file, 'utf8'))
      .split('\n')
      .filter((line) => /node\b.*(dist\/src\/main\.js|scripts\/start\.mjs)|--disable-proto/.test(line));
    expect(starts.length).toBeGreaterThan(0);
    for (const line of starts) expect(line).toContain('--disable-proto=delete');
  },
);
