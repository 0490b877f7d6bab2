import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../platform/access/actor.js';
import type { Role } from '../platform/access/role.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { LastAdmin, OwnAccount, OwnAdminRole, SetupDone, UserNotFound } from './auth.errors.js';
import { InvitesService } from './invites.service.js';
import { UsersChanged } from './user.events.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

/** A new account, its password already hashed. */
export interface NewUser {
  readonly email: string;
  readonly name: string;
  readonly passwordHash: string;
}

/** Makes accounts and changes what they may do. There is always an active admin left once there has been one. */
@Injectable()
export class UsersService {
  constructor(
    private readonly db: Database,
    private readonly users: UsersRepository,
    private readonly invites: InvitesService,
    private readonly audit: AuditService,
  ) {}

  async list(skip: number, limit: number): Promise<{ users: User[]; total: number }> {
    return this.users.list(skip, limit);
  }

  async findByEmail(email: string): Promise<User | undefined> {
    return this.users.findByEmail(email);
  }

  /** Whether nobody can administer this installation yet. */
  async needsAdmin(): Promise<boolean> {
    return !(await this.users.hasAdmin());
  }

  /** @throws EmailTaken */
  async register(actor: Actor, user: NewUser): Promise<User> {
    return this.change((tx) => this.insert(tx, actor, user, 'viewer'));
  }

  /**
   * Makes the first admin; of several at the same time one succeeds.
   * @throws SetupDone when there is an admin; EmailTaken
   */
  async registerFirstAdmin(actor: Actor, user: NewUser): Promise<User> {
    return this.change(async (tx) => {
      if ((await this.users.countActiveAdmins(tx)) > 0) throw new SetupDone();
      return this.insert(tx, actor, user, 'admin');
    });
  }

  /**
   * Makes an account with the role that an invitation is for, and uses that up; of several at the same time one succeeds.
   * @throws InviteNotFound, EmailTaken, after which the invitation is as good as before
   */
  async join(actor: Actor, user: NewUser, token: string): Promise<User> {
    return this.change(async (tx) => {
      const id = randomUUID();
      const by: Actor = { ...actor, type: 'user', id, name: user.email };
      const { role } = await this.invites.use(tx, by, token);
      return this.insert(tx, by, user, role, id);
    });
  }

  /** @throws UserNotFound, OwnAdminRole, LastAdmin */
  async changeRole(actor: Actor, id: string, role: Role, reason?: string): Promise<User> {
    return this.change(async (tx) => {
      const user = await this.existing(tx, id);
      if (user.id === actor.id && role !== 'admin') throw new OwnAdminRole();
      return this.update(tx, actor, user, { role }, reason);
    });
  }

  /** @throws UserNotFound, OwnAccount, LastAdmin */
  async setActive(actor: Actor, id: string, isActive: boolean, reason?: string): Promise<User> {
    return this.change(async (tx) => {
      const user = await this.existing(tx, id);
      if (user.id === actor.id && !isActive) throw new OwnAccount();
      return this.update(tx, actor, user, { isActive }, reason);
    });
  }

  /** One change of accounts at a time: the rule about the last admin cannot be raced. */
  private async change<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.db.transaction(async (tx) => {
      const revision = await this.users.advanceRevision(tx);
      const result = await work(tx);
      tx.emit(new UsersChanged());
      await tx.notify('users', { revision });
      return result;
    });
  }

  private async existing(tx: Tx, id: string): Promise<User> {
    const user = await this.users.lock(tx, id);
    if (!user) throw new UserNotFound();
    return user;
  }

  private async insert(
    tx: Tx,
    actor: Actor,
    { passwordHash, ...person }: NewUser,
    role: Role,
    id = randomUUID() as string,
  ): Promise<User> {
    const user: User = {
      id,
      ...person,
      role,
      isActive: true,
      tokenVersion: 1,
      createdAt: new Date(),
    };
    await this.users.insert(tx, { ...user, passwordHash });
    // A person who registers acts for themselves; before this moment there was nobody to name.
    const by =
      actor.type === 'anonymous' ? { ...actor, type: 'user' as const, id: user.id, name: user.email } : actor;
    await this.audit.record(tx, { ...entity(user), actor: by, after: visible(user) });
    return user;
  }

  private async update(
    tx: Tx,
    actor: Actor,
    before: User,
    change: Partial<Pick<User, 'role' | 'isActive'>>,
    reason?: string,
  ): Promise<User> {
    const after: User = { ...before, ...change };
    if (after.role === before.role && after.isActive === before.isActive) return before;
    const losesAdmin =
      before.role === 'admin' && before.isActive && !(after.role === 'admin' && after.isActive);
    if (losesAdmin && (await this.users.countActiveAdmins(tx)) <= 1) throw new LastAdmin();
    const tokenVersion = before.tokenVersion + 1;
    await this.users.update(tx, before.id, { ...change, tokenVersion });
    if (losesAdmin) await this.invites.withdrawAllOf(tx, actor, before);
    await this.audit.record(tx, {
      ...entity(after),
      actor,
      before: visible(before),
      after: visible(after),
      reason,
    });
    return { ...after, tokenVersion };
  }
}

const entity = (user: User) => ({ entityType: 'user' as const, entityId: user.id, entityKey: user.email });

/** What the audit log says of a person. Not the hash of the password. */
const visible = (user: User) => ({
  email: user.email,
  name: user.name,
  role: user.role,
  is_active: user.isActive,
});
