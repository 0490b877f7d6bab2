import { bucketOf, textOf } from './bucketing.js';
import type { CompiledSegment } from './compiled.js';
import { flawsOf, nobody, type Operator } from './operator.js';
import { BUCKETS, HASH_VERSIONS, TARGETING_KEY, type Problem } from './model.js';
import { isMember } from './segments.js';
import type { SegmentTrace } from './trace.js';

/** Whether the context has the attribute at all; `null` is nothing. */
export const isSet: Operator = {
  folds: false,
  check: ({ values }) =>
    values.length > 0 ? [{ path: 'values', message: 'must be empty: is_set wants nothing' }] : [],
  compile: () => (actual) => actual !== undefined,
};

/** Whether the unit is in one of several segments. */
export const inSegment: Operator = {
  folds: false,
  check: ({ values, attribute }, { segments }) => [
    ...(attribute === TARGETING_KEY
      ? []
      : [{ path: 'attribute', message: 'must be left out: segments list users' }]),
    ...flawsOf(values, (value) => {
      if (typeof value !== 'string') return 'must be the key of a segment';
      return segments === undefined || segments.has(value) ? undefined : `'${value}' is not a segment`;
    }),
  ],
  compile({ values }, foundations) {
    const segments: CompiledSegment[] = [];
    for (const [index, key] of values.entries()) {
      const segment = foundations.segments.get(key as string);
      if (segment === undefined) {
        return { path: `values[${index}]`, message: `segment '${key}' is missing or cannot be read` };
      }
      segments.push(segment);
    }
    return (_, evaluation) => {
      const traces: SegmentTrace[] | undefined = evaluation.isTraced ? [] : undefined;
      let isInOne = false;
      for (const segment of segments) {
        if (!isMember(segment, evaluation, traces)) continue;
        isInOne = true;
        if (traces === undefined) return true;
      }
      if (traces !== undefined) evaluation.detail = { segments: traces };
      return isInOne;
    };
  },
};

/** Whether the unit's bucket is from the first value (included) to the second (not included). */
export const bucket: Operator = {
  folds: false,
  check({ values, salt, hashVersion }) {
    const problems: Problem[] = [];
    if (salt === undefined) problems.push({ path: 'salt', message: 'must be a text' });
    if (hashVersion !== undefined && !HASH_VERSIONS.includes(hashVersion)) {
      problems.push({ path: 'hash_version', message: `must be one of ${HASH_VERSIONS.join(', ')}` });
    }
    const flaws = flawsOf(values, (value) =>
      Number.isInteger(value) && (value as number) >= 0 && (value as number) <= BUCKETS
        ? undefined
        : `must be a whole number from 0 to ${BUCKETS}`,
    );
    if (flaws.length > 0 || values.length === 0) return [...problems, ...flaws];
    const [from, to, ...more] = values as readonly number[];
    if (from === undefined || to === undefined || more.length > 0) {
      problems.push({
        path: 'values',
        message: 'must have two values: from, and the end that is not included',
      });
    } else if (from > to) {
      problems.push({ path: 'values[1]', message: `must be ${from} or more` });
    }
    return problems;
  },
  compile({ values: [from, to], salt, hashVersion = 'murmur3' }, { salts }) {
    if (typeof from !== 'number' || typeof to !== 'number') return nobody;
    const prepared = salts(salt ?? '', hashVersion);
    return (actual, evaluation) => {
      const unit = textOf(actual);
      if (unit === undefined) return 'needs a text or a number that is not empty';
      const at = bucketOf(unit, prepared);
      if (evaluation.isTraced) evaluation.detail = { bucket: at };
      return at >= from && at < to;
    };
  },
};
