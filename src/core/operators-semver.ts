import { atMostOne, flawsOf, nobody, type Operator } from './operator.js';
import { compareVersions, noVersion, readVersion } from './semver.js';
import { isWithin, readRange } from './semver-range.js';
import type { Scalar } from './targeting.js';

const NEEDS_VERSION = 'needs a semantic version such as 1.2.3';

// The version that is asked about, read anew for each question.
const asked = noVersion();

export const semverEq = comparing((order) => order === 0);
export const semverGt = comparing((order) => order > 0);
export const semverGte = comparing((order) => order >= 0);
export const semverLt = comparing((order) => order < 0);
export const semverLte = comparing((order) => order <= 0);

function comparing(holds: (order: number) => boolean): Operator {
  return {
    folds: false,
    check: ({ values }) => [
      ...atMostOne(values, "'semver_in_range'"),
      ...flawsOf(values, (value) =>
        isVersion(value) ? undefined : 'must be a semantic version such as 1.2.3',
      ),
    ],
    compile({ values: [value] }) {
      const wanted = noVersion();
      if (typeof value !== 'string' || !readVersion(value, wanted)) return nobody;
      return (actual) =>
        typeof actual === 'string' && readVersion(actual, asked)
          ? holds(compareVersions(asked, wanted))
          : NEEDS_VERSION;
    },
  };
}

/** In any of several ranges. */
export const semverInRange: Operator = {
  folds: false,
  check: ({ values }) =>
    flawsOf(values, (value) =>
      typeof value === 'string' && value.length <= 256 && readRange(value)
        ? undefined
        : 'must be a range such as >=1.2.0 <2.0.0',
    ),
  compile({ values }) {
    const wanted = values.flatMap((value) => readRange(value as string) ?? []);
    return (actual) =>
      typeof actual === 'string' && readVersion(actual, asked) ? isWithin(asked, wanted) : NEEDS_VERSION;
  },
};

function isVersion(value: Scalar): boolean {
  return typeof value === 'string' && readVersion(value, asked);
}
