import { z } from 'zod';
import { camelKeys, changeReason } from '../../platform/http/schema.js';
import { roleSchema } from '../role-schema.js';
import { EXAMPLE_PERSON, email, listUsersQuery, person } from './auth.requests.js';

const EXAMPLE_TOKEN = `vx_invite_${'0'.repeat(64)}`;

const token = z
  .string()
  .max(200)
  .meta({ description: 'What stands after the # of the link.', example: EXAMPLE_TOKEN });

export const createInviteRequest = z
  .strictObject({
    role: roleSchema,
    email: email.optional().meta({ description: 'The only address it may be used with; any when absent.' }),
    expires_in_hours: z
      .int()
      .min(1)
      .max(720)
      .default(72)
      .meta({ description: 'How long it is good, in hours.' }),
    reason: changeReason,
  })
  .transform(camelKeys)
  .meta({ id: 'CreateInviteRequest', example: { role: 'developer', email: 'robin@example.com' } });

export const lookAtInviteRequest = z
  .strictObject({ token })
  .meta({ id: 'LookAtInviteRequest', example: { token: EXAMPLE_TOKEN } });

export const acceptInviteRequest = z.strictObject({ token, ...person }).meta({
  id: 'AcceptInviteRequest',
  example: { ...EXAMPLE_PERSON, email: 'robin@example.com', name: 'Robin', token: EXAMPLE_TOKEN },
});

export const listInvitesQuery = listUsersQuery;

export const withdrawInviteQuery = z.strictObject({ reason: changeReason });

export type CreateInviteRequest = z.output<typeof createInviteRequest>;
export type LookAtInviteRequest = z.output<typeof lookAtInviteRequest>;
export type AcceptInviteRequest = z.output<typeof acceptInviteRequest>;
export type ListInvitesQuery = z.output<typeof listInvitesQuery>;
export type WithdrawInviteQuery = z.output<typeof withdrawInviteQuery>;
