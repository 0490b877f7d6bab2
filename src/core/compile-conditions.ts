import type { CompiledNode } from './compiled.js';
import { isCondition, partsOf } from './conditions.js';
import { NOW, type Problem } from './model.js';
import type { Foundations } from './operator.js';
import { OPERATOR } from './operators.js';
import { under } from './problems.js';
import type { Condition, ConditionNode } from './targeting.js';

/**
 * Prepares conditions for `holds`. Equal ones are prepared once, as a team asks the same of many flags: they take less memory, and
 * are at hand when they are asked (bench/sdk-evaluate).
 * @returns a node that means something only when no problem was added
 */
export function compileConditions(
  node: ConditionNode,
  foundations: Foundations,
  path: string,
  problems: Problem[],
): CompiledNode {
  const said = JSON.stringify(node);
  const known = foundations.nodes.get(said);
  if (known !== undefined) return known;
  const before = problems.length;
  const compiled = compileNode(node, foundations, path, problems);
  if (problems.length === before) foundations.nodes.set(said, compiled);
  return compiled;
}

function compileNode(
  node: ConditionNode,
  foundations: Foundations,
  path: string,
  problems: Problem[],
): CompiledNode {
  if (isCondition(node)) return compileCondition(node, foundations, path, problems);
  const children = partsOf(node).map(([name, part]) =>
    compileConditions(part, foundations, `${path}.${name}`, problems),
  );
  return 'not' in node
    ? { kind: 'not', child: children[0] as CompiledNode }
    : { kind: 'group', decisive: 'any' in node, children };
}

function compileCondition(
  source: Condition,
  foundations: Foundations,
  path: string,
  problems: Problem[],
): CompiledNode {
  const { attribute, operator, negate } = source;
  const test = OPERATOR[operator].compile(source, foundations);
  if (typeof test !== 'function') problems.push(...under(path, [test]));
  return {
    kind: 'condition',
    attribute,
    isNow: attribute === NOW,
    negate,
    test: typeof test === 'function' ? test : () => false,
    source,
  };
}
