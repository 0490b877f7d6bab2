import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import {
  checkFlag,
  compile,
  evaluate,
  parseSnapshot,
  serializeSegment,
  type Context,
} from '../../src/core/index.js';
import { patterns } from '../../src/platform/patterns/linear-patterns.js';
import { UnreadableDocument } from '../../src/transfer/conversion.js';
import { NoDocument } from '../../src/transfer/document-source.js';
import { flagDocument } from '../../src/transfer/flag-document.js';
import { toFlagd } from '../../src/transfer/flagd-export.js';
import { fromFlagd } from '../../src/transfer/flagd-import.js';
import { flagProblems } from '../../src/transfer/limits.js';
import { inOrder } from '../../src/transfer/order.js';
import type { Portable } from '../../src/transfer/portable.js';
import { convert, readFrom, SYSTEMS } from '../../src/transfer/systems.js';
import { fromUnleash } from '../../src/transfer/unleash.js';

/** What somebody gets of a flag as it came out of a document. */
function answer(portable: Portable, key: string, context: Context): unknown {
  const result = parseSnapshot({
    spec_version: 1,
    environment_key: 'here',
    revision: 1,
    flags: portable.flags.map((flag) => ({ ...flagDocument(flag), is_archived: false, version: 1 })),
    segments: portable.segments.map(serializeSegment),
  });
  if (!result.ok || result.problems.length > 0) throw new Error(JSON.stringify(result.problems));
  return evaluate(compile(result.snapshot, { patterns }), key, context).value;
}

const flagd = (targeting: unknown, more: object = {}) => ({
  flags: {
    f: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting, ...more },
  },
});

it.each([
  ['an equality', { if: [{ '==': [{ var: 'plan' }, 'pro'] }, 'on'] }, { plan: 'pro' }, { plan: 'free' }],
  ['one turned round', { if: [{ '===': ['pro', { var: 'plan' }] }, 'on'] }, { plan: 'pro' }, {}],
  ['an inequality', { if: [{ '!=': [{ var: 'plan' }, 'pro'] }, 'on'] }, { plan: 'x' }, { plan: 'pro' }],
  ['a list', { if: [{ in: [{ var: 'c' }, ['NL', 'DE']] }, 'on'] }, { c: 'NL' }, { c: 'FR' }],
  ['a part of a text', { if: [{ in: ['@x', { var: 'mail' }] }, 'on'] }, { mail: 'a@x.y' }, { mail: 'a@y' }],
  ['an item of a list', { if: [{ in: ['a', { var: 'l' }] }, 'on'] }, { l: ['a'] }, { l: ['b'] }],
  ['a beginning', { if: [{ starts_with: [{ var: 'mail' }, 'a'] }, 'on'] }, { mail: 'ab' }, { mail: 'ba' }],
  ['an order turned round', { if: [{ '<=': [18, { var: 'age' }] }, 'on'] }, { age: 18 }, { age: 17 }],
  ['what is between', { if: [{ '<': [1, { var: 'age' }, 5] }, 'on'] }, { age: 3 }, { age: 5 }],
  [
    'a major version',
    { if: [{ sem_ver: [{ var: 'v' }, '^', '3.1.0'] }, 'on'] },
    { v: '3.0.0' },
    { v: '4.0.0' },
  ],
  [
    'a minor version',
    { if: [{ sem_ver: [{ var: 'v' }, '~', '3.1.0'] }, 'on'] },
    { v: '3.1.9' },
    { v: '3.2.0' },
  ],
  ['a negation', { if: [{ '!': [{ '==': [{ var: 'a' }, 1] }] }, 'on'] }, { a: 2 }, { a: 1 }],
  [
    'all and any',
    { if: [{ and: [{ '==': [{ var: 'a' }, 1] }, { or: [{ '==': [{ var: 'b' }, 1] }] }] }, 'on'] },
    { a: 1, b: 1 },
    { a: 1 },
  ],
  [
    'a question in an answer',
    { if: [{ '==': [{ var: 'a' }, 1] }, { if: [{ '==': [{ var: 'b' }, 1] }, 'on', 'off'] }, 'off'] },
    { a: 1, b: 1 },
    { a: 1, b: 2 },
  ],
  ['presence', { if: [{ '!==': [{ var: 'a' }, null] }, 'on'] }, { a: 1 }, {}],
  ['time', { if: [{ '<': [{ var: '$flagd.timestamp' }, 100] }, 'on'] }, { now: 99_000 }, { now: 100_000 }],
])('reads %s of flagd', (_, targeting, matching, other) => {
  const portable = fromFlagd(flagd(targeting));
  expect(portable.refused).toEqual([]);
  expect([answer(portable, 'f', matching as Context), answer(portable, 'f', other as Context)]).toEqual([
    true,
    false,
  ]);
});

const circle = { $evaluators: { a: { $ref: 'b' }, b: { $ref: 'a' } } };
const laughs = Object.fromEntries(
  Array.from({ length: 30 }, (_, at) => [
    `l${at}`,
    { and: at === 29 ? [true] : [{ $ref: `l${at + 1}` }, { $ref: `l${at + 1}` }] },
  ]),
);
let deep: unknown = true;
for (let at = 0; at < 1000; at += 1) deep = { '!': [deep] };
it.each([
  ['an operator without a word', flagd({ if: [{ map: [{ var: 'a' }, 1] }, 'on'] }), "'map'"],
  ['an attribute within another', flagd({ if: [{ '==': [{ var: 'user.name' }, 'x'] }, 'on'] }), 'user.name'],
  ['a variant that is not there', flagd({ if: [true, 'blue'] }), 'blue'],
  ['a circle', { ...flagd({ if: [{ $ref: 'a' }, 'on'] }), ...circle }, 'refers to itself'],
  ['references without end', { ...flagd({ if: [{ $ref: 'l0' }, 'on'] }), $evaluators: laughs }, 'too large'],
  ['questions without end', flagd({ if: [deep, 'on'] }), 'too large'],
  ['a weight that is none', flagd({ fractional: [['on', -1]] }), 'weight'],
  ['a state that is none', flagd(undefined, { state: 'MAYBE' }), 'state'],
])('refuses %s of flagd by name', (_, document, message) => {
  expect(fromFlagd(document)).toMatchObject({
    flags: [],
    refused: [{ subject: "flag 'f'", message: expect.stringContaining(message) }],
  });
});

const SPECIFICATION = 'test/conformance/unleash-client-specification';
const specified = readdirSync(SPECIFICATION, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.json') && name !== 'index.json')
  .map((name) => ({
    name,
    ...(JSON.parse(readFileSync(`${SPECIFICATION}/${name}`, 'utf8')) as Specification),
  }))
  .filter(({ tests }) => tests !== undefined);
interface Specification {
  readonly state: object;
  readonly tests?: readonly {
    toggleName: string;
    context: Record<string, unknown>;
    expectedResult: boolean;
  }[];
}

/** As an Unleash client would hand it over, with numbers as numbers, as the notes of an import ask for. */
function contextOf({ properties, userId, ...rest }: Record<string, unknown>): Context {
  const typed = Object.entries(properties ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value,
  ]);
  return {
    ...Object.fromEntries(typed),
    ...rest,
    ...(userId === undefined ? {} : { targetingKey: userId }),
  } as Context;
}

it('carries over what Unleash specifies: each flag that is for all or none of its part answers as there', () => {
  let asked = 0;
  const wrong: string[] = [];
  for (const { name, state, tests = [] } of specified) {
    const portable = fromUnleash(state);
    for (const { toggleName, context, expectedResult } of tests) {
      const key = toggleName.trim().toLowerCase();
      const flag = portable.flags.find((each) => each.key === key);
      // Other users are in a part of them; and what is split is not a matter of on and off.
      const isSure = flag && !/"coverage":(?!0,|10000,)|"bucket"/.test(JSON.stringify(flag));
      if (!isSure || flag.valueType !== 'boolean') continue;
      if (/NUM_|IN/.test(JSON.stringify(state)) && JSON.stringify(context).match(/"\d+"/)) continue;
      if (
        flagProblems(flag).length > 0 ||
        checkFlag({ ...flag, isArchived: false, version: 1, clientVisible: false }).length > 0
      )
        continue;
      asked += 1;
      const given = answer({ ...portable, flags: [{ ...flag, prerequisites: [] }] }, key, contextOf(context));
      if (given !== expectedResult) wrong.push(`${name}: ${toggleName} ${JSON.stringify(context)}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(40);
});

it('keeps who is in the part of a later strategy, shares of variants, segments and parents of Unleash', () => {
  const half = { name: 'flexibleRollout', parameters: { rollout: '50', stickiness: 'userId', groupId: 'g' } };
  const constraint = { contextName: 'plan', operator: 'IN', values: ['pro'] };
  const portable = fromUnleash({
    features: [
      { name: 'two', enabled: true, strategies: [half, { name: 'default', segments: [7] }] },
      {
        name: 'split',
        enabled: true,
        strategies: [half],
        variants: [
          { name: 'a', weight: 1, payload: { type: 'number', value: '3' } },
          { name: 'b', weight: 2 },
        ],
        dependencies: [{ feature: 'two' }],
      },
      { name: 'custom', enabled: true, strategies: [{ name: 'ours' }] },
    ],
    segments: [{ id: 7, name: 'Paying ones', constraints: [constraint] }],
  });
  expect(portable.refused).toEqual([
    { subject: "flag 'custom'", message: expect.stringContaining("strategy 'ours'") },
  ]);
  expect(portable.notes.map(({ message }) => message)).toContainEqual(expect.stringContaining('other users'));
  const people = Array.from({ length: 400 }, (_, at) => `user-${at}`);
  expect(
    people.every((targetingKey) => answer(portable, 'two', { targetingKey, plan: 'pro' }) === true),
  ).toBe(true);
  const on = people.filter((targetingKey) => answer(portable, 'two', { targetingKey }) === true).length;
  expect(on).toBeGreaterThan(150);
  expect(on).toBeLessThan(250);
  expect(portable.flags[1]).toMatchObject({
    valueType: 'json',
    variants: [
      { key: 'a', value: 3 },
      { key: 'b', value: 'b' },
      { key: 'disabled', value: null },
    ],
    prerequisites: [{ flagKey: 'two', variants: ['on'] }],
  });
});

it('tells that an export of Unleash has several environments', () => {
  const setting = (environment: string) => ({ featureName: 'a', environment, enabled: true });
  const document = { features: [{ name: 'a' }], featureEnvironments: [setting('dev'), setting('prod')] };
  expect(() => fromUnleash(document)).toThrow(UnreadableDocument);
});

it('takes an environment by its name, also one that every JavaScript object answers to', () => {
  const flag = { flag_id: 'a', name: 'A', enabled: true, rollout_percentage: 100 };
  const keys = ['prod', 'eu', 'constructor'].map(
    (environment) => convert('evaluation', { flags: [{ ...flag, environment }] }).flags[0]?.environmentKey,
  );
  expect(keys).toEqual(['production', 'eu', 'constructor']);
});

it.each([
  ['a page that asks for a login', { detail: 'Not authenticated' }, 'flags: '],
  ['more than can be looked through', Array.from({ length: 100_001 }, () => null), '100000'],
])('says what is wrong with a list that is %s', (_, document, message) => {
  expect(() => convert('edge', document)).toThrow(message);
});

it.each([
  ['no address', 'http://[eu', {}, 'is no address'],
  ['an address with a password in it', 'http://me:s3cret@127.0.0.1:9/flags', {}, '--key or --token'],
  ['a key that no request can carry', 'http://127.0.0.1:9/flags', { key: 's3cret\n2' }, 'cannot be sent'],
])('says so of %s, and shows no secret', async (_, place, credentials, message) => {
  for (const system of ['edge', 'dashboard', 'platform'] as const) {
    const error: unknown = await readFrom(system, place, credentials).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoDocument);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('s3cret');
  }
});

it.each(SYSTEMS)(
  'answers whatever is handed to it as %s with flags, refusals, or that it is no such document',
  (system) => {
    const hostile = [
      null,
      1,
      'x',
      [],
      {},
      [null],
      { flags: null },
      { flags: [[]] },
      { flags: { a: 1 } },
      { features: [{}] },
      { vexil: 1, flags: [{ key: 5 }] },
      { flags: [{ key: 'k', name: { toString: 1 } }] },
      JSON.parse('{"flags":{"__proto__":{"state":"ENABLED"}},"features":[{"__proto__":1}]}'),
    ];
    for (const document of hostile) {
      try {
        expect(convert(system, document).flags).toEqual([]);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableDocument);
      }
    }
  },
);

it('writes for flagd only what it can say, and names the rest', () => {
  const [plain] = convert('edge', [{ name: 'plain', enabled: true, rollout_percentage: 100 }]).flags;
  const flag = plain!;
  const condition = {
    attribute: 'ip',
    operator: 'in_cidr',
    values: ['10.0.0.0/8'],
    negate: false,
    caseInsensitive: false,
  } as const;
  const flags = [
    flag,
    { ...flag, key: 'off', isEnabled: false },
    {
      ...flag,
      key: 'network',
      rules: [{ id: 'r', name: null, conditions: { all: [condition] }, serve: { variant: 'on' } }],
    },
    { ...flag, key: 'needing', prerequisites: [{ flagKey: 'plain', variants: ['on'] }] },
  ];
  const { document, refused } = toFlagd({ flags, segments: [] }, { isApproximate: false });
  expect(document.flags).toEqual({
    plain: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'on' },
    off: { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' },
  });
  expect(refused.map(({ subject }) => subject)).toEqual(["flag 'network'", "flag 'needing'"]);
});

it('puts things after those they need, and what is in a circle last', () => {
  const needs: Record<string, string[]> = { a: ['b'], b: ['c', 'gone'], x: ['y'], y: ['x'] };
  const things = ['x', 'a', 'y', 'b', 'c'].map((key) => ({ key }));
  expect(inOrder(things, ({ key }) => needs[key] ?? []).map(({ key }) => key)).toEqual([
    'c',
    'b',
    'a',
    'x',
    'y',
  ]);
});
