import { z } from 'zod';
import { camelKeys, queryInteger, storedText } from '../../platform/http/schema.js';
import { AUDIT_ACTIONS, ENTITY_TYPES } from '../audit-entry.js';

const moment = (what: string) =>
  z.iso
    .datetime({ offset: true, error: 'must be a moment such as 2026-11-21T09:30:00Z' })
    .transform((text) => new Date(text))
    .optional()
    .meta({ override: { type: 'string', format: 'date-time' }, description: what });

const paging = {
  limit: queryInteger(1, 200, 50).meta({ description: 'Entries in one answer.' }),
  before: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a position')
    .transform(Number)
    .optional()
    .meta({
      override: { type: 'integer', minimum: 0 },
      description: 'Only entries before this position: the last one of the page you have.',
    }),
};

const filters = {
  action: z.enum(AUDIT_ACTIONS).optional().meta({ description: 'Only what was done like this.' }),
  user_id: storedText(1, 100).optional().meta({ description: 'Only what this person did.' }),
  request_id: storedText(1, 200).optional().meta({
    description:
      'Only what was done in this request, or in several that were sent with the same `X-Request-Id`, as a bulk change of the dashboard is.',
  }),
  environment_key: storedText(1, 100)
    .optional()
    .meta({ description: 'Only what happened in, or moved on, this environment.' }),
  since: moment('Not before this moment.'),
  until: moment('Before this moment.'),
};

export const auditQuery = z
  .strictObject({
    ...paging,
    entity_type: z.enum(ENTITY_TYPES).optional().meta({ description: 'Only things of this kind.' }),
    entity_key: storedText(1, 254).optional().meta({
      description: 'Only this flag, segment or environment, by its key, or this person, by e-mail address.',
    }),
    ...filters,
  })
  .transform(filterOf);

export const flagAuditQuery = z.strictObject({ ...paging, ...filters }).transform(filterOf);

/** The log knows people as actors. */
function filterOf<T extends { user_id?: string | undefined }>({ user_id: actorId, ...rest }: T) {
  return { ...camelKeys(rest), actorId };
}

export type AuditQuery = z.output<typeof auditQuery>;
export type FlagAuditQuery = z.output<typeof flagAuditQuery>;
