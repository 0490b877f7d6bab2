import { atMostOne, flawsOf, nobody, type Operator } from './operator.js';
import type { Scalar } from './targeting.js';

const NEEDS_NUMBER = 'needs a finite number';

export const gt = comparing((actual, wanted) => actual > wanted);
export const gte = comparing((actual, wanted) => actual >= wanted);
export const lt = comparing((actual, wanted) => actual < wanted);
export const lte = comparing((actual, wanted) => actual <= wanted);

function comparing(holds: (actual: number, wanted: number) => boolean): Operator {
  return {
    folds: false,
    check: ({ values }) => [...atMostOne(values), ...notNumbers(values)],
    compile({ values: [wanted] }) {
      if (typeof wanted !== 'number') return nobody;
      return (actual) => (isNumber(actual) ? holds(actual, wanted) : NEEDS_NUMBER);
    },
  };
}

/** From the first value to the second, both included. */
export const between: Operator = {
  folds: false,
  check({ values }) {
    const problems = notNumbers(values);
    if (problems.length > 0 || values.length === 0) return problems;
    const [from, to, ...more] = values as readonly number[];
    if (from === undefined || to === undefined || more.length > 0) {
      return [{ path: 'values', message: 'must have two values, the lowest and the highest' }];
    }
    return from > to ? [{ path: 'values[1]', message: `must be ${from} or more` }] : [];
  },
  compile({ values: [from, to] }) {
    if (typeof from !== 'number' || typeof to !== 'number') return nobody;
    return (actual) => (isNumber(actual) ? actual >= from && actual <= to : NEEDS_NUMBER);
  },
};

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function notNumbers(values: readonly Scalar[]): ReturnType<Operator['check']> {
  return flawsOf(values, (value) => (isNumber(value) ? undefined : 'must be a finite number'));
}
