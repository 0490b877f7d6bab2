/** What a snapshot becomes when it is made ready to answer: everything that does not depend on the context is decided. Types only. */
import type { Salt } from './bucketing.js';
import type { Context, Decision, JsonValue, Problem } from './model.js';
import type { Condition, Rule } from './targeting.js';
import type { ConditionDetail } from './trace.js';

export interface CompiledSnapshot {
  readonly environmentKey: string;
  readonly revision: number;
  readonly flags: ReadonlyMap<string, CompiledFlag>;
  /** Those that can be asked. */
  readonly segments: ReadonlyMap<string, CompiledSegment>;
  /** The keys of the flags that clients may know of. */
  readonly clientVisible: ReadonlySet<string>;
  /** The keys of the flags that have prerequisites, and of those that are some: a change of one may change what others answer. */
  readonly linked: ReadonlySet<string>;
  /** The keys of the flags that answer ERROR / PARSE_ERROR to everybody. */
  readonly unreadable: readonly string[];
  /** Why, where reading did not tell it already: an invalid pattern, a segment that is missing or runs in a circle. */
  readonly problems: readonly Problem[];
}

/** `settled` is the answer to everybody when nothing in a context can change it. */
export type CompiledFlag =
  | { readonly settled: Decision; /** Why it cannot be read. */ readonly flaws?: readonly Problem[] }
  | { readonly settled: undefined; readonly targeting: undefined; readonly defaultServe: CompiledServe }
  | {
      readonly settled: undefined;
      readonly targeting: CompiledTargeting;
      readonly defaultServe: CompiledServe;
    };

export interface CompiledTargeting {
  readonly prerequisites: readonly CompiledPrerequisite[];
  /** By unit. */
  readonly targets: ReadonlyMap<string, Decision> | undefined;
  readonly rules: readonly CompiledRule[];
  /** The evaluation that was answered last, and what with. */
  askedBy: number;
  answer: Decision | undefined;
}

export interface CompiledPrerequisite {
  readonly flagKey: string;
  readonly variants: ReadonlySet<string>;
  /** Why it cannot hold whoever asks: the flag is missing, the chain is too long or runs in a circle. */
  readonly flaw: string | undefined;
  readonly failed: Decision;
}

export interface CompiledRule {
  readonly source: Rule;
  readonly conditions: CompiledNode;
  readonly serve: CompiledServe;
}

/** True, false, or why the value cannot be held against what is wanted (`needs a text`), which counts as false. */
export type Outcome = boolean | string;

/** Answers for an attribute's value; `undefined` when the context has none. Never throws, and allocates nothing. */
export type Test = (actual: JsonValue | undefined, evaluation: Evaluation) => Outcome;

export type CompiledNode = CompiledCondition | CompiledGroup | CompiledNot;

export interface CompiledCondition {
  readonly kind: 'condition';
  readonly attribute: string;
  readonly isNow: boolean;
  readonly negate: boolean;
  readonly test: Test;
  readonly source: Condition;
}

export interface CompiledGroup {
  readonly kind: 'group';
  /** The answer of one child that is the answer of all: false for `all`, true for `any`. */
  readonly decisive: boolean;
  readonly children: readonly CompiledNode[];
}

export interface CompiledNot {
  readonly kind: 'not';
  readonly child: CompiledNode;
}

export interface CompiledSegment {
  readonly key: string;
  readonly included: ReadonlySet<string>;
  readonly excluded: ReadonlySet<string>;
  readonly conditions: CompiledNode | undefined;
  /** The evaluation that asked last, and what it was told. */
  askedBy: number;
  answer: boolean;
}

export type CompiledServe = { readonly fixed: Decision } | CompiledRollout;

export interface CompiledRollout {
  readonly fixed: undefined;
  readonly bucketBy: string;
  readonly salt: Salt;
  /** Of a rollout with several slices. */
  readonly variantSalt: Salt | undefined;
  readonly coverage: number;
  /** The whole answer to a context without the bucketing attribute. */
  readonly unplaced: Decision;
  /** The answer outside the rollout; its placement is still to come, as it is in `slices`. */
  readonly outside: Decision;
  /** What the wheel is cut into for "which variant?"; a single slice is served without asking. */
  readonly slices: readonly [Slice, ...Slice[]];
}

export interface Slice {
  readonly to: number;
  readonly decision: Decision;
  /** Basis points of its variant over all slices. */
  readonly share: number;
}

/** Epoch milliseconds, or what tells them when they are needed: most evaluations do not need the time, and it costs some to know. */
export type Time = number | (() => number);

/** One asking: whoever evaluates hands it through every step. */
export interface Evaluation {
  /**
   * Segments and prerequisites are asked once in an evaluation, however many flags use them: they remember the answer with this
   * number, which no other evaluation has. It also bounds the work where many flags share many prerequisites.
   */
  readonly id: number;
  readonly context: Context;
  /** As the host gave it, until the first condition asks: then what it was then. */
  now: Time | undefined;
  readonly flags: ReadonlyMap<string, CompiledFlag>;
  /** Whether somebody listens: then every condition is asked, and operators that know more leave it in `detail`. */
  readonly isTraced: boolean;
  detail: ConditionDetail | undefined;
  /** Whether decisions say where on the wheel a unit is. */
  readonly isPlaced: boolean;
}
