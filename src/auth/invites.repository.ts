import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { InviteEntity } from './invite.entity.js';
import type { Invite } from './invite.js';

const COLUMNS = `id, role, email, expires_at AS "expiresAt", created_by AS "createdBy", created_by_id AS "createdById",
  created_at AS "createdAt"`;

@Injectable()
export class InvitesRepository {
  constructor(private readonly db: Database) {}

  /** Newest first. */
  async list(skip: number, limit: number, now: Date): Promise<{ invites: Invite[]; total: number }> {
    const [invites, total] = await this.db.manager.findAndCount(InviteEntity, {
      where: { expiresAt: MoreThan(now) },
      order: { createdAt: 'DESC', id: 'ASC' },
      skip,
      take: limit,
    });
    return { invites, total };
  }

  async findByTokenHash(tokenHash: string, now: Date): Promise<Invite | undefined> {
    const found = await this.db.manager.findOneBy(InviteEntity, { tokenHash, expiresAt: MoreThan(now) });
    return found ?? undefined;
  }

  async insert(tx: Tx, invite: Invite, tokenHash: string): Promise<void> {
    await tx.manager.insert(InviteEntity, { ...invite, tokenHash });
  }

  /** Takes it away to be used. Of several at the same time one has it: the others wait for the row, and find it gone. */
  async takeByTokenHash(tx: Tx, tokenHash: string, now: Date): Promise<Invite | undefined> {
    return (await this.take(tx, 'token_hash = $1 AND expires_at > $2', [tokenHash, now]))[0];
  }

  /** Takes it away for good. Of several at the same time one has it. */
  async takeById(tx: Tx, id: string, now: Date): Promise<Invite | undefined> {
    return (await this.take(tx, 'id = $1 AND expires_at > $2', [id, now]))[0];
  }

  /** Takes away all that somebody made. */
  async takeByCreator(tx: Tx, userId: string, now: Date): Promise<Invite[]> {
    return this.take(tx, 'created_by_id = $1 AND expires_at > $2', [userId, now]);
  }

  /** Removes what nobody can use any more, but for what another transaction is at. */
  async removeExpired(tx: Tx, now: Date): Promise<void> {
    await tx.manager.query(
      `DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE expires_at <= $1 FOR UPDATE SKIP LOCKED)`,
      [now],
    );
  }

  private async take(tx: Tx, condition: string, parameters: readonly unknown[]): Promise<Invite[]> {
    const [taken] = await tx.manager.query<[Invite[], number]>(
      `DELETE FROM invites WHERE ${condition} RETURNING ${COLUMNS}`,
      [...parameters],
    );
    return taken;
  }
}
