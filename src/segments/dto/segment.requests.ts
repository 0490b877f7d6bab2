import { z } from 'zod';
import { FLAG_KEY_PATTERN } from '../../core/index.js';
import {
  camelKeys,
  changeReason,
  confirmation,
  queryInteger,
  storedText,
  title,
} from '../../platform/http/schema.js';
import { conditionGroupRequest } from '../condition-schema.js';
import { KEY_LISTS, MAX_KEYS } from '../segment.js';

const environmentKey = storedText(1, 100).meta({
  description: 'The key of an environment.',
  example: 'development',
});

/** As long as a user's key may be in an evaluation. */
const keys = z.array(storedText(1, 1024)).max(MAX_KEYS);

const fields = {
  description: storedText(0, 1000).nullable().optional(),
  included: keys.optional().meta({
    description: 'Keys of users who are in it, whatever the conditions say. Each once, in no order.',
    example: ['alice'],
  }),
  excluded: keys.optional().meta({
    description: 'Keys of users who are not in it, whatever else is said.',
    example: ['bob'],
  }),
  conditions: conditionGroupRequest
    .nullable()
    .optional()
    .meta({ description: 'Who else is in it; null: nobody.' }),
};

export const createSegmentRequest = z
  .strictObject({
    key: z
      .string()
      .regex(
        FLAG_KEY_PATTERN,
        "must be 1 to 100 of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit",
      )
      .meta({ example: 'beta-users' }),
    name: title(200).meta({ example: 'Beta users' }),
    environment_key: environmentKey
      .optional()
      .meta({ description: 'Where to make it. Without this: one in every environment.' }),
    ...fields,
    reason: changeReason,
  })
  .transform(camelKeys)
  .meta({
    id: 'CreateSegmentRequest',
    example: {
      key: 'beta-users',
      name: 'Beta users',
      environment_key: 'development',
      included: ['alice'],
      conditions: { all: [{ attribute: 'plan', operator: 'in', values: ['pro', 'team'] }] },
    },
  });

const change = (what: string) => keys.optional().meta({ description: what });

/** Long lists are read as null, and whoever writes that back says nothing of them. */
const unlessNull = (list: typeof fields.included) =>
  list
    .nullable()
    .transform((value) => value ?? undefined)
    .optional();

export const updateSegmentRequest = z
  .strictObject({
    name: title(200).optional(),
    ...fields,
    included: unlessNull(fields.included),
    excluded: unlessNull(fields.excluded),
    included_add: change('Keys to add to the included ones.'),
    included_remove: change('Keys to take out of the included ones, before any are added.'),
    excluded_add: change('Keys to add to the excluded ones.'),
    excluded_remove: change('Keys to take out of the excluded ones, before any are added.'),
    reason: changeReason,
    confirm: confirmation,
  })
  .superRefine((body, issues) => {
    for (const list of KEY_LISTS) {
      for (const field of [`${list}_add`, `${list}_remove`] as const) {
        if (body[list] !== undefined && body[field] !== undefined)
          issues.addIssue({ code: 'custom', path: [field], message: `cannot be given with ${list}` });
      }
    }
  })
  .transform(camelKeys)
  .meta({
    id: 'UpdateSegmentRequest',
    example: { included_add: ['carol'], reason: 'Joined the beta' },
  });

export const segmentQuery = z.strictObject({ environment_key: environmentKey }).transform(camelKeys);

export const createSegmentQuery = z
  .strictObject({ environment_key: environmentKey.optional() })
  .transform(camelKeys);

export const deleteSegmentQuery = z
  .strictObject({ environment_key: environmentKey, reason: changeReason, confirm: confirmation })
  .transform(camelKeys);

const skip = queryInteger(0, 1_000_000_000, 0).meta({
  description: 'How many to leave out from the beginning.',
});

export const listSegmentsQuery = z
  .strictObject({
    environment_key: environmentKey
      .optional()
      .meta({ description: 'Only this environment. Without it: a row for each segment and environment.' }),
    q: storedText(1, 200).optional().meta({ description: 'Text in key, name or description, in any case.' }),
    skip,
    limit: queryInteger(1, 1000, 100).meta({ description: 'How many in one answer.' }),
  })
  .transform(camelKeys);

export const listKeysQuery = z
  .strictObject({
    environment_key: environmentKey,
    list: z.enum(KEY_LISTS).meta({ description: 'Which of its lists.' }),
    q: storedText(1, 200).optional().meta({ description: 'Text in the keys, in any case.' }),
    skip,
    limit: queryInteger(1, 10_000, 1000).meta({ description: 'How many in one answer.' }),
  })
  .transform(camelKeys);

export type CreateSegmentRequest = z.output<typeof createSegmentRequest>;
export type UpdateSegmentRequest = z.output<typeof updateSegmentRequest>;
export type SegmentQuery = z.output<typeof segmentQuery>;
export type CreateSegmentQuery = z.output<typeof createSegmentQuery>;
export type DeleteSegmentQuery = z.output<typeof deleteSegmentQuery>;
export type ListSegmentsQuery = z.output<typeof listSegmentsQuery>;
export type ListKeysQuery = z.output<typeof listKeysQuery>;
