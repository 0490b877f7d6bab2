import { copyJson } from './json.js';
import {
  BUCKETS,
  HASH_VERSIONS,
  type JsonValue,
  type Problem,
  type Rollout,
  type Serve,
  type ValueType,
  type Variant,
} from './model.js';
import { under } from './problems.js';

/** What a flag key may look like when it is made. The evaluator itself takes any string. */
export const FLAG_KEY_PATTERN = /^[a-z0-9][a-z0-9._-]{0,99}$/;

/** What a variant key may look like. */
export const VARIANT_KEY_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * Checks what a flag can serve: at least one variant, unique keys that match `VARIANT_KEY_PATTERN`, values of the flag's type.
 * @returns the problems, with paths such as `[0].value`; empty when there are none
 */
export function checkVariants(valueType: ValueType, variants: readonly Variant[]): Problem[] {
  const problems: Problem[] = [];
  if (variants.length === 0) problems.push({ path: '', message: 'must have at least one variant' });
  const seen = new Set<string>();
  for (const [index, { key, value }] of variants.entries()) {
    if (!VARIANT_KEY_PATTERN.test(key)) {
      problems.push({ path: `[${index}].key`, message: `must match ${VARIANT_KEY_PATTERN.source}` });
    }
    if (seen.has(key)) problems.push({ path: `[${index}].key`, message: `'${key}' is used twice` });
    seen.add(key);
    if (!matchesType(valueType, value)) {
      problems.push({ path: `[${index}].value`, message: WANTED[valueType] });
    }
  }
  return problems;
}

const WANTED: Readonly<Record<ValueType, string>> = {
  boolean: 'must be true or false',
  string: 'must be a string',
  number: 'must be a finite number',
  json: 'must be a JSON value',
};

function matchesType(valueType: ValueType, value: JsonValue): boolean {
  switch (valueType) {
    case 'number':
      return Number.isFinite(value);
    case 'json':
      return copyJson(value) !== undefined;
    case 'boolean':
    case 'string':
      return typeof value === valueType;
  }
}

/**
 * Checks what a flag or rule serves against the variants of its flag: known variants, a known hash version, a coverage of
 * 0…10 000, ranges in order that cover the wheel without gap or overlap.
 * @returns the problems, with paths in the spelling of the wire such as `rollout.ranges[0].variant`; empty when there are none
 */
export function checkServe(serve: Serve, variants: readonly Variant[]): Problem[] {
  const known = new Set(variants.map(({ key }) => key));
  return 'variant' in serve
    ? checkVariantKey('variant', serve.variant, known)
    : under('rollout', checkRollout(serve.rollout, known));
}

/** Checks that a variant is one of the flag's own. */
export function checkVariantKey(path: string, key: string, known: ReadonlySet<string>): Problem[] {
  return known.has(key) ? [] : [{ path, message: `'${key}' is not a variant of this flag` }];
}

function checkRollout(rollout: Rollout, known: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = [];
  if (rollout.bucketBy === '') problems.push({ path: 'bucket_by', message: 'must name an attribute' });
  if (!HASH_VERSIONS.includes(rollout.hashVersion)) {
    problems.push({ path: 'hash_version', message: `must be one of ${HASH_VERSIONS.join(', ')}` });
  }
  if (!isBasisPoints(rollout.coverage)) {
    problems.push({ path: 'coverage', message: `must be a whole number from 0 to ${BUCKETS}` });
  }

  let end = 0;
  for (const [index, { variant, from, to }] of rollout.ranges.entries()) {
    const path = `ranges[${index}]`;
    problems.push(...checkVariantKey(`${path}.variant`, variant, known));
    if (from !== end)
      problems.push({ path: `${path}.from`, message: `must be ${end}, where the last range ends` });
    if (!isBasisPoints(to) || to <= from) {
      problems.push({
        path: `${path}.to`,
        message: `must be a whole number above "from", at most ${BUCKETS}`,
      });
    }
    end = to;
  }
  if (end !== BUCKETS) problems.push({ path: 'ranges', message: `must end at ${BUCKETS}` });
  return problems;
}

function isBasisPoints(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= BUCKETS;
}
