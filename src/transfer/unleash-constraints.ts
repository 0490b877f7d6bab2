import { z } from 'zod';
import { NOW, TARGETING_KEY, type ConditionNode, type OperatorName } from '../core/index.js';
import { NotPortable, type Note } from './conversion.js';
import { condition } from './portable.js';

export const constraintSchema = z.object({
  contextName: z.string().min(1),
  operator: z.string(),
  values: z
    .array(z.string())
    .nullish()
    .transform((values) => values ?? []),
  value: z
    .string()
    .nullish()
    .transform((value) => value ?? undefined),
  inverted: z
    .boolean()
    .nullish()
    .transform((inverted) => inverted ?? false),
  caseInsensitive: z
    .boolean()
    .nullish()
    .transform((folds) => folds ?? false),
});
export type Constraint = z.output<typeof constraintSchema>;

const TEXTS: Readonly<Record<string, OperatorName>> = {
  STR_CONTAINS: 'contains',
  STR_STARTS_WITH: 'starts_with',
  STR_ENDS_WITH: 'ends_with',
};
const NUMBERS: Readonly<Record<string, OperatorName>> = {
  NUM_EQ: 'equals',
  NUM_GT: 'gt',
  NUM_GTE: 'gte',
  NUM_LT: 'lt',
  NUM_LTE: 'lte',
};
const VERSIONS: Readonly<Record<string, OperatorName>> = {
  SEMVER_EQ: 'semver_eq',
  SEMVER_GT: 'semver_gt',
  SEMVER_GTE: 'semver_gte',
  SEMVER_LT: 'semver_lt',
  SEMVER_LTE: 'semver_lte',
};
const DATES: Readonly<Record<string, OperatorName>> = { DATE_AFTER: 'after', DATE_BEFORE: 'before' };

/** A field of Unleash's context as an attribute of ours. */
export const attributeOf = (field: string): string =>
  field === 'userId' ? TARGETING_KEY : field === 'currentTime' ? NOW : field;

/** A constraint as a condition. @throws NotPortable for an operator that has no word here, or a value that cannot be read */
export function conditionOf(constraint: Constraint, note: Note): ConditionNode {
  const { contextName, operator, values, value = '', inverted: negate, caseInsensitive } = constraint;
  const name = attributeOf(contextName);
  const own = (from: Readonly<Record<string, OperatorName>>): OperatorName | undefined =>
    Object.hasOwn(from, operator) ? from[operator] : undefined;
  if (operator === 'IN' || operator === 'NOT_IN')
    return condition(name, 'in', values, { negate: negate !== (operator === 'NOT_IN') });
  const onText = own(TEXTS);
  if (onText) return condition(name, onText, values, { negate, caseInsensitive });
  const onNumber = own(NUMBERS);
  if (onNumber) {
    const number = Number(value);
    if (value.trim() === '' || !Number.isFinite(number))
      throw new NotPortable(`compares '${contextName}' with '${value}', which is no number`);
    note(`compares '${contextName}' as a number: send it as one, not as a text`);
    return condition(name, onNumber, [number], { negate });
  }
  const onVersion = own(VERSIONS);
  if (onVersion) return condition(name, onVersion, [value], { negate });
  const onDate = own(DATES);
  if (onDate) return condition(name, onDate, [value], { negate });
  if (operator === 'REGEX') return condition(name, 'matches', [value], { negate, caseInsensitive });
  throw new NotPortable(`asks by the operator '${operator}', for which there are no words here`);
}
