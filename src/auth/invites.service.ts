import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { AuditAction } from '../audit/audit-entry.js';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../platform/access/actor.js';
import type { Role } from '../platform/access/role.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { EmailTaken, InviteNotFound, RoleTooLow } from './auth.errors.js';
import { describeInvite, hashOfInviteToken, newInviteToken, type Invite } from './invite.js';
import { InvitesRepository } from './invites.repository.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

const HOUR_MS = 3_600_000;

export interface NewInvite {
  readonly role: Role;
  /** Lower-case; any address when it is absent. */
  readonly email?: string | undefined;
  readonly expiresInHours: number;
  readonly reason?: string | undefined;
}

/** Makes and withdraws invitations, and hands them to who brings the token. One is good for as long as who made it is an active admin. */
@Injectable()
export class InvitesService {
  constructor(
    private readonly db: Database,
    private readonly invites: InvitesRepository,
    private readonly users: UsersRepository,
    private readonly limiter: AttemptLimiter,
    private readonly audit: AuditService,
  ) {}

  /** Those that can be used, newest first. */
  async list(skip: number, limit: number): Promise<{ invites: Invite[]; total: number }> {
    return this.invites.list(skip, limit, new Date());
  }

  /**
   * @returns the invitation, and its token: this once and never again
   * @throws EmailTaken, RoleTooLow
   */
  async create(actor: Actor, input: NewInvite): Promise<{ invite: Invite; token: string }> {
    if (input.email !== undefined && (await this.users.findByEmail(input.email))) throw new EmailTaken();
    return this.db.transaction(async (tx) => {
      const creator = await this.activeAdmin(tx, actor);
      const now = new Date();
      await this.invites.removeExpired(tx, now);
      const token = newInviteToken();
      const invite: Invite = {
        id: randomUUID(),
        role: input.role,
        email: input.email ?? null,
        expiresAt: new Date(now.getTime() + input.expiresInHours * HOUR_MS),
        createdBy: creator.email,
        createdById: creator.id,
        createdAt: now,
      };
      await this.invites.insert(tx, invite, hashOfInviteToken(token));
      await this.record(tx, actor, 'created', invite, input.reason);
      return { invite, token };
    });
  }

  /** @throws InviteNotFound */
  async withdraw(actor: Actor, id: string, reason?: string): Promise<void> {
    await this.db.transaction(async (tx) => {
      const invite = await this.invites.takeById(tx, id, new Date());
      if (!invite) throw new InviteNotFound();
      await this.record(tx, actor, 'revoked', invite, reason);
    });
  }

  /** Ends what somebody made who may invite no more; its caller holds the account and the transaction. */
  async withdrawAllOf(tx: Tx, actor: Actor, creator: User): Promise<void> {
    const reason = `${creator.email} is no longer an active admin`;
    for (const invite of await this.invites.takeByCreator(tx, creator.id, new Date()))
      await this.record(tx, actor, 'revoked', invite, reason);
  }

  /** What the token is good for. @throws InviteNotFound, TooManyAttempts */
  async look(address: string, token: string): Promise<Invite> {
    const found = await this.limiter.guess(address, () =>
      this.invites.findByTokenHash(hashOfInviteToken(token), new Date()),
    );
    if (!found) throw new InviteNotFound();
    return found;
  }

  /** Uses it up, for good once the transaction is committed. @throws InviteNotFound */
  async use(tx: Tx, actor: Actor, token: string): Promise<Invite> {
    const invite = await this.invites.takeByTokenHash(tx, hashOfInviteToken(token), new Date());
    if (!invite) throw new InviteNotFound();
    await this.record(tx, actor, 'accepted', invite);
    return invite;
  }

  /** Held, so that nobody is demoted while they invite: what they made before that is withdrawn with it. */
  private async activeAdmin(tx: Tx, actor: Actor): Promise<User> {
    const user = actor.id === null ? undefined : await this.users.lock(tx, actor.id);
    if (!user?.isActive || user.role !== 'admin') throw new RoleTooLow('admin');
    return user;
  }

  private async record(
    tx: Tx,
    actor: Actor,
    action: AuditAction,
    invite: Invite,
    reason?: string,
  ): Promise<void> {
    const state = describeInvite(invite);
    await this.audit.record(tx, {
      entityType: 'invite',
      entityId: invite.id,
      entityKey: invite.email ?? invite.id,
      actor,
      action,
      reason,
      ...(action === 'created' ? { after: state } : { before: state }),
    });
    await tx.notify('invites', { id: invite.id });
  }
}
