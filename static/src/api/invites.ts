import { body, client, page, type Schemas } from './client.js';
import type { Session } from './people.js';

export type Invite = Schemas['Invite'];
export type NewInvite = Schemas['NewInvite'];
/** What an invitation offers to who has its token. */
export type InviteOffer = Schemas['InviteOffer'];

export const listInvites = (skip: number, limit: number): Promise<{ items: Invite[]; total: number }> =>
  page(client.GET('/auth/invites', { params: { query: { skip, limit } } }));
export const createInvite = (request: Schemas['CreateInviteRequest']): Promise<NewInvite> =>
  body(client.POST('/auth/invites', { body: request }));
export const withdrawInvite = async (id: string, reason?: string): Promise<void> => {
  await body(
    client.DELETE('/auth/invites/{id}', { params: { path: { id }, query: reason ? { reason } : {} } }),
  );
};
export const lookAtInvite = (token: string): Promise<InviteOffer> =>
  body(client.POST('/auth/invites/look', { body: { token } }));
export const acceptInvite = (request: Schemas['AcceptInviteRequest']): Promise<Session> =>
  body(client.POST('/auth/invites/accept', { body: request }));
