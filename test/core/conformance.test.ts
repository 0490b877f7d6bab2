/** Runs the golden cases against the core; another runner puts the same cases to the HTTP API. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  compile,
  type Context,
  evaluate,
  type JsonValue,
  parseSnapshot,
  reasonSentence,
} from '../../src/core/index.js';
import { compiledFrom, flagWire, patterns, ruleWire, type Wire } from '../support/builders.js';

interface Evaluations {
  readonly specVersion: number;
  readonly ruleset: { readonly environment_key: string };
  readonly cases: { name: string; flag: string; context: Context; expect: Record<string, unknown> }[];
}

interface Operators {
  readonly specVersion: number;
  readonly groups: {
    readonly title: string;
    readonly condition: Wire & { readonly attribute: string };
    readonly holds: readonly JsonValue[];
    readonly fails: readonly JsonValue[];
    readonly missing: boolean;
  }[];
}

const read = (file: string): unknown => JSON.parse(readFileSync(`test/conformance/${file}`, 'utf8'));

describe.each(['evaluation.json', 'targeting.json'])('given %s', (file) => {
  const golden = read(file) as Evaluations;
  const parsed = parseSnapshot(golden.ruleset);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const compiled = compile(parsed.snapshot, { patterns });

  it('is of the version this test speaks, with names of their own', () => {
    expect(golden.specVersion).toBe(1);
    expect(new Set(golden.cases.map(({ name }) => name)).size).toBe(golden.cases.length);
  });

  it.each(golden.cases)('$name', ({ flag, context, expect: expected }) => {
    const decision = evaluate(compiled, flag, context);
    expect({
      value: decision.value ?? null,
      variant: decision.variant ?? null,
      reason_code: decision.reason,
      error_code: decision.errorCode ?? null,
      flag_version: decision.version ?? null,
      reason: reasonSentence(decision, golden.ruleset.environment_key),
    }).toEqual(expected);
  });
});

const operators = read('operators.json') as Operators;

it('has operator cases of the version this test speaks, with titles of their own', () => {
  expect(operators.specVersion).toBe(1);
  expect(new Set(operators.groups.map(({ title }) => title)).size).toBe(operators.groups.length);
});

const rows = operators.groups.flatMap(({ title, condition, holds, fails, missing }) => {
  const attribute = condition.attribute;
  const asked = (value: JsonValue): Context =>
    Object.defineProperty({}, attribute, { value, enumerable: true });
  const contexts: [Context, boolean][] = [
    ...holds.map((value): [Context, boolean] => [asked(value), true]),
    ...fails.map((value): [Context, boolean] => [asked(value), false]),
    [{}, missing],
  ];
  return contexts.map(([context, expected]) => ({ title, condition, context, expected }));
});

it('has at least 400 rows', () => {
  expect(rows.length).toBeGreaterThan(400);
});

describe.each([false, true])('given conditions with negate %s', (negate) => {
  const compiled = new Map<unknown, ReturnType<typeof compiledFrom>>();
  const isOn = (condition: Wire, context: Context) => {
    const flag = (): Wire =>
      flagWire('f', {
        rules: [ruleWire('r', [{ ...condition, negate }])],
        default_serve: { variant: 'off' },
      });
    const snapshot = compiled.get(condition) ?? compiledFrom(flag());
    compiled.set(condition, snapshot);
    return evaluate(snapshot, 'f', context).value;
  };

  it.each(rows)('$title: $context', ({ condition, context, expected }) => {
    expect(isOn(condition, context)).toBe(expected !== negate);
  });
});
