import { expect, it } from '@jest/globals';
import { type Flag, lint, lintSegment, parseSegment } from '../../src/core/index.js';
import {
  conditionWire,
  flagWire,
  ON_OFF,
  rolloutWire,
  rulesetWire,
  ruleWire,
  segmentWire,
  snapshotFrom,
  type Wire,
} from '../support/builders.js';

const segments = [
  segmentWire('staff', { included: ['alice'] }),
  segmentWire('nobody'),
  segmentWire('gone', { included: ['alice'], excluded: ['alice'] }),
  segmentWire('nested', { conditions: { any: [{ operator: 'in_segment', values: ['nobody', 'gone'] }] } }),
];
const warningsOf = (changes: Wire) => {
  const given = snapshotFrom(rulesetWire([flagWire('f', changes)], { segments }));
  return lint(given.flags[0] as Flag, given).map(({ code, path }) => [code, path]);
};
const dutch = conditionWire('country', 'equals', ['NL']);
const inSegment = (...values: string[]) => ({ operator: 'in_segment', values });
const off = { default_serve: { variant: 'off' } };

it.each<[string, Wire, string[][]]>([
  ['a plain flag', {}, []],
  ['a flag with a rule', { ...off, rules: [ruleWire('r', [dutch])] }, []],
  ['a plain percentage', { default_serve: rolloutWire('s', 2_500) }, []],
  [
    'a rule after one for everybody',
    { ...off, rules: [ruleWire('all', []), ruleWire('r', [dutch])] },
    [['unreachable_rule', 'rules[1]']],
  ],
  [
    'a rule that asks what an earlier one asked',
    { ...off, rules: [ruleWire('a', [dutch]), ruleWire('b', [dutch])] },
    [['unreachable_rule', 'rules[1]']],
  ],
  [
    'a rule that wants two countries at once',
    { rules: [ruleWire('r', [dutch, conditionWire('country', 'in', ['BE', 'LU'])])] },
    [['rule_matches_nobody', 'rules[0].conditions']],
  ],
  [
    'a rule with an empty list',
    { rules: [ruleWire('r', [conditionWire('country', 'in', [])])] },
    [['rule_matches_nobody', 'rules[0].conditions']],
  ],
  [
    'a rule that negates an empty list',
    { ...off, rules: [ruleWire('r', [conditionWire('a', 'in', [], { negate: true })])] },
    [],
  ],
  [
    'a rule for an empty segment',
    { rules: [ruleWire('r', [inSegment('nested')])] },
    [
      ['rule_matches_nobody', 'rules[0].conditions'],
      ['empty_segment', 'rules[0].conditions'],
    ],
  ],
  [
    'a rule for a segment and an empty one',
    { ...off, rules: [ruleWire('r', [inSegment('staff', 'gone')])] },
    [['empty_segment', 'rules[0].conditions']],
  ],
  [
    'a variant nobody gets',
    {
      variants: [...ON_OFF, { key: 'spare', value: true }],
      ...off,
      targets: [
        { variant: 'on', keys: ['a'] },
        { variant: 'spare', keys: [] },
      ],
    },
    [['variant_never_served', 'variants[2]']],
  ],
  [
    'a percentage of 0',
    { default_serve: rolloutWire('s', 0) },
    [
      ['percentage_without_effect', 'default_serve.rollout'],
      ['variant_never_served', 'variants[0]'],
    ],
  ],
  [
    'a percentage of 100',
    { default_serve: rolloutWire('s', 10_000) },
    [['percentage_without_effect', 'default_serve.rollout']],
  ],
  [
    'a bucket for everybody',
    { ...off, rules: [ruleWire('r', [{ operator: 'bucket', values: [0, 10_000], salt: 's' }])] },
    [['percentage_without_effect', 'rules[0].conditions.all[0]']],
  ],
])('says of %s what looks wrong', (_, changes, expected) => {
  expect(warningsOf(changes)).toEqual(expected);
});

it.each([
  ['staff', []],
  ['nobody', ['empty_segment']],
  ['gone', ['empty_segment']],
  ['nested', ['empty_segment', 'empty_segment', 'empty_segment']],
])('says of segment %s what looks wrong', (key, codes) => {
  const parsed = parseSegment(segments.find((each) => each['key'] === key));
  if (!parsed.ok) throw new Error('it can be read');
  const given = snapshotFrom(rulesetWire([], { segments }));
  expect(lintSegment(parsed.segment, given).map(({ code }) => code)).toEqual(codes);
});
