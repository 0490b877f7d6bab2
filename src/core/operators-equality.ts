import type { JsonValue } from './model.js';
import type { Outcome } from './compiled.js';
import { atMostOne, flawsOf, fold, nobody, type Operator } from './operator.js';
import type { Scalar } from './targeting.js';

/** Of the same type and the same value. */
export const equals: Operator = {
  folds: true,
  check: ({ values }) => [...atMostOne(values, "'in'"), ...notFinite(values)],
  compile({ values: [wanted], caseInsensitive }) {
    if (wanted === undefined) return nobody;
    const otherwise = outsider([wanted]);
    if (caseInsensitive && typeof wanted === 'string') {
      const folded = fold(wanted);
      return (actual) => (typeof actual === 'string' && fold(actual) === folded) || otherwise(actual);
    }
    return (actual) => actual === wanted || otherwise(actual);
  },
};

/** As many are looked for one by one as fast as in a set, and take less memory. */
const FEW = 8;

/** Equal to one of a list. */
export const isIn: Operator = {
  folds: true,
  check: ({ values }) => notFinite(values),
  compile({ values, caseInsensitive }) {
    if (values.length === 0) return nobody;
    const otherwise = outsider(values);
    if (values.length <= FEW && !caseInsensitive) {
      return (actual) => isOneOf(values, actual) || otherwise(actual);
    }
    const wanted = setOf(values, caseInsensitive);
    return caseInsensitive
      ? (actual) => wanted.has(typeof actual === 'string' ? fold(actual) : actual) || otherwise(actual)
      : (actual) => wanted.has(actual) || otherwise(actual);
  },
};

/** `includes`, which takes longer where there are few. */
function isOneOf(values: readonly Scalar[], actual: JsonValue | undefined): boolean {
  for (let at = 0; at < values.length; at += 1) if (values[at] === actual) return true;
  return false;
}

/** A set of scalars that can be asked for any value. */
export function setOf(values: readonly Scalar[], caseInsensitive: boolean): ReadonlySet<unknown> {
  return new Set(
    caseInsensitive ? values.map((value) => (typeof value === 'string' ? fold(value) : value)) : values,
  );
}

export function notFinite(values: readonly Scalar[]): ReturnType<Operator['check']> {
  return flawsOf(values, (value) =>
    typeof value === 'number' && !Number.isFinite(value) ? 'must be a finite number' : undefined,
  );
}

/** What to say of a value that is none of those wanted: no, or that it could not have been. */
type Outsider = (actual: JsonValue | undefined) => Outcome;

/** One for each set of types there can be, so that conditions share them. */
const OUTSIDERS = [0, 1, 2, 3, 4, 5, 6, 7].map((types): Outsider => {
  const hasText = (types & 1) !== 0;
  const hasNumber = (types & 2) !== 0;
  const hasTruth = (types & 4) !== 0;
  const names = [hasText && 'a text', hasNumber && 'a number', hasTruth && 'true or false'];
  const needs = `needs ${names.filter((name) => name !== false).join(' or ')}`;
  return (actual) =>
    (hasText && typeof actual === 'string') ||
    (hasNumber && typeof actual === 'number') ||
    (hasTruth && typeof actual === 'boolean')
      ? false
      : needs;
});

const TYPE_BITS = { string: 1, number: 2, boolean: 4 } as const;

function outsider(values: readonly Scalar[]): Outsider {
  let types = 0;
  for (const value of values) types |= TYPE_BITS[typeof value as keyof typeof TYPE_BITS];
  return OUTSIDERS[types] as Outsider;
}
