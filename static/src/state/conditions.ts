import type { Schemas } from '../api/client.js';

export type Condition = Schemas['Condition'];
export type ConditionGroup = Schemas['ConditionGroup'];
export type Node = Condition | ConditionGroup;
export type Operator = Condition['operator'];
export type Value = Condition['values'][number];

/** What kind of values an operator takes. */
export type ValueKind =
  | 'any'
  | 'text'
  | 'numbers'
  | 'two numbers'
  | 'versions'
  | 'moment'
  | 'nothing'
  | 'networks'
  | 'segments'
  | 'buckets';

interface OperatorWords {
  readonly is: string;
  readonly isNot: string;
  readonly values: ValueKind;
  readonly hasCase?: true;
}

export const OPERATORS: Readonly<Record<Operator, OperatorWords>> = {
  equals: { is: 'is', isNot: 'is not', values: 'any', hasCase: true },
  in: { is: 'is one of', isNot: 'is none of', values: 'any', hasCase: true },
  contains: { is: 'contains', isNot: 'does not contain', values: 'text', hasCase: true },
  starts_with: { is: 'starts with', isNot: 'does not start with', values: 'text', hasCase: true },
  ends_with: { is: 'ends with', isNot: 'does not end with', values: 'text', hasCase: true },
  matches: { is: 'matches the pattern', isNot: 'does not match the pattern', values: 'text', hasCase: true },
  gt: { is: 'is greater than', isNot: 'is not greater than', values: 'numbers' },
  gte: { is: 'is at least', isNot: 'is not at least', values: 'numbers' },
  lt: { is: 'is less than', isNot: 'is not less than', values: 'numbers' },
  lte: { is: 'is at most', isNot: 'is not at most', values: 'numbers' },
  between: { is: 'is between', isNot: 'is not between', values: 'two numbers' },
  semver_eq: { is: 'is version', isNot: 'is not version', values: 'versions' },
  semver_gt: { is: 'is newer than version', isNot: 'is not newer than version', values: 'versions' },
  semver_gte: { is: 'is at least version', isNot: 'is not at least version', values: 'versions' },
  semver_lt: { is: 'is older than version', isNot: 'is not older than version', values: 'versions' },
  semver_lte: { is: 'is at most version', isNot: 'is not at most version', values: 'versions' },
  semver_in_range: {
    is: 'is in the version range',
    isNot: 'is not in the version range',
    values: 'versions',
  },
  before: { is: 'is before', isNot: 'is not before', values: 'moment' },
  after: { is: 'is after', isNot: 'is not after', values: 'moment' },
  is_set: { is: 'is set', isNot: 'is not set', values: 'nothing' },
  contains_any: { is: 'has any of', isNot: 'has none of', values: 'any' },
  contains_all: { is: 'has all of', isNot: 'lacks some of', values: 'any' },
  in_cidr: { is: 'is in the network', isNot: 'is not in the network', values: 'networks' },
  in_segment: { is: 'is in the segment', isNot: 'is not in the segment', values: 'segments' },
  bucket: { is: 'falls in the share', isNot: 'does not fall in the share', values: 'buckets' },
};

export const GROUPS: readonly (readonly [string, readonly Operator[]])[] = [
  ['Value', ['in', 'equals', 'is_set']],
  ['Text', ['contains', 'starts_with', 'ends_with', 'matches']],
  ['Number', ['gt', 'gte', 'lt', 'lte', 'between']],
  ['Version', ['semver_eq', 'semver_gt', 'semver_gte', 'semver_lt', 'semver_lte', 'semver_in_range']],
  ['Time', ['before', 'after']],
  ['List', ['contains_any', 'contains_all']],
  ['Other', ['in_segment', 'in_cidr', 'bucket']],
];

export const isGroup = (node: Node): node is ConditionGroup => !('operator' in node);

export type GroupKind = 'all' | 'any' | 'none' | 'not all';

/** A group as an editor shows it: `not` is a matter of its kind. */
export function readGroup(group: ConditionGroup): { kind: GroupKind; items: readonly Node[] } {
  if ('all' in group) return { kind: 'all', items: group.all };
  if ('any' in group) return { kind: 'any', items: group.any };
  const inner = group.not;
  if (!isGroup(inner)) return { kind: 'none', items: [inner] };
  if ('any' in inner) return { kind: 'none', items: inner.any };
  if ('all' in inner) return { kind: 'not all', items: inner.all };
  return { kind: 'none', items: [inner] };
}

export function writeGroup(kind: GroupKind, items: readonly Node[]): ConditionGroup {
  const list = [...items];
  const group = (): ConditionGroup => {
    switch (kind) {
      case 'all':
        return { all: list };
      case 'any':
        return { any: list };
      case 'none':
        return { not: { any: list } };
      case 'not all':
        return { not: { all: list } };
    }
  };
  return group();
}

export const newCondition = (): Condition => ({ attribute: '', operator: 'in', values: [], negate: false });

/** What the values of an operator become when another one is chosen: they stay where they mean something. */
export function withOperator(condition: Condition, operator: Operator, negate: boolean): Condition {
  const [from, to] = [OPERATORS[condition.operator].values, OPERATORS[operator].values];
  const next: Condition = { attribute: condition.attribute, operator, values: condition.values, negate };
  if (condition.case_insensitive && OPERATORS[operator].hasCase) next.case_insensitive = true;
  if (to === 'text') next.values = condition.values.map(String);
  else if (to === 'buckets') next.values = from === 'buckets' ? condition.values : [0, 1_000];
  else if (to === 'numbers' || to === 'two numbers')
    next.values = to === from ? condition.values : to === 'numbers' ? [0] : [0, 100];
  else if (to !== from && to !== 'any') next.values = [];
  if (to === 'segments') next.attribute = 'user_id';
  if (to === 'buckets' && next.attribute === '') next.attribute = 'user_id';
  return next;
}

/** `country is one of DE, AT` */
export function conditionSentence({
  attribute,
  operator,
  values,
  negate,
  case_insensitive,
}: Condition): string {
  const words = OPERATORS[operator];
  const verb = negate ? words.isNot : words.is;
  const shown =
    values.slice(0, 5).map(String).join(', ') + (values.length > 5 ? ` and ${values.length - 5} more` : '');
  if (operator === 'in_segment') return `user ${verb} ${shown}`;
  if (operator === 'bucket')
    return `${attribute} ${verb} ${Number(values[0]) / 100}% to ${Number(values[1]) / 100}%`;
  if (operator === 'between') return `${attribute} ${verb} ${String(values[0])} and ${String(values[1])}`;
  return `${attribute || '(no attribute)'} ${verb}${shown === '' ? '' : ` ${shown}`}${case_insensitive ? ' (ignoring case)' : ''}`;
}

const JOINTS: Record<GroupKind, readonly [string, string]> = {
  all: ['', ' and '],
  any: ['', ' or '],
  none: ['neither ', ' nor '],
  'not all': ['not all of ', ' and '],
};

/** `plan is one of pro, team and (country is DE or country is AT)` */
export function groupSentence(group: ConditionGroup): string {
  const { kind, items } = readGroup(group);
  if (items.length === 0) return kind === 'all' ? 'everyone' : 'nobody';
  const [only] = items;
  if (kind === 'none' && only && items.length === 1)
    return isGroup(only)
      ? `not (${groupSentence(only)})`
      : conditionSentence({ ...only, negate: !only.negate });
  const [lead, joint] = JOINTS[kind];
  const parts = items.map((item) =>
    isGroup(item)
      ? items.length > 1
        ? `(${groupSentence(item)})`
        : groupSentence(item)
      : conditionSentence(item),
  );
  return `${lead}${parts.join(joint)}`;
}

/** Attributes that conditions speak of. */
export function attributesIn(node: Node): string[] {
  if (!isGroup(node)) return [node.attribute];
  return readGroup(node).items.flatMap(attributesIn);
}
