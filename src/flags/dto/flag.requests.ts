import { z } from 'zod';
import { FLAG_KEY_PATTERN, VALUE_TYPES } from '../../core/index.js';
import { Invalid } from '../../platform/errors/errors.js';
import {
  camelKeys,
  changeReason,
  confirmation,
  queryInteger,
  storedText,
  title,
} from '../../platform/http/schema.js';
import { FLAG_TYPES } from '../flag.js';
import { RESERVED_KEYS } from '../flag-key.js';
import { percent } from './percent.js';
import { serveRequest, variantSchema } from './serve.js';
import { prerequisitesRequest, rulesRequest, targetsRequest } from './targeting.js';

const environmentKey = storedText(1, 100).meta({
  description: 'The key of an environment.',
  example: 'development',
});

const tag = storedText(1, 50).refine((text) => text.trim() === text, 'must not begin or end with a space');

const definitionFields = {
  description: storedText(0, 1000).nullable().optional(),
  variants: z.array(variantSchema).min(1).max(100).optional(),
  tags: z
    .array(tag)
    .max(50)
    .optional()
    .meta({ example: ['checkout'] }),
  owner: storedText(1, 254)
    .nullable()
    .optional()
    .meta({ description: 'Who is responsible: a person or a team.' }),
  client_visible: z.boolean().optional().meta({
    description: 'Whether client keys may know of it, in every environment. Not unless said otherwise.',
  }),
};

/** What cannot be read is read as null, and whoever writes that back says nothing of it. */
const unlessNull = <Schema extends z.ZodType>(schema: Schema) =>
  schema
    .nullable()
    .transform((value) => value ?? undefined)
    .optional();

const settingsFields = {
  is_enabled: z.boolean().optional(),
  off_variant: storedText(1, 100)
    .nullable()
    .optional()
    .meta({ description: "Served when the flag is off; null: nothing, the caller's default." }),
  flag_type: z
    .enum(FLAG_TYPES)
    .optional()
    .meta({ description: 'The simple way for boolean flags: on for everyone, or for a percentage.' }),
  rollout_percentage: percent
    .nullish()
    .transform((value) => value ?? undefined)
    .optional()
    .meta({
      override: { type: 'number', minimum: 0, maximum: 100, multipleOf: 0.01, nullable: true },
      description:
        'Share of users that get `true`, in steps of 0.01. Null, as multivariate flags have it, says nothing; nor does any value beside `flag_type` boolean, which serves everyone.',
    }),
  prerequisites: unlessNull(prerequisitesRequest).meta({
    description:
      'Other flags that must be on and serve one of some variants; else the off variant is served.',
  }),
  targets: unlessNull(targetsRequest).meta({
    description:
      'Listed users, by the variant they get. Variants that are left out list nobody, unless there is nothing but `add` and `remove`.',
  }),
  rules: unlessNull(rulesRequest).meta({ description: 'In order; the first that matches serves.' }),
  default_serve: unlessNull(serveRequest).meta({
    description: 'The full way: what everyone gets whom nothing else matches.',
  }),
};

export const createFlagRequest = z
  .strictObject({
    key: z
      .string()
      .regex(
        FLAG_KEY_PATTERN,
        "must be 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
      )
      .refine((key) => !RESERVED_KEYS.includes(key), `must not be one of ${RESERVED_KEYS.join(', ')}`)
      .meta({ example: 'new-checkout' }),
    name: title(200).meta({ example: 'New checkout' }),
    value_type: z
      .enum(VALUE_TYPES)
      .optional()
      .meta({ description: '`boolean` unless said otherwise. Never changes.' }),
    environment_key: environmentKey
      .optional()
      .meta({ description: 'Where to make it. Without this and environment_id: in every environment.' }),
    environment_id: z.uuid().optional().meta({ description: 'The same, by id.' }),
    ...definitionFields,
    ...settingsFields,
    reason: changeReason,
  })
  .transform(camelKeys)
  .meta({
    id: 'CreateFlagRequest',
    example: {
      key: 'new-checkout',
      name: 'New checkout',
      environment_key: 'production',
      flag_type: 'percentage',
      rollout_percentage: 25,
      is_enabled: true,
    },
  });

export const updateFlagRequest = z
  .strictObject({
    name: title(200).optional(),
    archived: z
      .boolean()
      .optional()
      .meta({ description: 'An archived flag is off everywhere and left out of lists.' }),
    ...definitionFields,
    ...settingsFields,
    reason: changeReason,
    confirm: confirmation,
  })
  .transform(camelKeys)
  .meta({
    id: 'UpdateFlagRequest',
    example: { rollout_percentage: 50, reason: 'Ramp up after a quiet week' },
  });

export const flagQuery = z.strictObject({ environment_key: environmentKey }).transform(camelKeys);

export const createFlagQuery = z
  .strictObject({ environment_key: environmentKey.optional() })
  .transform(camelKeys);

export const deleteFlagQuery = z
  .strictObject({ environment_key: environmentKey, reason: changeReason, confirm: confirmation })
  .transform(camelKeys);

export const reRandomiseRequest = z
  .strictObject({
    rule_id: storedText(1, 100)
      .optional()
      .meta({ description: 'Of the rule whose rollout is meant; the default serve when absent.' }),
    reason: changeReason,
    confirm: confirmation,
  })
  .prefault({})
  .transform(camelKeys)
  .meta({ id: 'ReRandomiseRequest', example: { reason: 'A second round with other people' } });

const paging = {
  skip: queryInteger(0, 1_000_000_000, 0).meta({
    description: 'How many to leave out from the beginning.',
  }),
};

export const listTargetsQuery = z
  .strictObject({
    environment_key: environmentKey,
    q: storedText(1, 200).optional().meta({ description: 'Text in the keys, in any case.' }),
    ...paging,
    limit: queryInteger(1, 10_000, 1_000).meta({ description: 'How many in one answer.' }),
  })
  .transform(camelKeys);

export const listFlagsQuery = z
  .strictObject({
    environment_key: environmentKey
      .optional()
      .meta({ description: 'Only this environment. Without it: a row for each flag and environment.' }),
    q: storedText(1, 200).optional().meta({ description: 'Text in key, name or description, in any case.' }),
    tag: storedText(1, 50).optional().meta({ description: 'Only flags with this tag.' }),
    archived: z
      .enum(['true', 'false', 'any'])
      .default('false')
      .meta({ description: 'Archived flags are left out unless asked for.' }),
    ...paging,
    limit: queryInteger(1, 1000, 100).meta({ description: 'How many in one answer.' }),
  })
  .transform(({ archived, ...rest }) => ({
    ...camelKeys(rest),
    isArchived: archived === 'any' ? undefined : archived === 'true',
  }));

export type CreateFlagRequest = z.output<typeof createFlagRequest>;
export type UpdateFlagRequest = z.output<typeof updateFlagRequest>;
export type FlagQuery = z.output<typeof flagQuery>;
export type CreateFlagQuery = z.output<typeof createFlagQuery>;
export type DeleteFlagQuery = z.output<typeof deleteFlagQuery>;
export type ListTargetsQuery = z.output<typeof listTargetsQuery>;
export type ReRandomiseRequest = z.output<typeof reRandomiseRequest>;
export type ListFlagsQuery = z.output<typeof listFlagsQuery>;

/** The body or the query may say where. @throws Invalid when they say different things */
export function newFlagOf(body: CreateFlagRequest, query: CreateFlagQuery): CreateFlagRequest {
  const environmentKey = body.environmentKey ?? query.environmentKey;
  if (query.environmentKey !== undefined && query.environmentKey !== environmentKey)
    throw new Invalid([{ path: 'environment_key', message: 'is another one in the query' }]);
  return { ...body, environmentKey };
}
