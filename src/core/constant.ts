import { isCondition, partsOf } from './conditions.js';
import type { Condition, ConditionNode, Scalar, Segment } from './targeting.js';

/** What conditions come to whoever asks; `undefined` when it depends, or when that is not plain. */
export function constantOf(node: ConditionNode, segments: ReadonlyMap<string, Segment>): boolean | undefined {
  if (isCondition(node)) return constantCondition(node, segments);
  const parts = partsOf(node).map(([, part]) => part);
  const answers = parts.map((part) => constantOf(part, segments));
  if ('not' in node) return answers[0] === undefined ? undefined : !answers[0];
  const decisive = 'any' in node;
  if (answers.includes(decisive)) return decisive;
  if (!decisive && contradicts(parts)) return false;
  return answers.includes(undefined) ? undefined : !decisive;
}

function constantCondition(
  { operator, values, negate }: Condition,
  segments: ReadonlyMap<string, Segment>,
): boolean | undefined {
  let answer: boolean | undefined;
  // An empty list matches nobody, and so does an empty share.
  if (operator !== 'is_set' && values.length === 0) answer = false;
  else if (operator === 'bucket' && values[0] === values[1]) answer = false;
  else if (operator === 'in_segment') answer = constantMembership(values, segments);
  return answer === undefined ? undefined : answer !== negate;
}

function constantMembership(
  keys: readonly Scalar[],
  segments: ReadonlyMap<string, Segment>,
): boolean | undefined {
  const areEmpty = keys.every((key) => {
    const segment = segments.get(String(key));
    return segment !== undefined && isEmpty(segment, segments);
  });
  return areEmpty ? false : undefined;
}

/** What is known of segments, by the map they are in: without it, segments in segments are asked again and again. */
const known = new WeakMap<ReadonlyMap<string, Segment>, Map<Segment, boolean>>();

/** Whether nobody can be in a segment. */
export function isEmpty(segment: Segment, segments: ReadonlyMap<string, Segment>): boolean {
  const answers = known.get(segments) ?? new Map<Segment, boolean>();
  known.set(segments, answers);
  const before = answers.get(segment);
  if (before !== undefined) return before;
  // Of one that comes back to itself nothing is known.
  answers.set(segment, false);
  const { included, excluded, conditions } = segment;
  const out = new Set(excluded);
  const listsNobody = included.every((key) => out.has(key));
  const answer = listsNobody && (conditions === null || constantOf(conditions, segments) === false);
  answers.set(segment, answer);
  return answer;
}

/** Whether two parts of an `all` want different values of one attribute. */
function contradicts(parts: readonly ConditionNode[]): boolean {
  const wanted = new Map<string, Set<Scalar>>();
  for (const part of parts) {
    if (!isCondition(part) || part.negate || part.caseInsensitive) continue;
    const { attribute, operator, values } = part;
    if (operator !== 'equals' && operator !== 'in') continue;
    const before = wanted.get(attribute);
    const left = before ? values.filter((value) => before.has(value)) : values;
    if (left.length === 0) return true;
    wanted.set(attribute, new Set(left));
  }
  return false;
}
