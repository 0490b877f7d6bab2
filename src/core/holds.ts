import type { CompiledCondition, CompiledGroup, CompiledNode, Evaluation } from './compiled.js';
import type { JsonValue } from './model.js';

/** Asks conditions, in order, until the answer is known. `holdsAndTells` asks the same way, and tells. */
export function holds(node: CompiledNode, evaluation: Evaluation): boolean {
  switch (node.kind) {
    case 'condition':
      return answerOf(node, node.test(read(node, evaluation), evaluation));
    case 'group':
      return groupHolds(node, evaluation);
    case 'not':
      return !holds(node.child, evaluation);
  }
}

// By index, and conditions without another call: a targeted flag is decided a tenth faster (bench/sdk-evaluate).
function groupHolds({ decisive, children }: CompiledGroup, evaluation: Evaluation): boolean {
  for (let at = 0; at < children.length; at += 1) {
    const child = children[at] as CompiledNode;
    const answer =
      child.kind === 'condition'
        ? answerOf(child, child.test(read(child, evaluation), evaluation))
        : holds(child, evaluation);
    if (answer === decisive) return decisive;
  }
  return !decisive;
}

/** A question that cannot be asked is not answered with yes; its negation is. */
export function answerOf({ negate }: CompiledCondition, outcome: unknown): boolean {
  return (outcome === true) !== negate;
}

/** Only the context's own properties are attributes, and `null` is none. */
export function read({ attribute, isNow }: CompiledCondition, evaluation: Evaluation): JsonValue | undefined {
  const { context } = evaluation;
  const own = Object.hasOwn(context, attribute) ? (context[attribute] ?? undefined) : undefined;
  return isNow && own === undefined ? timeOf(evaluation) : own;
}

/** The same for all conditions of an evaluation. */
function timeOf(evaluation: Evaluation): number | undefined {
  if (typeof evaluation.now === 'function') evaluation.now = evaluation.now();
  return evaluation.now;
}
