import type { CompiledCondition, CompiledNode, Evaluation } from './compiled.js';
import { conditionTrace } from './condition-trace.js';
import { answerOf, read } from './holds.js';
import type { NodeTrace } from './trace.js';

/**
 * Gives the answer of `holds` with the steps to it; apart, so that telling costs those who do not listen nothing. Every condition
 * is asked, also where the answer is known already.
 */
export function holdsAndTells(
  node: CompiledNode,
  evaluation: Evaluation,
): { readonly matched: boolean; readonly trace: NodeTrace } {
  switch (node.kind) {
    case 'condition':
      return askAndTell(node, evaluation);
    case 'group': {
      const { decisive, children } = node;
      const asked = children.map((child) => holdsAndTells(child, evaluation));
      const matched = asked.some((each) => each.matched === decisive) ? decisive : !decisive;
      const traces = asked.map(({ trace }) => trace);
      return { matched, trace: decisive ? { any: traces, matched } : { all: traces, matched } };
    }
    case 'not': {
      const inner = holdsAndTells(node.child, evaluation);
      return { matched: !inner.matched, trace: { not: inner.trace, matched: !inner.matched } };
    }
  }
}

function askAndTell(node: CompiledCondition, evaluation: Evaluation) {
  const actual = read(node, evaluation);
  const outcome = node.test(actual, evaluation);
  const matched = answerOf(node, outcome);
  const trace = conditionTrace(node, actual, outcome, matched, evaluation.detail);
  evaluation.detail = undefined;
  return { matched, trace };
}
