/** What `explain` tells of an evaluation. Plain JSON, and a contract: fields may be added, none changes its meaning. */
import type { ErrorCode, JsonValue, Reason } from './model.js';
import type { OperatorName, Scalar } from './targeting.js';

/** The steps of one flag in the order they were taken; what was not reached is not there. */
export interface FlagTrace {
  readonly flag: string;
  readonly prerequisites: PrerequisiteTrace[];
  /** `null` when no targets were asked. */
  target: TargetTrace | null;
  readonly rules: RuleTrace[];
  /** What served; `null` where nothing but the off variant or the caller's default was left. */
  serve: ServeTrace | null;
  outcome: OutcomeTrace;
  /** Why the flag cannot be read. */
  note?: string;
}

export interface OutcomeTrace {
  readonly reason: Reason;
  readonly error: ErrorCode | null;
  readonly variant: string | null;
}

export interface PrerequisiteTrace {
  readonly flag: string;
  readonly wanted: readonly string[];
  /** What the other flag serves. */
  readonly variant: string | null;
  readonly matched: boolean;
  readonly note?: string;
  /** The evaluation of the other flag; absent when it could not be, or is told above. */
  readonly trace?: FlagTrace;
}

export interface TargetTrace {
  /** The unit that was looked up. */
  readonly unit: string | null;
  readonly variant: string | null;
  readonly matched: boolean;
}

export interface RuleTrace {
  readonly rule: string;
  readonly name: string | null;
  readonly matched: boolean;
  readonly conditions: NodeTrace;
}

export type NodeTrace =
  | { readonly all: readonly NodeTrace[]; readonly matched: boolean }
  | { readonly any: readonly NodeTrace[]; readonly matched: boolean }
  | { readonly not: NodeTrace; readonly matched: boolean }
  | ConditionTrace;

export interface ConditionTrace extends ConditionDetail {
  readonly attribute: string;
  readonly operator: OperatorName;
  readonly negate: boolean;
  /** `null` when the context has none. Long texts and lists are cut. */
  readonly actual: JsonValue;
  /** The first twenty. */
  readonly wanted: readonly Scalar[];
  /** How many are wanted. */
  readonly count: number;
  /** With `negate` taken into account. */
  readonly matched: boolean;
  /** Why the question could not be asked: the attribute is missing or of the wrong type. It counts as not matched, before `negate`. */
  readonly note?: string;
}

/** What some operators know beyond their answer. */
export interface ConditionDetail {
  /** Of `bucket`. */
  readonly bucket?: number;
  /** Of `in_segment`. */
  readonly segments?: readonly SegmentTrace[];
}

export interface SegmentTrace {
  readonly segment: string;
  readonly unit: string | null;
  readonly matched: boolean;
  readonly by: 'excluded' | 'included' | 'conditions' | 'nothing';
  readonly conditions?: NodeTrace;
  readonly note?: string;
}

export interface ServeTrace {
  readonly by: 'rule' | 'default';
  readonly rule: string | null;
  readonly variant: string | null;
  /** `null` when one variant is served to everybody who gets here. */
  readonly rollout: RolloutTrace | null;
}

/** Buckets and ranges in basis points: a unit is inside when `from <= bucket < to`. */
export interface RolloutTrace {
  readonly attribute: string;
  readonly unit: string | null;
  readonly bucket: number | null;
  readonly from: 0;
  readonly to: number;
  readonly matched: boolean;
  /** Which variant, where there are several. */
  readonly split: { readonly bucket: number; readonly from: number; readonly to: number } | null;
  readonly note?: string;
}

export const TOLD_ABOVE = 'told above';
