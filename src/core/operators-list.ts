import type { JsonValue } from './model.js';
import type { Test } from './compiled.js';
import { fold, nobody, type Operator } from './operator.js';
import { notFinite, setOf } from './operators-equality.js';

const NEEDS_LIST = 'needs a list';

/** Whether a list has one of the wanted items. */
export const containsAny: Operator = {
  folds: true,
  check: ({ values }) => notFinite(values),
  compile({ values, caseInsensitive }): Test {
    const wanted = setOf(values, caseInsensitive);
    return (actual) => {
      if (!Array.isArray(actual)) return NEEDS_LIST;
      for (const item of actual as readonly JsonValue[]) {
        if (wanted.has(caseInsensitive && typeof item === 'string' ? fold(item) : item)) return true;
      }
      return false;
    };
  },
};

/** Whether a list has all of the wanted items. */
export const containsAll: Operator = {
  folds: true,
  check: ({ values }) => notFinite(values),
  compile({ values, caseInsensitive }): Test {
    if (values.length === 0) return nobody;
    const wanted = [...setOf(values, caseInsensitive)];
    return (actual) => {
      if (!Array.isArray(actual)) return NEEDS_LIST;
      if (actual.length < wanted.length) return false;
      // A few are looked for one by one; a set for many, or the time would be the product of both lengths.
      const items = caseInsensitive ? foldAll(actual) : actual;
      if (wanted.length <= 8) return wanted.every((each) => items.includes(each));
      const set = new Set(items);
      return wanted.every((each) => set.has(each));
    };
  },
};

function foldAll(items: readonly unknown[]): unknown[] {
  return items.map((item) => (typeof item === 'string' ? fold(item) : item));
}
