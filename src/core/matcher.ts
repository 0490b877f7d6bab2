import { saltKeeper } from './bucketing.js';
import { checkConditions } from './check-conditions.js';
import { compileConditions } from './compile-conditions.js';
import type { CompiledSnapshot, Time } from './compiled.js';
import { begin } from './evaluation.js';
import { holds } from './holds.js';
import type { Context, Problem } from './model.js';
import type { PatternEngine } from './operator.js';
import type { ConditionGroup } from './targeting.js';

/** Tells whether conditions hold for a context. */
export type Matcher = (context: Context, now?: Time) => boolean;

/**
 * Prepares conditions by themselves, to try them before they are part of a rule: they are asked as a rule of the snapshot
 * asks its own, among the same segments.
 * @returns the problems instead where they cannot be saved as they are
 */
export function matcherOf(
  conditions: ConditionGroup,
  { flags, segments }: Pick<CompiledSnapshot, 'flags' | 'segments'>,
  patterns: PatternEngine,
): Matcher | readonly Problem[] {
  const problems = checkConditions(conditions, { patterns, segments });
  if (problems.length > 0) return problems;
  const found: Problem[] = [];
  const node = compileConditions(
    conditions,
    { patterns, segments, salts: saltKeeper(), nodes: new Map() },
    'conditions',
    found,
  );
  return found.length > 0
    ? found
    : (context, now) => holds(node, begin(flags, context, now, { isTraced: false, isPlaced: false }));
}
