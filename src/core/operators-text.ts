import type { Test } from './compiled.js';
import { flawsOf, fold, nobody, type Operator, type PatternEngine } from './operator.js';
import type { Condition } from './targeting.js';

const NEEDS_TEXT = 'needs a text';

/** Longer patterns are refused, and longer texts match none: linear time is still time. */
export const MAX_PATTERN_LENGTH = 256;

/** How many one condition may have. */
const MAX_PATTERNS = 50;
export const MAX_MATCHED_LENGTH = 1_024;
const NEEDS_SHORT_TEXT = `needs a text of at most ${MAX_MATCHED_LENGTH} characters`;

export const contains = comparing((actual, wanted) => actual.includes(wanted));
export const startsWith = comparing((actual, wanted) => actual.startsWith(wanted));
export const endsWith = comparing((actual, wanted) => actual.endsWith(wanted));

/** Any of the wanted texts will do. */
function comparing(holds: (actual: string, wanted: string) => boolean): Operator {
  return {
    folds: true,
    check: ({ values }) =>
      flawsOf(values, (value) => (typeof value === 'string' ? undefined : 'must be a text')),
    compile({ values, caseInsensitive }): Test {
      if (caseInsensitive) {
        const folded = (values as readonly string[]).map(fold);
        return (actual) => (typeof actual === 'string' ? anyHolds(fold(actual), folded, holds) : NEEDS_TEXT);
      }
      return (actual) =>
        typeof actual === 'string' ? anyHolds(actual, values as readonly string[], holds) : NEEDS_TEXT;
    },
  };
}

function anyHolds(
  actual: string,
  wanted: readonly string[],
  holds: (actual: string, wanted: string) => boolean,
): boolean {
  for (const each of wanted) if (holds(actual, each)) return true;
  return false;
}

/** Whether a regular expression is found anywhere in the text; any of several will do. */
export const matches: Operator = {
  folds: true,
  check: (condition, { patterns }) => {
    if (condition.values.length > MAX_PATTERNS)
      return [{ path: 'values', message: `must be at most ${MAX_PATTERNS} regular expressions` }];
    return flawsOf(condition.values, (value) => {
      if (typeof value !== 'string') return 'must be a regular expression';
      if (value.length > MAX_PATTERN_LENGTH) return `must have at most ${MAX_PATTERN_LENGTH} characters`;
      if (patterns === undefined) return undefined;
      const matcher = compilePattern(value, condition, patterns);
      return typeof matcher === 'string' ? matcher : undefined;
    });
  },
  compile(condition, { patterns }) {
    if (condition.values.length === 0) return nobody;
    if (patterns === undefined)
      return { path: 'operator', message: 'needs a pattern engine, which is not here' };
    const matchers: ((text: string) => boolean)[] = [];
    for (const [index, value] of condition.values.entries()) {
      const matcher = compilePattern(value as string, condition, patterns);
      if (typeof matcher === 'string') return { path: `values[${index}]`, message: matcher };
      matchers.push(matcher);
    }
    return (actual) => {
      if (typeof actual !== 'string') return NEEDS_TEXT;
      if (actual.length > MAX_MATCHED_LENGTH) return NEEDS_SHORT_TEXT;
      try {
        for (const isMatch of matchers) if (isMatch(actual)) return true;
        return false;
      } catch {
        return 'the pattern engine failed';
      }
    };
  },
};

function compilePattern(
  pattern: string,
  { caseInsensitive }: Condition,
  patterns: PatternEngine,
): string | ((text: string) => boolean) {
  try {
    return patterns(pattern, caseInsensitive);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be run';
    return `must be a regular expression of a linear-time engine: ${why}`;
  }
}
