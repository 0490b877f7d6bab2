/** Puts the golden evaluations to the HTTP API; test/core/conformance.test.ts puts the same to the core. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Api, type Json } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';

interface Rollout {
  coverage: number;
  salt: string;
  bucket_by?: string;
  ranges: { variant: string; from: number; to: number }[];
}
interface GoldenFlag {
  key: string;
  value_type: string;
  variants: Json[];
  is_enabled: boolean;
  is_archived: boolean;
  off_variant: string | null;
  default_serve: { variant: string } | { rollout: Rollout };
  version: number;
  prerequisites?: Json[];
  targets?: Json[];
  rules?: Json[];
}
interface Case {
  name: string;
  flag: string;
  context: Json;
  expect: {
    value: unknown;
    variant: string | null;
    reason_code: string;
    error_code: string | null;
    flag_version: number | null;
    reason: string;
  };
}
interface Golden {
  ruleset: { environment_key: string; flags: GoldenFlag[]; segments?: (Json & { key: string })[] };
  cases: Case[];
}
interface Operators {
  groups: {
    title: string;
    condition: Json & { attribute: string };
    holds: unknown[];
    fails: unknown[];
    missing: boolean;
  }[];
}
const read = (file: string): unknown => JSON.parse(readFileSync(`test/conformance/${file}`, 'utf8'));
const golden = read('evaluation.json') as Golden;
const targeted = read('targeting.json') as Golden;
const operators = read('operators.json') as Operators;
const environment_key = golden.ruleset.environment_key;
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];
/** Broken on purpose: no editor could make these. */
const BROKEN = ['future-hash', 'lost-variant'];
/** Names mean something to JavaScript, so the edge refuses them. */
const isNamed = (value: unknown): boolean =>
  typeof value !== 'object' ||
  value === null ||
  Object.entries(value).every(([name, inner]) => !FORBIDDEN.includes(name) && isNamed(inner));
/** The edge refuses a user that is neither text nor number, instead of taking it for none. */
const isUser = (value: unknown) => ['string', 'number', 'undefined'].includes(typeof value) || value === null;

let vexil: TestApp;
let api: Api;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  for (const flag of golden.ruleset.flags) await make(flag);
  await store(targeted);
  for (const [index, { condition }] of operators.groups.entries())
    for (const negate of [false, true])
      await makeRule(`operator-${index}-${negate}`, { ...condition, negate });
});
afterAll(() => vexil.close());

async function make({ is_archived, default_serve, version, ...flag }: GoldenFlag): Promise<void> {
  const broken = BROKEN.includes(flag.key);
  await api.newFlag({ ...flag, environment_key, ...(broken ? {} : { default_serve: asked(default_serve) }) });
  if (is_archived) await api.change(flag.key, { archived: true }, environment_key);
  const where = `WHERE flag_id = (SELECT id FROM flags WHERE key = $1)`;
  if (broken)
    await vexil.query(`UPDATE flag_settings SET default_serve = $2 ${where}`, [flag.key, default_serve]);
  // Versions count; the golden ones are what they are.
  await vexil.query(`UPDATE flag_settings SET version = $2 ${where}`, [flag.key, version]);
  await api.delete(`/flags/${flag.key}/cache`);
}

/** As it stands: some of it is broken, or circular, on purpose, and no editor could make it. */
async function store({ ruleset }: Golden): Promise<void> {
  for (const { key, included = [], excluded = [], conditions = null } of ruleset.segments ?? []) {
    await api.post('/segments', { key, name: key, environment_key: 'staging' });
    await vexil.query(`UPDATE segments SET included = $2, excluded = $3, conditions = $4 WHERE key = $1`, [
      key,
      ...[included, excluded, conditions].map((part) => JSON.stringify(part)),
    ]);
  }
  for (const {
    key,
    value_type,
    variants,
    is_enabled,
    is_archived,
    off_variant,
    version,
    ...parts
  } of ruleset.flags) {
    await api.newFlag({ key, value_type, variants, is_enabled, off_variant, environment_key: 'staging' });
    if (is_archived) await api.change(key, { archived: true }, 'staging');
    const { prerequisites = [], targets = [], rules = [], default_serve } = parts;
    await vexil.query(
      `UPDATE flag_settings SET prerequisites = $2, targets = $3, rules = $4, default_serve = $5, version = $6
       WHERE flag_id = (SELECT id FROM flags WHERE key = $1) AND environment_id = (SELECT id FROM environments WHERE key = 'staging')`,
      [key, ...[prerequisites, targets, rules, default_serve].map((part) => JSON.stringify(part)), version],
    );
  }
  await api.delete('/flags/any/cache');
}

/** Through the editor's door: on where the condition holds. */
const makeRule = (key: string, condition: Json) =>
  api.newFlag({
    key,
    is_enabled: true,
    default_serve: { variant: 'off' },
    rules: [{ conditions: { all: [condition] }, serve: { variant: 'on' } }],
  });

function asked(serve: GoldenFlag['default_serve']): Json {
  if ('variant' in serve) return serve;
  const { coverage, salt, bucket_by = 'targetingKey', ranges } = serve.rollout;
  const shares = new Map<string, number>();
  for (const { variant, from, to } of ranges) shares.set(variant, (shares.get(variant) ?? 0) + to - from);
  const weights = [...shares].map(([variant, share]) => ({ variant, weight: share / 100 }));
  return { rollout: { percentage: coverage / 100, salt, bucket_by, weights, allocation: ranges } };
}

it.each(golden.cases.filter(({ context }) => isUser(context['targetingKey'])))(
  '$name',
  async ({ flag, context, expect: expected }) => {
    const body = { environment_key, context };
    const { body: answer } = await api.as('nobody').post(`/evaluate/${flag}`, body);
    const { value, variant, reason_code, error_code = null, flag_version, reason } = answer;
    expect({ value, variant, reason_code, error_code, flag_version, reason }).toEqual(expected);

    const many = await api.as('nobody').post('/evaluate', { ...body, flag_keys: [flag] });
    expect(many.body.flags).toEqual([answer]);
    const names = Object.keys(context);
    if (names.some((name) => name !== 'targetingKey') || context['targetingKey'] === null) return;
    const user = context['targetingKey'] as string | undefined;
    expect(await api.as('nobody').evaluate(flag, user, environment_key)).toEqual(answer);
  },
);

it.each(targeted.cases.filter(({ context }) => isNamed(context) && isUser(context['targetingKey'])))(
  'targeting: $name',
  async ({ flag, context, expect: expected }) => {
    const body = { environment_key: 'staging', context };
    const { body: answer } = await api.as('nobody').post(`/evaluate/${flag}`, body);
    const { value, variant, reason_code, error_code = null, flag_version, reason } = answer;
    expect({ value, variant, reason_code, error_code, flag_version, reason }).toEqual({
      ...expected,
      reason: expected.reason.replace(targeted.ruleset.environment_key, 'staging'),
    });
  },
);

describe.each(operators.groups.map((group, index) => ({ ...group, index })))(
  'operator: $title',
  ({ index, condition, holds, fails, missing }) => {
    const contexts: [Json, boolean][] = [
      ...holds.map((value): [Json, boolean] => [{ [condition.attribute]: value }, true]),
      ...fails.map((value): [Json, boolean] => [{ [condition.attribute]: value }, false]),
      // The service has a clock of its own.
      ...(condition.attribute === 'now' ? [] : [[{}, missing] as [Json, boolean]]),
    ];

    it('holds, and fails, where it should', async () => {
      for (const [context, expected] of contexts.filter(
        ([each]) => isNamed(each) && isUser(each['targetingKey']),
      )) {
        const answers = await api.as('nobody').post('/evaluate', {
          environment_key: 'development',
          context,
          flag_keys: [`operator-${index}-false`, `operator-${index}-true`],
        });
        const values = answers.body.flags?.map(({ value }: Json) => value);
        expect([context, values]).toEqual([context, [expected, !expected]]);
      }
    });
  },
);
