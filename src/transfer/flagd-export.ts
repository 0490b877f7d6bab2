import {
  BUCKETS,
  NOW,
  TARGETING_KEY,
  type Condition,
  type ConditionNode,
  type JsonValue,
  type Rollout,
  type Scalar,
  type Serve,
} from '../core/index.js';
import { Conversion, NotPortable } from './conversion.js';
import type { Portable, PortableFlag, PortableSegment, Remark } from './portable.js';

/** JSON that flagd reads as a question, or as an answer. */
export type Logic = JsonValue;

export interface FlagdDocument {
  readonly $schema: string;
  readonly flags: Readonly<Record<string, JsonValue>>;
  readonly $evaluators?: Readonly<Record<string, Logic>>;
}

export interface FlagdOptions {
  /** Whether rollouts and times may be written that flagd answers for other users, or to the second. */
  readonly isApproximate: boolean;
}

interface Surroundings extends FlagdOptions {
  readonly segments: ReadonlyMap<string, PortableSegment>;
  readonly note: (message: string) => void;
}

/** What stands for the caller's own default. */
const NOTHING = null;

/**
 * Writes flags as a flagd file. flagd gives each of them the values that Vexil gives; what it has no words for is refused by name.
 * @returns the file, with what was refused and what is approximate
 */
export function toFlagd(
  { flags, segments }: Pick<Portable, 'flags' | 'segments'>,
  options: FlagdOptions,
): { document: FlagdDocument; refused: readonly Remark[]; notes: readonly Remark[] } {
  const byKey = new Map(segments.map((segment) => [segment.key, segment]));
  const written: [string, JsonValue][] = [];
  const conversion = new Conversion();
  for (const flag of flags) {
    conversion.flag(flag.key, (note) => {
      written.push([flag.key, flagOf(flag, { ...options, segments: byKey, note })]);
      return flag;
    });
  }
  return {
    document: { $schema: 'https://flagd.dev/schema/v0/flags.json', flags: Object.fromEntries(written) },
    refused: conversion.refused,
    notes: conversion.notes,
  };
}

function flagOf(flag: PortableFlag, around: Surroundings): JsonValue {
  const { isEnabled, offVariant, valueType, prerequisites, targets, rules, defaultServe } = flag;
  if (valueType === 'json' && flag.variants.some(({ value }) => !isPlainObject(value)))
    throw new NotPortable('has JSON values that are no objects, which flagd cannot serve');
  const variants = Object.fromEntries(flag.variants.map(({ key, value }) => [key, value]));
  // There DISABLED is always the caller's default.
  if (!isEnabled && offVariant === null) return { state: 'DISABLED', variants, defaultVariant: NOTHING };
  if (!isEnabled) return { state: 'ENABLED', variants, defaultVariant: offVariant };
  if (prerequisites.length > 0) throw new NotPortable('has prerequisites, for which flagd has no words');
  const branches: Logic[] = [];
  for (const { variant, keys } of targets)
    if (keys.length > 0) branches.push(isOneOf(TARGETING_KEY, keys), variant);
  for (const rule of rules)
    branches.push(logicOf(rule.conditions, around), outcomeOf(rule.serve, flag, around));
  const otherwise = outcomeOf(defaultServe, flag, around);
  const isPlain = typeof otherwise === 'string' || otherwise === NOTHING;
  const mayBeNothing =
    offVariant === null && [defaultServe, ...rules.map(({ serve }) => serve)].some(leavesSomeOut);
  // An outcome of nothing falls to the default variant, so where there is one, that must be nothing too.
  const defaultVariant = isPlain && !mayBeNothing ? otherwise : NOTHING;
  const last = otherwise === defaultVariant ? NOTHING : otherwise;
  const targeting = branches.length > 0 ? { if: [...branches, last] } : last;
  return {
    state: 'ENABLED',
    variants,
    defaultVariant,
    ...(targeting === NOTHING
      ? {}
      : { targeting: typeof targeting === 'object' ? targeting : { if: [true, targeting] } }),
  };
}

const isPlainObject = (value: JsonValue): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Also one for all, of those who lack what it places them by. */
const leavesSomeOut = (serve: Serve): boolean => 'rollout' in serve;

/** The name of a variant, nothing, or a question whose answer is one of these. */
function outcomeOf(serve: Serve, { offVariant }: PortableFlag, around: Surroundings): Logic {
  if ('variant' in serve) return serve.variant;
  const { rollout } = serve;
  const off = offVariant ?? NOTHING;
  if (rollout.coverage === 0) return off;
  // Who has no bucketing attribute is not in the rollout, whatever it covers.
  const [only, ...more] = new Set(rollout.ranges.map(({ variant }) => variant));
  if (rollout.coverage === BUCKETS && more.length === 0 && only !== undefined)
    return { if: [isUnit(rollout.bucketBy), only, off] };
  if (!around.isApproximate)
    throw new NotPortable(
      'has a rollout, which flagd would give to other users; --approximate keeps its shares',
    );
  around.note('keeps the shares of its rollout, and gives them to other users than Vexil does');
  return { if: [isUnit(rollout.bucketBy), fractionalOf(rollout, off), off] };
}

function fractionalOf({ bucketBy, salt, coverage, ranges }: Rollout, off: string | null): Logic {
  const weights = new Map<string | null, number>();
  for (const { variant, from, to } of ranges)
    weights.set(variant, (weights.get(variant) ?? 0) + (to - from) * coverage);
  if (coverage < BUCKETS) weights.set(off, (weights.get(off) ?? 0) + (BUCKETS - coverage) * BUCKETS);
  return { fractional: [{ cat: [salt, attribute(bucketBy)] }, ...weights] };
}

function attribute(name: string): Logic {
  if (name.includes('.') || name.startsWith('$') || name === '')
    throw new NotPortable(`asks for the attribute '${name}', a name that flagd reads as a path`);
  return { var: name };
}

const isThere = (name: string): Logic => ({ '!==': [attribute(name), null] });
/** Texts are joined to themselves; flagd has no other word for the type of a value. */
const isText = (name: string): Logic => ({ '===': [{ cat: [attribute(name)] }, attribute(name)] });
/** A list, or a text. flagd fails where a list is held against a number, or a number is searched. */
const isLong = (name: string): Logic => ({ '!==': [{ var: `${name}.length` }, null] });
const isNumber = (name: string): Logic[] => [
  isThere(name),
  { '!==': [attribute(name), true] },
  { '!==': [attribute(name), false] },
  { '!': [isText(name)] },
  { '!': [isLong(name)] },
];
const isOneOf = (name: string, values: readonly Scalar[]): Logic =>
  values.length === 0 ? false : { in: [attribute(name), [...values]] };
/** A text that is not empty, or a number. */
const isUnit = (name: string): Logic => ({
  or: [{ and: [isText(name), { '!==': [attribute(name), ''] }] }, { and: isNumber(name) }],
});

/** `all` of nothing is true and `any` of nothing is false here; flagd's are neither. */
const and = (parts: readonly Logic[]): Logic => (parts.length === 0 ? true : { and: parts });
const or = (parts: readonly Logic[]): Logic => (parts.length === 0 ? false : { or: parts });

function logicOf(node: ConditionNode, around: Surroundings): Logic {
  if ('all' in node) return and(node.all.map((each) => logicOf(each, around)));
  if ('any' in node) return or(node.any.map((each) => logicOf(each, around)));
  if ('not' in node) return { '!': [logicOf(node.not, around)] };
  const logic = questionOf(node, around);
  return node.negate ? { '!': [logic] } : logic;
}

const ORDER: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };
const SEMVER: Readonly<Record<string, string>> = {
  semver_eq: '=',
  semver_gt: '>',
  semver_gte: '>=',
  semver_lt: '<',
  semver_lte: '<=',
};

function questionOf(condition: Condition, around: Surroundings): Logic {
  const { attribute: name, operator, values, caseInsensitive } = condition;
  const [first] = values;
  if (caseInsensitive) throw noWords(`'${operator}' whatever the case`);
  if (operator === 'is_set') return isThere(name);
  if (values.length === 0) return false;
  switch (operator) {
    case 'equals':
    case 'in':
      return isOneOf(name, values);
    case 'contains':
      return and([
        isText(name),
        or(textsOf(values).map((text) => text === '' || { in: [text, attribute(name)] })),
      ]);
    case 'starts_with':
    case 'ends_with':
      return and([
        isText(name),
        or(values.map((text) => text === '' || { [operator]: [attribute(name), text] })),
      ]);
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return and([...isNumber(name), { [ORDER[operator] ?? '']: [attribute(name), first ?? null] }]);
    case 'between':
      return and([...isNumber(name), { '<=': [first ?? null, attribute(name), values[1] ?? null] }]);
    case 'semver_eq':
    case 'semver_gt':
    case 'semver_gte':
    case 'semver_lt':
    case 'semver_lte':
      return and([isText(name), { sem_ver: [attribute(name), SEMVER[operator] ?? '', first ?? null] }]);
    case 'contains_any':
    case 'contains_all': {
      const parts = values.map((value) => ({ in: [value, attribute(name)] }));
      return and([
        { '!': [isText(name)] },
        isLong(name),
        operator === 'contains_any' ? or(parts) : and(parts),
      ]);
    }
    case 'in_segment':
      return or(textsOf(values).map((key) => membershipOf(key, around)));
    case 'before':
    case 'after':
      return momentOf(condition, around);
    case 'matches':
    case 'semver_in_range':
    case 'in_cidr':
    case 'bucket':
      throw noWords(`'${operator}'`);
  }
}

const noWords = (what: string): NotPortable =>
  new NotPortable(`asks for ${what}, for which flagd has no words`);
const textsOf = (values: readonly Scalar[]): string[] => values.map(String);

/** Written out in each place: flagd does not look for references within what is referred to. */
function membershipOf(key: string, around: Surroundings): Logic {
  const segment = around.segments.get(key);
  if (!segment) throw new NotPortable(`uses the segment '${key}', which is not there or cannot be read`);
  const { included, excluded, conditions } = segment;
  return and([
    { '!': [isOneOf(TARGETING_KEY, excluded)] },
    or([isOneOf(TARGETING_KEY, included), ...(conditions === null ? [] : [logicOf(conditions, around)])]),
  ]);
}

function momentOf({ attribute: name, operator, values: [wanted] }: Condition, around: Surroundings): Logic {
  const instant = typeof wanted === 'number' ? wanted : Date.parse(String(wanted));
  if (name !== NOW || Number.isNaN(instant)) throw noWords(`'${operator}' of another date than now`);
  if (!around.isApproximate)
    throw new NotPortable('asks for the time, which flagd knows to the second; --approximate accepts that');
  around.note('asks for the time to the second');
  return { [operator === 'before' ? '<' : '>']: [{ var: '$flagd.timestamp' }, Math.floor(instant / 1000)] };
}
