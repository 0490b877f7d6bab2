/** Equal conditions are prepared once for a whole snapshot, and nobody can tell. */
import { expect, it } from '@jest/globals';
import { compile, type CompiledSnapshot, evaluate, explain } from '../../src/core/index.js';
import {
  compiledWith,
  conditionWire,
  flagWire,
  patterns,
  ruleWire,
  rulesetWire,
  segmentWire,
  snapshotFrom,
} from '../support/builders.js';

const rulesOf = (flag: ReturnType<CompiledSnapshot['flags']['get']>) =>
  flag?.settled === undefined ? flag?.targeting?.rules : undefined;

const asking = (key: string, condition: unknown) => flagWire(key, { rules: [ruleWire('r', [condition])] });

it('shares what two flags and a segment ask alike, and answers each of them by itself', () => {
  const dutch = conditionWire('country', 'in', ['NL']);
  const compiled = compiledWith(
    [segmentWire('dutch', { conditions: { all: [dutch] } })],
    asking('one', dutch),
    asking('two', structuredClone(dutch)),
    asking('not-dutch', { ...dutch, negate: true }),
  );
  const [one] = rulesOf(compiled.flags.get('one')) ?? [];
  const [two] = rulesOf(compiled.flags.get('two')) ?? [];
  expect(one?.conditions).toBeDefined();
  expect(two?.conditions).toBe(one?.conditions);
  expect(compiled.segments.get('dutch')?.conditions).toBe(one?.conditions);

  for (const [country, matching] of [
    ['NL', ['one', 'two']],
    ['BE', ['not-dutch']],
  ] as const) {
    const context = { targetingKey: 'u', country };
    const matched = [...compiled.flags.keys()].filter(
      (key) => evaluate(compiled, key, context).reason === 'TARGETING_MATCH',
    );
    expect(matched).toEqual(matching);
    for (const key of compiled.flags.keys()) {
      expect(explain(compiled, key, context).decision).toEqual(evaluate(compiled, key, context));
    }
  }
});

it('tells what is wrong with equal conditions wherever they stand', () => {
  const impossible = conditionWire('email', 'matches', ['(']);
  const ruleset = rulesetWire([asking('one', impossible), asking('two', impossible)]);
  const { problems, unreadable } = compile(snapshotFrom(ruleset), { patterns });
  expect(problems.map(({ path }) => path)).toEqual([
    'flags[0].rules[0].conditions.all[0].values[0]',
    'flags[1].rules[0].conditions.all[0].values[0]',
  ]);
  expect(unreadable).toEqual(['one', 'two']);
});
