import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkFlag,
  checkPrerequisites,
  checkRules,
  checkSegment,
  checkTargets,
  parseConditions,
  parsePrerequisites,
  parseRules,
  parseSegment,
  parseTargets,
  type Problem,
  type Segment,
  serializeConditions,
} from '../../src/core/index.js';
import { conditions, flag, segment } from '../support/arbitraries.js';
import { conditionWire, ON_OFF, patterns, rolloutWire, ruleWire, segmentWire } from '../support/builders.js';

const paths = (problems: readonly Problem[]) => problems.map(({ path }) => path);

it('finds nothing wrong with any flag or segment that is right', () => {
  fc.assert(
    fc.property(flag(), segment(), (one, other) => {
      expect(checkFlag(one)).toEqual([]);
      expect(checkSegment(other, { patterns })).toEqual([]);
    }),
  );
});

it('gives back the conditions that were spelled out', () => {
  fc.assert(
    fc.property(conditions(), (original) => {
      const spelled: unknown = JSON.parse(JSON.stringify(serializeConditions(original)));
      expect(parseConditions(spelled)).toEqual({ ok: true, conditions: original });
    }),
  );
});

/** Both what cannot be read and what does not fit, as who saves rules wants to know it. */
function problemsOfRules(...rules: readonly unknown[]): string[] {
  const parsed = parseRules(rules);
  if (!parsed.ok) return paths(parsed.problems);
  return paths(checkRules(parsed.rules, ON_OFF, { patterns, segments: new Set(['staff']) }));
}

const at = (path: string) => [`[0].conditions.all[0].${path}`];

it.each<[string, unknown, string[]]>([
  ['an operator that is not known', conditionWire('a', 'near', ['x']), at('operator')],
  ['an operator named like a method', conditionWire('a', 'toString', ['x']), at('operator')],
  ['no attribute', { operator: 'equals', values: ['x'] }, at('attribute')],
  ['an empty attribute', conditionWire('', 'equals', ['x']), at('attribute')],
  ['no values', { attribute: 'a', operator: 'equals' }, at('values')],
  [
    'a value that is no scalar',
    conditionWire('a', 'in', ['x', null, ['y']]),
    [...at('values[1]'), ...at('values[2]')],
  ],
  ['a field that is not known', conditionWire('a', 'equals', ['x'], { negated: true }), at('negated')],
  ['a negation that is none', conditionWire('a', 'equals', ['x'], { negate: 'yes' }), at('negate')],
  ['several values for one', conditionWire('a', 'equals', ['x', 'y']), at('values')],
  ['a number for a text', conditionWire('a', 'contains', ['x', 5]), at('values[1]')],
  ['a text for a number', conditionWire('a', 'gt', ['5']), at('values[0]')],
  ['a text for a number in a span', conditionWire('a', 'between', [1, '5']), at('values[1]')],
  ['a span of one', conditionWire('a', 'between', [1]), at('values')],
  ['a span that runs backwards', conditionWire('a', 'between', [5, 1]), at('values[1]')],
  ['a version of two numbers', conditionWire('a', 'semver_gt', ['1.2']), at('values[0]')],
  ['a range that is none', conditionWire('a', 'semver_in_range', ['^1.0.0', '>>2']), at('values[1]')],
  ['a range of the wrong type', conditionWire('a', 'semver_in_range', [1]), at('values[0]')],
  ['a date without a place', conditionWire('a', 'before', ['2026-01-01T00:00:00']), at('values[0]')],
  ['a day that is not in the calendar', conditionWire('a', 'after', ['2026-02-30']), at('values[0]')],
  [
    'a network with too many bits',
    conditionWire('a', 'in_cidr', ['10.0.0.0/8', '10.0.0.0/33']),
    at('values[1]'),
  ],
  ['a network that is none', conditionWire('a', 'in_cidr', ['localhost/8']), at('values[0]')],
  [
    'a mapped network that reaches beyond',
    conditionWire('a', 'in_cidr', ['::ffff:10.0.0.0/90']),
    at('values[0]'),
  ],
  ['a pattern that is too long', conditionWire('a', 'matches', ['x'.repeat(257)]), at('values[0]')],
  ['a segment that is not there', { operator: 'in_segment', values: ['staff', 'lost'] }, at('values[1]')],
  ['a segment of another attribute', conditionWire('a', 'in_segment', ['staff']), at('attribute')],
  ['values for is_set', conditionWire('a', 'is_set', ['x']), at('values')],
  ['case for a number', conditionWire('a', 'gt', [5], { case_insensitive: true }), at('case_insensitive')],
  ['a salt for a text', conditionWire('a', 'equals', ['x'], { salt: 's' }), at('salt')],
  ['a bucket without a salt', conditionWire('a', 'bucket', [0, 5]), at('salt')],
  [
    'a bucket of another hash',
    conditionWire('a', 'bucket', [0, 5], { salt: 's', hash_version: 'crc' }),
    at('hash_version'),
  ],
  ['a bucket beyond the wheel', conditionWire('a', 'bucket', [0, 10_001], { salt: 's' }), at('values[1]')],
  ['a bucket between basis points', conditionWire('a', 'bucket', [0.5, 1], { salt: 's' }), at('values[0]')],
  ['a bucket that runs backwards', conditionWire('a', 'bucket', [5, 1], { salt: 's' }), at('values[1]')],
  ['nothing', null, ['[0].conditions.all[0]']],
  ['a group of two kinds', { all: [], any: [] }, ['[0].conditions.all[0]']],
  ['a group that is no list', { any: {} }, at('any')],
])('refuses a condition with %s, and says where', (_, condition, expected) => {
  expect(problemsOfRules(ruleWire('r', [condition]))).toEqual(expected);
});

it('says where in nested groups, and finds all problems at once', () => {
  const conditions = {
    any: [{ not: { all: [conditionWire('a', 'gt', ['x'])] } }, conditionWire('a', 'lt', [true])],
  };
  expect(problemsOfRules(ruleWire('a', []), ruleWire('a', [], { conditions }))).toEqual([
    '[1].id',
    '[1].conditions.any[0].not.all[0].values[0]',
    '[1].conditions.any[1].values[0]',
  ]);
});

it.each<[string, unknown, string[]]>([
  ['no id', { ...ruleWire('', []) }, ['[0].id']],
  ['no conditions', { id: 'r', serve: { variant: 'on' } }, ['[0].conditions']],
  [
    'a condition instead of a group',
    ruleWire('r', [], { conditions: conditionWire('a', 'equals', ['x']) }),
    ['[0].conditions'],
  ],
  ['a variant that is not known', ruleWire('r', [], { serve: { variant: 'blue' } }), ['[0].serve.variant']],
  [
    'a rollout beyond the whole',
    ruleWire('r', [], { serve: rolloutWire('s', 10_001) }),
    ['[0].serve.rollout.coverage'],
  ],
  ['nothing to serve', ruleWire('r', [], { serve: {} }), ['[0].serve.variant']],
  ['a field that is not known', ruleWire('r', [], { unless: {} }), ['[0].unless']],
])('refuses a rule with %s', (_, rule, expected) => {
  expect(problemsOfRules(rule)).toEqual(expected);
});

it('refuses groups that are nested too deep, without going there', () => {
  const nested = (depth: number): unknown => (depth === 0 ? { all: [] } : { not: nested(depth - 1) });
  expect(parseConditions(nested(19)).ok).toBe(true);
  expect(parseConditions(nested(20)).ok).toBe(false);
  const deep = parseConditions(nested(5_000));
  expect(deep.ok ? '' : deep.problems[0]?.message).toContain('nested at most 20');
});

it('refuses targets that list somebody twice, or a variant that is not known', () => {
  const parsed = parseTargets([
    { variant: 'on', keys: ['a', 'b'] },
    { variant: 'blue', keys: ['c', 'a'] },
  ]);
  if (!parsed.ok) throw new Error('they can be read');
  expect(paths(checkTargets(parsed.targets, ON_OFF))).toEqual(['[1].variant', '[1].keys[1]']);
  expect(parseTargets([{ variant: 'on', keys: ['a', '', 5] }])).toMatchObject({
    problems: [{ path: '[0].keys[1]' }, { path: '[0].keys[2]' }],
  });
});

const segmentOf = (key: string, ...uses: readonly string[]): Segment => {
  const parsed = parseSegment(
    segmentWire(key, { conditions: { any: [{ operator: 'in_segment', values: uses }] } }),
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.segment;
};

it('refuses a circle of segments, and names the way round', () => {
  const others = [segmentOf('b', 'c'), segmentOf('c', 'a', 'd'), segmentOf('d')];
  expect(checkSegment(segmentOf('a', 'b'), {}, [...others, segmentOf('a')])).toEqual([
    { path: 'conditions', message: 'must not run in a circle: a → b → c → a' },
  ]);
  expect(checkSegment(segmentOf('a', 'a'), {}, others)[0]?.message).toContain('a → a');
  expect(checkSegment(segmentOf('a', 'd'), {}, others)).toEqual([]);
  expect(paths(checkSegment(segmentOf('a', 'lost'), {}, others))).toEqual(['conditions.any[0].values[0]']);
});

it('refuses prerequisites that are missing, circular, of another variant or in too long a chain', () => {
  const flagOf = (key: string, ...needs: readonly string[]) => ({
    key,
    variants: ON_OFF,
    prerequisites: needs.map((flagKey) => ({ flagKey, variants: ['on'] })),
  });
  const check = (key: string, needs: readonly string[], others: readonly ReturnType<typeof flagOf>[]) =>
    checkPrerequisites(key, flagOf(key, ...needs).prerequisites, others);
  const others = [flagOf('a'), flagOf('b', 'c'), flagOf('c', 'a')];
  expect(check('a', ['b'], others)).toEqual([
    { path: '', message: 'must not run in a circle: a → b → c → a' },
  ]);
  expect(paths(check('a', ['a'], others))).toEqual(['[0].flag_key']);
  expect(paths(check('x', ['a', 'lost'], others))).toEqual(['[1].flag_key']);
  expect(check('x', ['a', 'b'], others)).toEqual([]);
  expect(paths(checkPrerequisites('x', [{ flagKey: 'a', variants: ['on', 'blue'] }], others))).toEqual([
    '[0].variants[1]',
  ]);
  const chain = Array.from({ length: 11 }, (_, index) =>
    flagOf(`c${index}`, ...(index > 0 ? [`c${index - 1}`] : [])),
  );
  expect(check('x', ['c9'], chain)).toEqual([]);
  expect(check('x', ['c10'], chain)[0]?.message).toContain('11 long');
  expect(check('c0', ['x'], [...chain, flagOf('x')])[0]?.message).toContain("'c10' 11 long");
  expect(parsePrerequisites([{ flag_key: 'a' }])).toMatchObject({ problems: [{ path: '[0].variants' }] });
});
