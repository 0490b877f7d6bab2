import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { AuditEntryEntity } from './audit-entry.entity.js';
import type { AuditAction, AuditEntry, EntityType } from './audit-entry.js';

export interface AuditFilter {
  readonly entityType?: EntityType | undefined;
  readonly entityKey?: string | undefined;
  readonly action?: AuditAction | undefined;
  readonly actorId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly environmentKey?: string | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only entries with a lower position: the way to the next page. */
  readonly before?: number | undefined;
  readonly limit: number;
}

export interface ChainHead {
  readonly position: number;
  readonly hash: string;
}

/** When and by whom something was changed last. */
export interface LastChange {
  readonly at: Date;
  /** The actor's name. */
  readonly by: string;
  readonly action: AuditAction;
  readonly environmentKey: string | null;
}

@Injectable()
export class AuditRepository {
  constructor(private readonly db: Database) {}

  /** The end of the chain, held until the transaction ends, so that entries get one order. */
  async lockHead(tx: Tx): Promise<ChainHead> {
    return headOf(await tx.manager.query('SELECT position, hash FROM audit_chain WHERE id = 1 FOR UPDATE'));
  }

  async head(): Promise<ChainHead> {
    return headOf(await this.db.manager.query('SELECT position, hash FROM audit_chain WHERE id = 1'));
  }

  async append(tx: Tx, entry: AuditEntry): Promise<void> {
    await tx.manager.insert(AuditEntryEntity, entry as object);
    await tx.manager.query('UPDATE audit_chain SET position = $1, hash = $2 WHERE id = 1', [
      entry.position,
      entry.hash,
    ]);
  }

  /** Newest first. An entry belongs to an environment when it happened there or moved that environment on. */
  async find(filter: AuditFilter): Promise<AuditEntry[]> {
    const query = this.db.manager.createQueryBuilder(AuditEntryEntity, 'entry');
    if (filter.entityType)
      query.andWhere('entry.entityType = :entityType', { entityType: filter.entityType });
    if (filter.entityKey !== undefined)
      query.andWhere('entry.entityKey = :entityKey', { entityKey: filter.entityKey });
    if (filter.action) query.andWhere('entry.action = :action', { action: filter.action });
    if (filter.actorId !== undefined) query.andWhere('entry.actorId = :actorId', { actorId: filter.actorId });
    if (filter.requestId !== undefined)
      query.andWhere('entry.requestId = :requestId', { requestId: filter.requestId });
    if (filter.environmentKey !== undefined) {
      // Each half has an index; the function behind the operator would use none.
      query.andWhere('(entry.environmentKey = :key OR entry.revisions ? :key)', {
        key: filter.environmentKey,
      });
    }
    if (filter.since) query.andWhere('entry.createdAt >= :since', { since: filter.since });
    if (filter.until) query.andWhere('entry.createdAt < :until', { until: filter.until });
    if (filter.before !== undefined) query.andWhere('entry.position < :before', { before: filter.before });
    return query.orderBy('entry.position', 'DESC').limit(filter.limit).getMany();
  }

  async lastChanges(entityType: EntityType, keys: readonly string[]): Promise<Map<string, LastChange>> {
    const rows = await this.db.manager.query<
      { key: string; at: Date; by: string; action: AuditAction; environment_key: string | null }[]
    >(
      `SELECT asked.key, entry.created_at AS at, entry.actor_name AS by, entry.action, entry.environment_key
       FROM unnest($2::text[]) AS asked (key), LATERAL (
         SELECT * FROM audit_entries a WHERE a.entity_type = $1 AND a.entity_key = asked.key
         ORDER BY a.position DESC LIMIT 1
       ) entry`,
      [entityType, keys],
    );
    return new Map(
      rows.map(({ key, environment_key, ...rest }) => [key, { ...rest, environmentKey: environment_key }]),
    );
  }

  /** Entries after `position`, or from the very first, oldest first. */
  async after(position: number | undefined, limit: number): Promise<AuditEntry[]> {
    const query = this.db.manager.createQueryBuilder(AuditEntryEntity, 'entry');
    if (position !== undefined) query.where('entry.position > :position', { position });
    return query.orderBy('entry.position', 'ASC').limit(limit).getMany();
  }
}

function headOf(rows: unknown): ChainHead {
  const [row] = rows as { position: string; hash: string }[];
  return { position: Number(row?.position ?? 0), hash: row?.hash ?? '' };
}
