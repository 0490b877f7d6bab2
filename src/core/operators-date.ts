import { readInstant } from './instant.js';
import { atMostOne, flawsOf, nobody, type Operator } from './operator.js';

const NEEDS_DATE = 'needs a date such as 2026-01-31T12:00:00Z, or epoch milliseconds';

/** Strictly; the same instant is neither before nor after. */
export const before = comparing((actual, wanted) => actual < wanted);
export const after = comparing((actual, wanted) => actual > wanted);

function comparing(holds: (actual: number, wanted: number) => boolean): Operator {
  return {
    folds: false,
    check: ({ values }) => [
      ...atMostOne(values),
      ...flawsOf(values, (value) =>
        Number.isNaN(instantOf(value)) ? 'must be a date such as 2026-01-31T12:00:00Z' : undefined,
      ),
    ],
    compile({ values: [value] }) {
      if (value === undefined) return nobody;
      const wanted = instantOf(value);
      return (actual) => {
        const instant = instantOf(actual);
        return Number.isNaN(instant) ? NEEDS_DATE : holds(instant, wanted);
      };
    },
  };
}

/** Epoch milliseconds; NaN when it is no date. */
function instantOf(value: unknown): number {
  if (typeof value === 'string') return readInstant(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : NaN;
}
