import { conditionsOf } from './conditions.js';
import type { Problem } from './model.js';
import type { Surroundings } from './operator.js';
import { OPERATOR } from './operators.js';
import { under } from './problems.js';
import type { Condition, ConditionGroup } from './targeting.js';

/**
 * Checks conditions as they are to be saved: values that suit the operator, patterns the engine can run, segments that exist.
 * @param surroundings what is known of the rest; patterns and segments are checked only where they are given
 * @returns the problems, with paths such as `any[0].values[2]`; empty when there are none
 */
export function checkConditions(conditions: ConditionGroup, surroundings: Surroundings = {}): Problem[] {
  const problems: Problem[] = [];
  for (const [path, condition] of conditionsOf(conditions)) {
    for (const problem of under(path, checkCondition(condition, surroundings))) problems.push(problem);
  }
  return problems;
}

function checkCondition(condition: Condition, surroundings: Surroundings): Problem[] {
  const { attribute, operator, caseInsensitive, salt, hashVersion } = condition;
  if (!Object.hasOwn(OPERATOR, operator)) {
    return [{ path: 'operator', message: `'${operator as string}' is not an operator` }];
  }
  const problems = OPERATOR[operator].check(condition, surroundings);
  if (attribute === '') problems.push({ path: 'attribute', message: 'must name an attribute' });
  if (caseInsensitive && !OPERATOR[operator].folds) {
    problems.push({ path: 'case_insensitive', message: `means nothing for ${operator}` });
  }
  if (operator !== 'bucket' && (salt ?? hashVersion) !== undefined) {
    problems.push({ path: salt === undefined ? 'hash_version' : 'salt', message: 'is for bucket only' });
  }
  return problems;
}
