/** The evaluator as it would be without `explain`: the same functions, and every line that serves a trace left out. */
import type {
  CompiledCondition,
  CompiledFlag,
  CompiledGroup,
  CompiledNode,
  CompiledPrerequisite,
  CompiledServe,
  CompiledSnapshot,
  CompiledTargeting,
  Evaluation,
} from '../src/core/compiled.js';
import { failed } from '../src/core/decision.js';
import { begin } from '../src/core/evaluation.js';
import { unitOf } from '../src/core/bucketing.js';
import { type Context, type Decision, type JsonValue, TARGETING_KEY } from '../src/core/index.js';
import { serve } from '../src/core/serve.js';

export function evaluateWithoutTrace(
  compiled: CompiledSnapshot,
  flagKey: string,
  context: Context,
  now?: number,
): Decision {
  const flag = compiled.flags.get(flagKey);
  if (flag === undefined) return failed(flagKey, 'FLAG_NOT_FOUND');
  if (flag.settled !== undefined) return flag.settled;
  if (flag.targeting === undefined) return serve(flag.defaultServe, context, true);
  return decide(flag, begin(compiled.flags, context, now, { isTraced: false, isPlaced: true }));
}

function decide(flag: CompiledFlag, evaluation: Evaluation): Decision {
  if (flag.settled !== undefined) return flag.settled;
  const { targeting, defaultServe } = flag;
  if (targeting === undefined) return give(defaultServe, evaluation);
  if (targeting.askedBy === evaluation.id && targeting.answer !== undefined) return targeting.answer;
  const decision = decideTargeted(targeting, defaultServe, evaluation);
  targeting.askedBy = evaluation.id;
  targeting.answer = decision;
  return decision;
}

function decideTargeted(
  { prerequisites, targets, rules }: CompiledTargeting,
  defaultServe: CompiledServe,
  evaluation: Evaluation,
): Decision {
  for (const prerequisite of prerequisites) {
    if (!isMet(prerequisite, evaluation)) return prerequisite.failed;
  }
  if (targets !== undefined) {
    const unit = unitOf(evaluation.context, TARGETING_KEY);
    const decision = unit === undefined ? undefined : targets.get(unit);
    if (decision !== undefined) return decision;
  }
  for (const { conditions, serve: served } of rules) {
    if (holds(conditions, evaluation)) return give(served, evaluation);
  }
  return give(defaultServe, evaluation);
}

function isMet({ flagKey, variants, flaw }: CompiledPrerequisite, evaluation: Evaluation): boolean {
  const flag = flaw === undefined ? evaluation.flags.get(flagKey) : undefined;
  const decision = flag === undefined ? undefined : decide(flag, evaluation);
  return (
    decision?.variant !== undefined &&
    decision.reason !== 'DISABLED' &&
    decision.reason !== 'PREREQUISITE_FAILED' &&
    variants.has(decision.variant)
  );
}

function give(served: CompiledServe, evaluation: Evaluation): Decision {
  return serve(served, evaluation.context, true);
}

function holds(node: CompiledNode, evaluation: Evaluation): boolean {
  switch (node.kind) {
    case 'condition':
      return conditionHolds(node, evaluation);
    case 'group':
      return groupHolds(node, evaluation);
    case 'not':
      return !holds(node.child, evaluation);
  }
}

function conditionHolds(node: CompiledCondition, evaluation: Evaluation): boolean {
  return (node.test(read(node, evaluation), evaluation) === true) !== node.negate;
}

function read({ attribute, isNow }: CompiledCondition, { context, now }: Evaluation): JsonValue | undefined {
  const own = Object.hasOwn(context, attribute) ? (context[attribute] ?? undefined) : undefined;
  return isNow && own === undefined ? (typeof now === 'function' ? now() : now) : own;
}

function groupHolds({ decisive, children }: CompiledGroup, evaluation: Evaluation): boolean {
  for (const child of children) if (holds(child, evaluation) === decisive) return decisive;
  return !decisive;
}
