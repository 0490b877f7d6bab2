import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import type { Invite } from '../invite.js';
import { roleSchema } from '../role-schema.js';

/** Of the dashboard. The token comes after the #, which no browser sends anywhere. */
const PAGE = '/app/invite';

const offered = {
  role: roleSchema,
  email: z.string().nullable().meta({ description: 'The only address it may be used with; null: any.' }),
  expires_at: timestamp,
};

const shape = z.object({
  id: z.uuid(),
  ...offered,
  created_by: z.string().meta({ description: 'Who made it.', example: 'dana@example.com' }),
  created_at: timestamp,
});

const OFFER = {
  role: 'developer',
  email: 'robin@example.com',
  expires_at: '2026-11-24T09:30:00.000Z',
} as const;
const EXAMPLE = {
  id: '7c0f4a52-9d0e-4c63-8a3b-1f2e3d4c5b6a',
  ...OFFER,
  created_by: 'dana@example.com',
  created_at: '2026-11-21T09:30:00.000Z',
} as const;
const TOKEN = `vx_invite_${'0'.repeat(64)}`;

export const inviteResponse = shape.meta({ id: 'Invite', example: EXAMPLE });

export const newInviteResponse = shape
  .extend({
    token: z.string().meta({ description: 'Shown this once: nobody can read it again.' }),
    path: z.string().meta({
      description:
        'Where the dashboard lets it be accepted, with the token: the address of this service goes before it.',
    }),
  })
  .meta({ id: 'NewInvite', example: { ...EXAMPLE, token: TOKEN, path: `${PAGE}#${TOKEN}` } });

export const offerResponse = z.object(offered).meta({ id: 'InviteOffer', example: OFFER });

export const presentOffer = ({ role, email, expiresAt }: Invite): z.infer<typeof offerResponse> => ({
  role,
  email,
  expires_at: expiresAt.toISOString(),
});

export const presentInvite = (invite: Invite): z.infer<typeof inviteResponse> => ({
  id: invite.id,
  ...presentOffer(invite),
  created_by: invite.createdBy,
  created_at: invite.createdAt.toISOString(),
});

export const presentNewInvite = ({
  invite,
  token,
}: {
  invite: Invite;
  token: string;
}): z.infer<typeof newInviteResponse> => ({ ...presentInvite(invite), token, path: `${PAGE}#${token}` });
