import { type Condition, type ConditionGroup, type ConditionNode } from './targeting.js';

/** The parts of a group with their paths in it, such as `all[0]`; `not` has one part and no index. */
export function partsOf(group: ConditionGroup): [path: string, part: ConditionNode][] {
  if ('not' in group) return [['not', group.not]];
  const [name, parts] = 'all' in group ? ['all', group.all] : ['any', group.any];
  return parts.map((part, index) => [`${name}[${index}]`, part]);
}

export function isCondition(node: ConditionNode): node is Condition {
  return 'operator' in node;
}

/** All conditions below a node, with their paths. */
export function* conditionsOf(
  node: ConditionNode,
  path = '',
): Generator<[path: string, condition: Condition]> {
  if (isCondition(node)) {
    yield [path, node];
    return;
  }
  for (const [name, part] of partsOf(node)) yield* conditionsOf(part, path === '' ? name : `${path}.${name}`);
}

/** The keys of the segments that conditions use. */
export function segmentsUsedBy(node: ConditionNode): string[] {
  const keys = new Set<string>();
  for (const [, { operator, values }] of conditionsOf(node)) {
    if (operator === 'in_segment') for (const value of values) keys.add(String(value));
  }
  return [...keys];
}
