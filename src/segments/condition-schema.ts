import { z } from 'zod';
import {
  HASH_VERSIONS,
  MAX_CONDITION_DEPTH,
  OPERATORS,
  parseConditions,
  serializeConditions,
  TARGETING_KEY,
  type Condition,
  type ConditionGroup,
  type ConditionNode,
  type Scalar,
} from '../core/index.js';
import { storedText } from '../platform/http/schema.js';
import { attributeAtEdge, attributeFromEdge } from './unit-name.js';

/** A group of `Leaf`s and of groups, nested. */
type Tree<Leaf> =
  { all: (Leaf | Tree<Leaf>)[] } | { any: (Leaf | Tree<Leaf>)[] } | { not: Leaf | Tree<Leaf> };

const described = {
  attribute:
    "The attribute to look at, `user_id` for the user's own key. In in_segment and bucket it may be left out.",
  values: 'What the operator wants. Nobody matches an empty list; is_set takes none.',
  negate: 'Turns the answer round, also that of a missing attribute.',
  caseInsensitive: 'For operators on text.',
  salt: 'Of bucket only.',
  group: `All of the conditions, any of them, or not this one; groups nest up to ${MAX_CONDITION_DEPTH} deep.`,
};

const example = { attribute: 'plan', operator: 'in', values: ['pro', 'team'], negate: false } as const;

const conditionRequest = z
  .strictObject({
    attribute: storedText(1, 200).optional().meta({ description: described.attribute }),
    operator: z.enum(OPERATORS),
    values: z
      .array(z.union([storedText(0, 1000), z.number(), z.boolean()]))
      .max(10_000)
      .optional()
      .meta({ description: described.values }),
    negate: z.boolean().optional().meta({ description: described.negate }),
    case_insensitive: z.boolean().optional().meta({ description: described.caseInsensitive }),
    salt: storedText(0, 200).optional().meta({ description: described.salt }),
    hash_version: z.enum(HASH_VERSIONS).optional().meta({ description: described.salt }),
  })
  .meta({ id: 'ConditionRequest', example });

const conditionResponse = z
  .object({
    attribute: z.string().meta({ description: described.attribute }),
    operator: z.enum(OPERATORS),
    values: z.array(z.union([z.string(), z.number(), z.boolean()])).meta({ description: described.values }),
    negate: z.boolean().meta({ description: described.negate }),
    case_insensitive: z.boolean().optional().meta({ description: described.caseInsensitive }),
    salt: z.string().optional().meta({ description: described.salt }),
    hash_version: z.enum(HASH_VERSIONS).optional().meta({ description: described.salt }),
  })
  .meta({ id: 'Condition', example });

function groupOf<Leaf extends z.ZodType>(
  id: string,
  leaf: Leaf,
  object: typeof z.strictObject,
): z.ZodType<Tree<z.output<Leaf>>> {
  const node = z.union([leaf, z.lazy((): z.ZodType<Tree<z.output<Leaf>>> => group)]);
  const nodes = z.array(node).max(1_000);
  const group = z
    .union([object({ all: nodes }), object({ any: nodes }), object({ not: node })])
    .meta({ id, description: described.group, example: { all: [example] } }) as z.ZodType<
    Tree<z.output<Leaf>>
  >;
  return group;
}

/**
 * Conditions as an editor writes them; gives those of the core. The core reads them first, since it names each mistake
 * by its place (`conditions.any[0].values`); what the schema says beyond that is what can be kept. Whether values suit
 * their operators, and segments exist, is for `checkConditions`.
 */
export const conditionGroupRequest = z
  .preprocess(
    (input, issues) => {
      const parsed = parseConditions(input);
      for (const { path, message } of parsed.ok ? [] : parsed.problems)
        issues.addIssue({ code: 'custom', path: path === '' ? [] : [path], message });
      return input;
    },
    groupOf('ConditionGroupRequest', conditionRequest, z.strictObject),
  )
  .transform((input): ConditionGroup => {
    const parsed = parseConditions(input);
    return parsed.ok ? mapped(parsed.conditions, fromEdge) : { all: [] };
  });

export const conditionGroupResponse = groupOf('ConditionGroup', conditionResponse, z.object);

export function presentConditions(conditions: ConditionGroup): z.infer<typeof conditionGroupResponse> {
  const document = serializeConditions(mapped(conditions, atEdge));
  return document as z.infer<typeof conditionGroupResponse>;
}

/** The same groups, of other conditions. */
function mapped(group: ConditionGroup, change: (condition: Condition) => Condition): ConditionGroup {
  const node = (child: ConditionNode): ConditionNode =>
    'operator' in child ? change(child) : mapped(child, change);
  if ('not' in group) return { not: node(group.not) };
  return 'all' in group ? { all: group.all.map(node) } : { any: group.any.map(node) };
}

/** A number names a user too, and is the same user as its decimal text. */
function fromEdge(condition: Condition): Condition {
  const attribute = attributeFromEdge(condition.attribute);
  const isUser = attribute === TARGETING_KEY && ['equals', 'in'].includes(condition.operator);
  return { ...condition, attribute, values: isUser ? condition.values.map(asUser) : condition.values };
}

const asUser = (value: Scalar): Scalar => (typeof value === 'number' ? String(value) : value);

const atEdge = (condition: Condition): Condition => ({
  ...condition,
  attribute: attributeAtEdge(condition.attribute),
});
