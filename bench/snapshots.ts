/** Snapshots of our own for the benches, from documents as they are on the wire. */
import { compile, type CompiledSnapshot, parseSnapshot, type Snapshot } from '../src/core/index.js';
import { BULK, flagKeys, ROLLOUT, type Row, WANTED } from './workloads.js';

export type Wire = Readonly<Record<string, unknown>>;

/** A rollout that gives those in it variants by weight, in basis points. */
export function rolloutOf(salt: string, coverage: number, weights: Readonly<Record<string, number>>): Wire {
  let to = 0;
  const ranges = Object.entries(weights).map(([variant, weight]) => ({
    variant,
    from: to,
    to: (to += weight),
  }));
  return { rollout: { bucket_by: 'targetingKey', salt, hash_version: 'murmur3', coverage, ranges } };
}

export function conditionOf(
  attribute: string,
  operator: string,
  values: readonly unknown[],
  more: Wire = {},
): Wire {
  return { attribute, operator, values, ...more };
}

/** A boolean flag that serves `off` to everybody, but for what is said otherwise. */
export function booleanFlag(key: string, more: Wire): Wire {
  return {
    key,
    value_type: 'boolean',
    variants: [
      { key: 'on', value: true },
      { key: 'off', value: false },
    ],
    is_enabled: true,
    is_archived: false,
    off_variant: 'off',
    default_serve: { variant: 'off' },
    version: 1,
    ...more,
  };
}

/** Flags and segments as the document that the service sends. */
export const rulesetOf = (flags: readonly Wire[], segments: readonly Wire[] = []): Wire => ({
  spec_version: 1,
  environment_key: 'production',
  revision: 1,
  flags,
  segments,
});

/** The snapshot of flags that are right. */
export function snapshotOf(flags: readonly Wire[], segments: readonly Wire[] = []): Snapshot {
  const result = parseSnapshot(rulesetOf(flags, segments));
  if (!result.ok || result.problems.length > 0) throw new Error(JSON.stringify(result.problems.slice(0, 5)));
  return result.snapshot;
}

const fiveConditions = {
  all: [
    conditionOf('country', 'in', WANTED.countries),
    conditionOf('plan', 'equals', [WANTED.plan]),
    conditionOf('age', 'gte', [WANTED.age]),
    conditionOf('appVersion', 'semver_gte', [WANTED.appVersion]),
    conditionOf('email', 'ends_with', [WANTED.email], { negate: true }),
  ],
};

const FLAG_OF: Readonly<Record<Row, (key: string) => Wire>> = {
  static: (key) => booleanFlag(key, { default_serve: { variant: 'on' } }),
  rollout: (key) => booleanFlag(key, { default_serve: rolloutOf(key, ROLLOUT * 100, { on: 10_000 }) }),
  targeted: (key) =>
    booleanFlag(key, {
      rules: [{ id: 'r', conditions: fiveConditions, serve: rolloutOf(key, ROLLOUT * 100, { on: 10_000 }) }],
    }),
};

/** The flags of a row, as they come from the service. */
export const rulesetOfRow = (row: Row): Wire => rulesetOf(flagKeys.map(FLAG_OF[row]));

/** The flags of a row, compiled. */
export function compiledRow(row: Row, keys: readonly string[] = flagKeys): CompiledSnapshot {
  return compile(snapshotOf(keys.map(FLAG_OF[row])));
}

/** The flags of `BULK`, compiled. */
export function compiledBulk(): CompiledSnapshot {
  const segments = BULK.segments.map(({ key, olderThan }) => ({
    key,
    conditions: {
      all: [
        conditionOf('country', 'in', BULK.countries),
        conditionOf('plan', 'in', BULK.plans),
        conditionOf('age', 'gt', [olderThan]),
      ],
    },
  }));
  const rules = segments.map(({ key }) => ({
    id: key,
    conditions: { all: [{ operator: 'in_segment', values: [key] }] },
    serve: { variant: 'on' },
  }));
  const flags = BULK.flags.map((key) =>
    booleanFlag(key, { rules, default_serve: rolloutOf(key, ROLLOUT * 100, { on: 10_000 }) }),
  );
  return compile(snapshotOf(flags, segments));
}
