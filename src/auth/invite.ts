import { hash, randomBytes } from 'node:crypto';
import type { Role } from '../platform/access/role.js';

/** Lets one person make an account with a role. There are open ones only: one that is used or withdrawn is no more. */
export interface Invite {
  readonly id: string;
  readonly role: Role;
  /** Lower-case. The only address that it may be used with; `null`: any. */
  readonly email: string | null;
  readonly expiresAt: Date;
  /** Who made it, as they were called then. */
  readonly createdBy: string;
  readonly createdById: string;
  readonly createdAt: Date;
}

/** A new token: 256 random bits, in letters and digits that no program takes for the end of a link. Scanners find leaked ones by their beginning. */
export const newInviteToken = (): string => `vx_invite_${randomBytes(32).toString('hex')}`;

/** What is kept of a token. It has 256 random bits, so a fast hash is as good as a slow one, and a look-up by it tells nothing. */
export const hashOfInviteToken = (token: string): string => hash('sha256', token);

/** What the audit log says of an invitation. Not its token, nor a hash of it. */
export const describeInvite = (invite: Invite): Record<string, unknown> => ({
  role: invite.role,
  email: invite.email,
  expires_at: invite.expiresAt.toISOString(),
  created_by: invite.createdBy,
});
