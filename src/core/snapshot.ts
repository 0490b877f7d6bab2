/** What one environment evaluates. Types only. */
import type { Serve, ValueType, Variant, JsonValue, Problem } from './model.js';
import type { Prerequisite, Rule, Segment, Target } from './targeting.js';

/** A flag as one environment sees it. */
export interface Flag {
  readonly key: string;
  readonly valueType: ValueType;
  readonly variants: readonly Variant[];
  readonly isEnabled: boolean;
  readonly isArchived: boolean;
  /** Whether programs in the hands of users may know of it. */
  readonly clientVisible: boolean;
  /** `null`: no value when off, the caller's default applies. */
  readonly offVariant: string | null;
  /** Asked before anything else; all must hold. */
  readonly prerequisites: readonly Prerequisite[];
  /** Asked before the rules. */
  readonly targets: readonly Target[];
  /** In order; the first that matches serves. */
  readonly rules: readonly Rule[];
  readonly defaultServe: Serve;
  readonly version: number;
}

/**
 * A flag or a segment this version cannot evaluate. The flag, and every flag that uses the segment, answers ERROR / PARSE_ERROR;
 * the document travels on untouched, so that an instance or an SDK which does understand it still gets the whole of it.
 */
export interface Unreadable {
  readonly key: string;
  readonly document: JsonValue;
  /** Why, with paths from the flag or segment on; the first few. */
  readonly flaws: readonly Problem[];
}

/** Everything one environment needs to evaluate, at one revision. What cannot be read is told apart by `'document' in flag`. */
export interface Snapshot {
  readonly environmentKey: string;
  readonly revision: number;
  readonly flags: readonly (Flag | Unreadable)[];
  readonly segments: readonly (Segment | Unreadable)[];
}
