import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { Database } from '../platform/database/database.js';
import { violatedUnique } from '../platform/database/faults.js';
import type { Tx } from '../platform/database/tx.js';
import { EmailTaken } from './auth.errors.js';
import { UserEntity } from './user.entity.js';
import type { User } from './user.js';

@Injectable()
export class UsersRepository {
  constructor(private readonly db: Database) {}

  async find(id: string): Promise<User | undefined> {
    return (await this.db.manager.findOneBy(UserEntity, { id })) ?? undefined;
  }

  async findAll(ids: readonly string[]): Promise<User[]> {
    return this.db.manager.findBy(UserEntity, { id: In(ids) });
  }

  async findByEmail(email: string): Promise<User | undefined> {
    return (await this.db.manager.findOneBy(UserEntity, { email })) ?? undefined;
  }

  /** For logging in only: the hash leaves the database nowhere else. */
  async findWithHash(email: string): Promise<(User & { readonly passwordHash: string }) | undefined> {
    const user = await this.db.manager
      .createQueryBuilder(UserEntity, 'user')
      .addSelect('user.passwordHash')
      .where('user.email = :email', { email })
      .getOne();
    return user ?? undefined;
  }

  /** Oldest account first. */
  async list(skip: number, limit: number): Promise<{ users: User[]; total: number }> {
    const [users, total] = await this.db.manager.findAndCount(UserEntity, {
      order: { createdAt: 'ASC', id: 'ASC' },
      skip,
      take: limit,
    });
    return { users, total };
  }

  /** Counts the change and holds the lock under which all changes of accounts happen one after the other. */
  async advanceRevision(tx: Tx): Promise<number> {
    const [rows] = await tx.manager.query<[[{ revision: string }]]>(
      `UPDATE revisions SET revision = revision + 1 WHERE name = 'users' RETURNING revision`,
    );
    return Number(rows[0].revision);
  }

  /** How many changes of accounts there have been. */
  async revision(): Promise<number> {
    const rows = await this.db.manager.query<[{ revision: string }]>(
      `SELECT revision FROM revisions WHERE name = 'users'`,
    );
    return Number(rows[0].revision);
  }

  async lock(tx: Tx, id: string): Promise<User | undefined> {
    return (
      (await tx.manager.findOne(UserEntity, { where: { id }, lock: { mode: 'pessimistic_write' } })) ??
      undefined
    );
  }

  async countActiveAdmins(tx: Tx): Promise<number> {
    return tx.manager.countBy(UserEntity, { role: 'admin', isActive: true });
  }

  async hasAdmin(): Promise<boolean> {
    return this.db.manager.existsBy(UserEntity, { role: 'admin', isActive: true });
  }

  /** @throws EmailTaken */
  async insert(tx: Tx, user: User & { readonly passwordHash: string }): Promise<void> {
    try {
      await tx.manager.insert(UserEntity, user);
    } catch (error) {
      if (violatedUnique(error) === 'uq_users_email') throw new EmailTaken();
      throw error;
    }
  }

  async update(
    tx: Tx,
    id: string,
    change: Partial<Pick<User, 'role' | 'isActive' | 'tokenVersion'>>,
  ): Promise<void> {
    await tx.manager.update(UserEntity, { id }, { ...change, updatedAt: new Date() });
  }
}
