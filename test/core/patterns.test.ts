import { expect, it } from '@jest/globals';
import { checkConditions, type Condition, evaluate } from '../../src/core/index.js';
import { compiledFrom, conditionWire, flagWire, patterns, ruleWire } from '../support/builders.js';

/** Patterns that keep a backtracking engine busy for ages, with what to repeat and what to end with. */
const CATASTROPHIC: [pattern: string, repeated: string, end: string][] = [
  ['^(a+)+$', 'a', '!'],
  ['^(a*)*$', 'a', '!'],
  ['^(a|a)*$', 'a', '!'],
  ['^(a|aa)+$', 'a', '!'],
  ['^([a-z]+)*$', 'a', '1'],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', 'a', ''],
  ['(a+){10}y', 'a', ''],
  ['(.*a){12}$', 'a', '!'],
  ['^(\\d+)*$', '1', 'x'],
  ['^(\\w+\\s?)*$', 'a', '!'],
  [
    '^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$',
    'a',
    '!',
  ],
  ['^([0-9a-zA-Z]([-.\\w]*[0-9a-zA-Z])*@([0-9a-zA-Z][-\\w]*[0-9a-zA-Z]\\.)+[a-zA-Z]{2,9})$', 'a', '!'],
  ['\\s*,\\s*$', ' ', 'x'],
  ['^\\s+|\\s+$', ' ', 'x'],
  ['(x+x+)+y', 'x', ''],
  ['^(.+)+=$', 'a', ''],
  ['^(?:.?){50}a{20}$', 'a', 'b'],
  ['<([^>]*)*>', '<', ''],
  ['"(?:[^"\\\\]|\\\\.)*$', '\\a', '"'],
  ['^(?:a?b?)*$', 'ab', 'c'],
  ['(ab*)*c', 'ab', ''],
  ['^(0|1|01)*2$', '01', ''],
  ['^((ab)*|(ba)*)+$', 'ab', 'c'],
  ['(\\w*\\.)*\\w+@', 'a.', ''],
  ['^(https?://)?([\\w.-]+)+(/[\\w.-]*)*$', 'a', '!'],
  ['(?:[a-z]*[A-Z]*)*1', 'aA', ''],
  ['^(?:(?:a+)*b?)*c$', 'a', ''],
  ['.*.*.*=.*', 'x', ''],
  ['^(\\S+\\s*)+;$', 'a ', ''],
  ['(a?){25}a{25}', 'a', ''],
  ['^[\\w+.-]*([\\w+.-]+)*@', 'a', ''],
];

it.each(CATASTROPHIC)('finds out about %s in linear time', (pattern, repeated, end) => {
  const texts = [10_000, 1_024].map((length) => repeated.repeat(length).slice(0, length - end.length) + end);
  const find = patterns(pattern, false);
  find('warm up');
  const started = process.cpuUsage();
  find(texts[0]!);
  const { user, system } = process.cpuUsage(started);
  // The goal is 50 ms on an idle machine; the right order of magnitude on one that is not.
  expect((user + system) / 1_000).toBeLessThan(250);

  const compiled = compiledFrom(
    flagWire('f', { rules: [ruleWire('r', [conditionWire('a', 'matches', [pattern])])] }),
  );
  for (const text of texts) expect(evaluate(compiled, 'f', { a: text }).reason).not.toBe('ERROR');
});

it.each(['(?=a)b', '(?<=a)b', '(a)\\1', '(?<n>a)\\k<n>', '(', '[z-a]', '*', '(?!a)'])(
  'refuses %s when it is saved, and says which value it is',
  (pattern) => {
    const condition: Condition = {
      attribute: 'a',
      operator: 'matches',
      values: ['fine', pattern],
      negate: false,
      caseInsensitive: false,
    };
    const problems = checkConditions({ any: [condition] }, { patterns });
    expect(problems.map(({ path }) => path)).toEqual(['any[0].values[1]']);
    expect(problems[0]?.message).toContain('linear-time');
  },
);
