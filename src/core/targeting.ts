/** Who gets something else than the rest: the types of targets, rules, conditions, segments and prerequisites. */
import type { HashVersion, Serve } from './model.js';

/** Every operator there is; what each means is in operators.ts. */
export const OPERATORS = [
  'equals',
  'in',
  'contains',
  'starts_with',
  'ends_with',
  'matches',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'semver_eq',
  'semver_gt',
  'semver_gte',
  'semver_lt',
  'semver_lte',
  'semver_in_range',
  'before',
  'after',
  'is_set',
  'contains_any',
  'contains_all',
  'in_cidr',
  'in_segment',
  'bucket',
] as const;
export type OperatorName = (typeof OPERATORS)[number];

/** What an attribute can be held against. */
export type Scalar = string | number | boolean;

/** One question about one attribute. */
export interface Condition {
  /** Its own property of the context, by its exact name. */
  readonly attribute: string;
  readonly operator: OperatorName;
  /** What the operator wants; an empty list matches nobody. */
  readonly values: readonly Scalar[];
  /** Turns the answer round, also that of a missing attribute. */
  readonly negate: boolean;
  readonly caseInsensitive: boolean;
  /** Of `bucket` only, where it is needed. */
  readonly salt?: string;
  /** Of `bucket` only; `murmur3` when absent. */
  readonly hashVersion?: HashVersion;
}

/** `all` of nothing is true, `any` of nothing is false. */
export type ConditionGroup =
  | { readonly all: readonly ConditionNode[] }
  | { readonly any: readonly ConditionNode[] }
  | { readonly not: ConditionNode };

export type ConditionNode = Condition | ConditionGroup;

/** How deep groups may be nested. */
export const MAX_CONDITION_DEPTH = 20;

/** How long a chain of prerequisites, or of segments that use segments, may be. */
export const MAX_CHAIN = 10;

export interface Rule {
  /** Unique within its flag, and kept on every edit. */
  readonly id: string;
  readonly name: string | null;
  readonly conditions: ConditionGroup;
  readonly serve: Serve;
}

/** Units, listed by key, that get one variant. */
export interface Target {
  readonly variant: string;
  readonly keys: readonly string[];
}

/** Another flag that must be on, its own prerequisites held, and serve one of `variants`. */
export interface Prerequisite {
  readonly flagKey: string;
  readonly variants: readonly string[];
}

/** A named set of units: those listed, and those for whom the conditions hold; but never those excluded. */
export interface Segment {
  readonly key: string;
  readonly included: readonly string[];
  readonly excluded: readonly string[];
  /** `null`: nobody but the included. */
  readonly conditions: ConditionGroup | null;
}
