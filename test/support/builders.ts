/** Wire documents on one line. */
import { RE2JS } from 're2js';
import {
  compile,
  type CompiledSnapshot,
  parseSnapshot,
  type PatternEngine,
  type Snapshot,
} from '../../src/core/index.js';

/** The linear-time engine of the service and the SDK. */
export const patterns: PatternEngine = (pattern, caseInsensitive) => {
  const compiled = RE2JS.compile(pattern, caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0);
  return (text) => compiled.test(text);
};

export type Wire = Record<string, unknown>;

export const ON_OFF = [
  { key: 'on', value: true },
  { key: 'off', value: false },
];

/** A boolean flag that serves `on` to everybody, but for what is said otherwise. */
export const flagWire = (key: string, changes: Wire = {}): Wire => ({
  key,
  value_type: 'boolean',
  variants: ON_OFF,
  is_enabled: true,
  is_archived: false,
  off_variant: 'off',
  default_serve: { variant: 'on' },
  version: 1,
  ...changes,
});

/** A rollout of `on` to a coverage in basis points, but for what is said otherwise. */
export const rolloutWire = (salt: string, coverage: number, changes: Wire = {}): Wire => ({
  rollout: {
    bucket_by: 'targetingKey',
    salt,
    hash_version: 'murmur3',
    coverage,
    ranges: [{ variant: 'on', from: 0, to: 10_000 }],
    ...changes,
  },
});

/** A condition that wants any of the values. */
export const conditionWire = (
  attribute: string,
  operator: string,
  values: readonly unknown[],
  changes: Wire = {},
): Wire => ({ attribute, operator, values, ...changes });

/** A rule that serves `on` to those for whom all conditions hold, but for what is said otherwise. */
export const ruleWire = (id: string, all: readonly unknown[], changes: Wire = {}): Wire => ({
  id,
  conditions: { all },
  serve: { variant: 'on' },
  ...changes,
});

export const segmentWire = (key: string, changes: Wire = {}): Wire => ({
  key,
  included: [],
  excluded: [],
  conditions: null,
  ...changes,
});

export const rulesetWire = (flags: readonly unknown[], changes: Wire = {}): Wire => ({
  spec_version: 1,
  environment_key: 'production',
  revision: 7,
  flags,
  ...changes,
});

/** The snapshot of a document that is right. */
export function snapshotFrom(document: unknown): Snapshot {
  const result = parseSnapshot(document);
  if (!result.ok || result.problems.length > 0) throw new Error(JSON.stringify(result.problems));
  return result.snapshot;
}

export function compiledFrom(...flags: readonly unknown[]): CompiledSnapshot {
  return compile(snapshotFrom(rulesetWire(flags)), { patterns });
}

export function compiledWith(segments: readonly unknown[], ...flags: readonly unknown[]): CompiledSnapshot {
  return compile(snapshotFrom(rulesetWire(flags, { segments })), { patterns });
}
