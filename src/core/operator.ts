import type { SaltKeeper } from './bucketing.js';
import type { CompiledNode, CompiledSegment, Test } from './compiled.js';
import type { Problem } from './model.js';
import type { Condition, Scalar } from './targeting.js';

/**
 * A regular-expression engine that works in linear time (re2js and the like), given by the host so that the core imports nothing.
 * Throws on a pattern it cannot run; what it returns tells whether a text contains a match.
 */
export type PatternEngine = (pattern: string, caseInsensitive: boolean) => (text: string) => boolean;

/** What conditions may lean on. What is absent is not checked. */
export interface Surroundings {
  readonly patterns?: PatternEngine | undefined;
  readonly segments?: { has(key: string): boolean } | undefined;
}

/** What conditions do lean on, once they are compiled. */
export interface Foundations {
  readonly patterns: PatternEngine | undefined;
  readonly segments: ReadonlyMap<string, CompiledSegment>;
  readonly salts: SaltKeeper;
  /** Conditions that are compiled already, by what they say. */
  readonly nodes: Map<string, CompiledNode>;
}

/** One way to hold an attribute against values. */
export interface Operator {
  /** Whether `case_insensitive` means something. */
  readonly folds: boolean;
  /** What is wrong with the values, with paths such as `values[2]`. */
  check(condition: Condition, surroundings: Surroundings): Problem[];
  /** Prepares the question, of a condition that passed `check` without surroundings; or says why it cannot be asked. */
  compile(condition: Condition, foundations: Foundations): Test | Problem;
}

/** Problems of the values one by one; `flaw` says what is wrong with one. */
export function flawsOf(values: readonly Scalar[], flaw: (value: Scalar) => string | undefined): Problem[] {
  const problems: Problem[] = [];
  for (const [index, value] of values.entries()) {
    const message = flaw(value);
    if (message !== undefined) problems.push({ path: `values[${index}]`, message });
  }
  return problems;
}

/** A problem when there are more values than the operator takes; none at all matches nobody, and is no mistake. */
export function atMostOne(values: readonly Scalar[], instead = ''): Problem[] {
  return values.length > 1
    ? [{ path: 'values', message: `must have one value${instead && `; use ${instead} for several`}` }]
    : [];
}

export const nobody: Test = () => false;

/** Lower case whatever the place of a letter in its word. */
export function fold(text: string): string {
  return text.toLowerCase().replaceAll('ς', 'σ');
}
