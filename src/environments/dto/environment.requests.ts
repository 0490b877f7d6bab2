import { z } from 'zod';
import { camelKeys, changeReason, storedText, title } from '../../platform/http/schema.js';

const fields = {
  name: title(100).meta({ example: 'Pre-production' }),
  description: storedText(0, 500).nullable().optional(),
  protected: z.boolean().optional().meta({ description: 'Whether only admins change things in it.' }),
  confirm_changes: z.boolean().optional().meta({
    description: 'Whether people must name what they change in it, in `confirm`, while it is protected.',
  }),
  require_reason: z.boolean().optional().meta({
    description: 'Whether people must say why they change anything in it, in `reason`.',
  }),
  position: z
    .int()
    .min(0)
    .max(10_000)
    .optional()
    .meta({ description: 'Where it stands in lists, lowest first.' }),
  reason: changeReason,
};

export const createEnvironmentRequest = z
  .strictObject({
    key: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,49}$/, "must be 1 to 50 of a-z, 0-9 and '-', not beginning with '-'")
      .meta({ example: 'preprod' }),
    ...fields,
  })
  .transform(camelKeys)
  .meta({
    id: 'CreateEnvironmentRequest',
    example: { key: 'preprod', name: 'Pre-production', protected: false },
  });

export const updateEnvironmentRequest = z
  .strictObject(fields)
  .partial()
  .transform(camelKeys)
  .meta({ id: 'UpdateEnvironmentRequest', example: { protected: true } });

export const deleteEnvironmentQuery = z.strictObject({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({
      override: { type: 'boolean', default: false },
      description: 'Also delete the flags and segments in it.',
    }),
  reason: changeReason,
});

export type CreateEnvironmentRequest = z.output<typeof createEnvironmentRequest>;
export type UpdateEnvironmentRequest = z.output<typeof updateEnvironmentRequest>;
export type DeleteEnvironmentQuery = z.output<typeof deleteEnvironmentQuery>;
