import { z } from 'zod';
import type { Prerequisite, Rule, Target, Variant } from '../../core/index.js';
import { camelKeys, storedText } from '../../platform/http/schema.js';
import {
  conditionGroupRequest,
  conditionGroupResponse,
  presentConditions,
} from '../../segments/condition-schema.js';
import { MAX_TARGET_KEYS } from '../flag-targeting.js';
import { presentServe, serveRequest, serveResponse } from './serve.js';

const MAX_RULES = 1_000;
const MAX_PREREQUISITES = 100;
/** Longer lists are read page by page. */
const KEYS_SHOWN = 1_000;

const variantKey = storedText(1, 100);
const units = z.array(storedText(1, 1024)).max(MAX_TARGET_KEYS);

export const prerequisitesRequest = z
  .array(
    z
      .strictObject({
        flag_key: storedText(1, 100).meta({ example: 'new-account' }),
        variants: z
          .array(variantKey)
          .min(1)
          .max(100)
          .meta({ description: 'Any of these.', example: ['on'] }),
      })
      .transform(camelKeys)
      .meta({ id: 'PrerequisiteRequest' }),
  )
  .max(MAX_PREREQUISITES);

export const targetsRequest = z
  .array(
    z
      .strictObject({
        variant: variantKey.meta({ example: 'on' }),
        keys: units.nullish().meta({
          override: { type: ['array', 'null'], items: { type: 'string' }, maxItems: MAX_TARGET_KEYS },
          description:
            'The whole list. Null, as long lists are read: what it is now. Where no entry has it, `add` and `remove` change the lists there are.',
        }),
        count: z.int().optional().meta({ description: 'As it is read; says nothing.' }),
        add: units.optional().meta({ description: 'Users to list beside those.' }),
        remove: units.optional().meta({ description: 'Users to take from those.' }),
      })
      .transform(({ variant, keys, add, remove }) => ({ variant, keys, add, remove }))
      .meta({ id: 'TargetRequest', example: { variant: 'on', keys: ['alice'] } }),
  )
  .max(100);

export const rulesRequest = z
  .array(
    z
      .strictObject({
        id: storedText(1, 100).optional().meta({
          description: 'Of a rule that there is, which then keeps its people. Drawn when absent.',
        }),
        name: storedText(0, 200).nullable().optional(),
        conditions: conditionGroupRequest,
        serve: serveRequest,
      })
      .meta({
        id: 'RuleRequest',
        example: {
          name: 'Paying customers',
          conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'] }] },
          serve: { variant: 'on' },
        },
      }),
  )
  .max(MAX_RULES);

export const prerequisiteResponse = z
  .object({ flag_key: z.string(), variants: z.array(z.string()) })
  .meta({ id: 'Prerequisite', example: { flag_key: 'new-account', variants: ['on'] } });

export const targetResponse = z
  .object({
    variant: z.string(),
    count: z.int().meta({ description: 'How many users are listed.' }),
    keys: z
      .array(z.string())
      .nullable()
      .meta({ description: `Who; null for more than ${KEYS_SHOWN}, which are read page by page.` }),
  })
  .meta({ id: 'Target', example: { variant: 'on', count: 1, keys: ['alice'] } });

export const ruleResponse = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    conditions: conditionGroupResponse,
    serve: serveResponse,
  })
  .meta({ id: 'Rule' });

export const presentPrerequisite = ({ flagKey, variants }: Prerequisite) => ({
  flag_key: flagKey,
  variants: [...variants],
});

export const presentTarget = ({ variant, keys }: Target): z.infer<typeof targetResponse> => ({
  variant,
  count: keys.length,
  keys: keys.length > KEYS_SHOWN ? null : [...keys],
});

export function presentRule(
  { id, name, conditions, serve }: Rule,
  variants: readonly Variant[],
): z.infer<typeof ruleResponse> {
  return { id, name, conditions: presentConditions(conditions), serve: presentServe(serve, variants) };
}
