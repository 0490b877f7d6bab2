import { describe, expect, it } from '@jest/globals';
import {
  describeChanges,
  fieldWords,
  rebase,
  updateOf,
  type FlagDraft,
} from '../../static/src/state/flag-draft.js';
import {
  groupSentence,
  readGroup,
  writeGroup,
  type ConditionGroup,
} from '../../static/src/state/conditions.js';
import { diffLines } from '../../static/src/state/line-diff.js';
import { auditCsv, csvCell } from '../../static/src/state/audit-export.js';

const draft: FlagDraft = {
  name: 'New checkout',
  description: null,
  tags: ['mobile'],
  owner: null,
  variants: [
    { key: 'on', value: true },
    { key: 'off', value: false },
  ],
  client_visible: false,
  off_variant: 'off',
  prerequisites: [],
  targets: [],
  rules: [],
  default_serve: {
    rollout: { percentage: 25, weights: [{ variant: 'on', weight: 100 }], bucket_by: 'user_id' },
  },
};
const condition = (attribute: string, values: string[]) => ({
  attribute,
  operator: 'in' as const,
  values,
  negate: false,
});
const group = (value: unknown): ConditionGroup => value as ConditionGroup;

describe('a draft', () => {
  it('sends only what was changed', () => {
    expect(updateOf(draft, { ...draft, tags: ['mobile', 'payments'] })).toEqual({
      tags: ['mobile', 'payments'],
    });
    expect(updateOf(draft, { ...draft })).toEqual({});
  });

  it('is laid over what somebody else saved meanwhile', () => {
    const mine = { ...draft, owner: 'me@example.com' };
    const theirs = { ...draft, name: 'Newer checkout' };
    expect(rebase(draft, mine, theirs)).toEqual({ ...theirs, owner: 'me@example.com' });
  });

  it('says in sentences what was changed', () => {
    const rule = {
      id: 'r1',
      name: null,
      conditions: group({ all: [condition('plan', ['pro', 'team']), { not: condition('country', ['DE']) }] }),
      serve: { variant: 'on' },
    };
    const after: FlagDraft = {
      ...draft,
      default_serve: { variant: 'on' },
      rules: [rule],
      targets: [{ variant: 'on', keys: ['alice'], count: 1 }],
    };
    expect(describeChanges(draft, after)).toEqual([
      'on: 1 listed user added: alice',
      'New rule 1: if plan is one of pro, team and (country is none of DE), serve on to everyone',
      'Everyone else: serve on to everyone, instead of on to 25% of users, off to the rest',
    ]);
  });

  it('tells of rules that changed places only', () => {
    const rules = ['a', 'b'].map((id) => ({
      id,
      name: id,
      conditions: group({ all: [] }),
      serve: { variant: 'on' },
    }));
    const sentences = describeChanges({ ...draft, rules }, { ...draft, rules: [...rules].reverse() });
    expect(sentences).toEqual(['The rules are in another order']);
  });
});

it('names fields as people do', () => {
  expect(fieldWords(['name'])).toBe('the name');
  expect(fieldWords(['tags', 'rules', 'default_serve'])).toBe(
    'the tags, the rules and what everyone else gets',
  );
});

describe('groups of conditions', () => {
  it.each([
    [{ all: [condition('a', ['1'])] }, 'all'],
    [{ any: [condition('a', ['1'])] }, 'any'],
    [{ not: { any: [condition('a', ['1'])] } }, 'none'],
    [{ not: { all: [condition('a', ['1'])] } }, 'not all'],
  ])('are written as they were read: %j', (wire, kind) => {
    const read = readGroup(group(wire));
    expect(read.kind).toBe(kind);
    expect(writeGroup(read.kind, read.items)).toEqual(wire);
  });

  it('read as a sentence', () => {
    const wire = {
      all: [condition('plan', ['pro']), { any: [condition('a', ['1']), condition('b', ['2'])] }],
    };
    expect(groupSentence(group(wire))).toBe('plan is one of pro and (a is one of 1 or b is one of 2)');
    expect(groupSentence(group({ all: [] }))).toBe('everyone');
    expect(groupSentence(group({ any: [] }))).toBe('nobody');
    const [one, two] = [condition('a', ['1']), condition('b', ['2'])];
    expect(groupSentence(group({ not: one }))).toBe('a is none of 1');
    expect(groupSentence(group({ not: { all: [one, two] } }))).toBe(
      'not all of a is one of 1 and b is one of 2',
    );
    expect(groupSentence(group({ not: { any: [one, two] } }))).toBe(
      'neither a is one of 1 nor b is one of 2',
    );
    expect(groupSentence(group({ not: { any: [{ all: [one, two] }] } }))).toBe(
      'not (a is one of 1 and b is one of 2)',
    );
  });
});

describe('what is shown of differences', () => {
  it('is what was removed and added, with what is around it', () => {
    expect(diffLines('a\nb\nc\nd\ne\nf', 'a\nb\nX\nd\ne\nf', 1)).toEqual([
      { kind: 'same', text: 'b' },
      { kind: 'removed', text: 'c' },
      { kind: 'added', text: 'X' },
      { kind: 'same', text: 'd' },
    ]);
  });
});

describe('an exported audit log', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['+49', "'+49"],
    ['-1', "'-1"],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    [null, ''],
    [12, '12'],
  ])('holds %j as %j', (value, cell) => {
    expect(csvCell(value)).toBe(cell);
  });

  it('has a head', () => {
    expect(auditCsv([])).toMatch(/^position,time,actor_type,actor,action,/);
  });
});
