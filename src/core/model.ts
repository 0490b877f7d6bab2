/** The words of the core: values, shares, contexts, answers. Types only; JSON spelling (snake_case) lives in parse.ts and wire-*.ts. */

export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export const VALUE_TYPES = ['boolean', 'string', 'number', 'json'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/**
 * How a unit becomes a bucket. The name is stored with every rollout and never changes on upgrade. New rollouts take the first;
 * the others are those of imported flags, see bucketing.ts.
 */
export const HASH_VERSIONS = ['murmur3', 'sha256', 'sha256-user-first', 'md5-8', 'md5'] as const;
export type HashVersion = (typeof HASH_VERSIONS)[number];

/** The number of buckets, and so the number of basis points in a whole. */
export const BUCKETS = 10_000;

export interface Variant {
  readonly key: string;
  readonly value: JsonValue;
}

/** Half-open `[from, to)` in basis points, 0 ≤ from < to ≤ 10 000. */
export interface AllocationRange {
  readonly variant: string;
  readonly from: number;
  readonly to: number;
}

export interface Rollout {
  /** The attribute whose value is hashed; `targetingKey` unless said otherwise. */
  readonly bucketBy: string;
  readonly salt: string;
  readonly hashVersion: HashVersion;
  /** Basis points of units that are in the rollout: `bucket(salt) < coverage`. */
  readonly coverage: number;
  /**
   * Which variant a unit in the rollout gets. They cover [0, 10 000) without gap or overlap, sorted by `from`.
   * With more than one variant the second question has its own hash, `bucket(salt + ":variant")`.
   */
  readonly ranges: readonly AllocationRange[];
}

export type Serve = { readonly variant: string } | { readonly rollout: Rollout };

/** What is wrong with a document, and where: `flags[2].default_serve.rollout.ranges[0].variant`. */
export interface Problem {
  /** In the spelling of the wire; empty for the document itself. */
  readonly path: string;
  readonly message: string;
}

/** The attribute that names who is asking (`user_id` at the HTTP edge). */
export const TARGETING_KEY = 'targetingKey';

/**
 * The attribute that holds the time: RFC 3339 text or epoch milliseconds. A context without one of its own gets the time the
 * host evaluates at.
 */
export const NOW = 'now';

/** Who is asking. `targetingKey` is the unit; every other property is an attribute. */
export type Context = Readonly<Record<string, JsonValue | undefined>>;

export const REASONS = [
  'STATIC',
  'DEFAULT',
  'TARGETING_MATCH',
  'SPLIT',
  'DISABLED',
  'PREREQUISITE_FAILED',
  'ERROR',
] as const;
export type Reason = (typeof REASONS)[number];

/** As in OpenFeature. */
export const ERROR_CODES = [
  'FLAG_NOT_FOUND',
  'PARSE_ERROR',
  'TYPE_MISMATCH',
  'TARGETING_KEY_MISSING',
  'INVALID_CONTEXT',
  'GENERAL',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where a unit fell in a rollout. */
export interface Placement {
  readonly bucketBy: string;
  /** 0…9999 by the rollout's own salt; `undefined` when the context has no usable bucketing attribute. */
  readonly bucket: number | undefined;
  /** Basis points. */
  readonly coverage: number;
  /** Whether units in the rollout get different variants. */
  readonly isSplit: boolean;
  /** 0…9999 by `salt + ":variant"`; `undefined` outside the rollout and where it is not split. */
  readonly variantBucket: number | undefined;
  /** Basis points of the rollout that the served variant has; `undefined` where `variantBucket` is. */
  readonly variantShare: number | undefined;
}

/** The answer for one flag and one context. `variant` and `value` are absent when the caller's default applies. */
export interface Decision {
  readonly flagKey: string;
  readonly value: JsonValue | undefined;
  readonly variant: string | undefined;
  readonly reason: Reason;
  readonly errorCode: ErrorCode | undefined;
  readonly valueType: ValueType | undefined;
  readonly version: number | undefined;
  /** Says why the reason is DISABLED; an archived flag is off whatever `is_enabled` says. */
  readonly isArchived: boolean;
  /** The rule that served, when one did. */
  readonly ruleId: string | undefined;
  /** The prerequisite that does not hold, when the reason is PREREQUISITE_FAILED. */
  readonly prerequisiteKey: string | undefined;
  /** For boolean flags the value itself; for others whether the flag is on, has an answer, and has the unit in its rollout. */
  readonly isOn: boolean;
  /** Set when a rollout was asked (reason SPLIT), for who wants to know. */
  readonly placement: Placement | undefined;
}
