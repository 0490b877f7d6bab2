import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { ApiKeyEntity } from './api-key.entity.js';
import { SETTING_PREFIX, type ApiKey, type KnownKey } from './api-key.js';

const COLUMNS = `k.id, k.name, k.kind, k.prefix, k.environment_id AS "environmentId", e.key AS "environmentKey", k.role,
  k.rate_limit_per_minute AS "rateLimitPerMinute", k.origins, k.expires_at AS "expiresAt", k.last_used_at AS "lastUsedAt",
  k.created_by AS "createdBy", k.created_by_id AS "createdById", k.created_at AS "createdAt", k.updated_at AS "updatedAt",
  k.revoked_at AS "revokedAt"`;
const TABLES = 'FROM api_keys k LEFT JOIN environments e ON e.id = k.environment_id';

export type SettingKey = ApiKey & { readonly secretHash: string };

@Injectable()
export class ApiKeysRepository {
  constructor(private readonly db: Database) {}

  async find(id: string): Promise<ApiKey | undefined> {
    return this.one(this.db.manager, id);
  }

  /** Newest first; revoked ones too. */
  async list(skip: number, limit: number): Promise<{ keys: ApiKey[]; total: number }> {
    const [keys, total] = await Promise.all([
      this.db.manager.query<ApiKey[]>(
        `SELECT ${COLUMNS} ${TABLES} ORDER BY k.created_at DESC, k.id LIMIT $1 OFFSET $2`,
        [limit, skip],
      ),
      this.db.manager.count(ApiKeyEntity),
    ]);
    return { keys, total };
  }

  /** What there is to check keys against. Those that are revoked are left out. */
  async known(): Promise<KnownKey[]> {
    return this.db.manager.query<KnownKey[]>(
      `SELECT k.id, k.name, k.kind, k.prefix, e.key AS "environmentKey", k.role, k.rate_limit_per_minute AS "rateLimitPerMinute",
         k.origins, k.expires_at AS "expiresAt", k.secret_hash AS "secretHash" ${TABLES} WHERE k.revoked_at IS NULL`,
    );
  }

  /** Counts the change and holds the lock under which all changes of keys happen one after the other. */
  async advanceRevision(tx: Tx): Promise<number> {
    const [rows] = await tx.manager.query<[[{ revision: string }]]>(
      `UPDATE revisions SET revision = revision + 1 WHERE name = 'api_keys' RETURNING revision`,
    );
    return Number(rows[0].revision);
  }

  /** How many changes of keys there have been. */
  async revision(): Promise<number> {
    const [row] = await this.db.manager.query<{ revision: string }[]>(
      `SELECT revision FROM revisions WHERE name = 'api_keys'`,
    );
    return Number(row?.revision ?? 0);
  }

  /** As it is now, with all keys held by the caller. */
  async findIn(tx: Tx, id: string): Promise<ApiKey | undefined> {
    return this.one(tx.manager, id);
  }

  /** Those that are not revoked. */
  async inEnvironment(tx: Tx, environmentId: string): Promise<ApiKey[]> {
    return tx.manager.query<ApiKey[]>(
      `SELECT ${COLUMNS} ${TABLES} WHERE k.environment_id = $1 AND k.revoked_at IS NULL ORDER BY k.created_at, k.id`,
      [environmentId],
    );
  }

  /** The keys that a setting has made: those that are not revoked, and the one with this hash whatever became of it. */
  async ofSetting(tx: Tx | undefined, secretHash: string | undefined): Promise<SettingKey[]> {
    return (tx ?? this.db).manager.query<SettingKey[]>(
      `SELECT ${COLUMNS}, k.secret_hash AS "secretHash" ${TABLES}
       WHERE k.prefix = $1 AND (k.revoked_at IS NULL OR k.secret_hash = $2)`,
      [SETTING_PREFIX, secretHash ?? null],
    );
  }

  /** Ends a key that a setting made, and lets go of its secret, so that the setting may name it again. */
  async retire(tx: Tx, { id, updatedAt, revokedAt }: ApiKey): Promise<void> {
    const secretHash = `retired ${id}`;
    await tx.manager.update(ApiKeyEntity, { id }, { updatedAt, revokedAt, secretHash });
  }

  async insert(tx: Tx, key: ApiKey, secretHash: string): Promise<void> {
    await tx.manager.insert(ApiKeyEntity, {
      id: key.id,
      name: key.name,
      kind: key.kind,
      prefix: key.prefix,
      secretHash,
      environmentId: key.environmentId,
      role: key.role,
      rateLimitPerMinute: key.rateLimitPerMinute,
      origins: [...key.origins],
      expiresAt: key.expiresAt,
      createdBy: key.createdBy,
      createdById: key.createdById,
      createdAt: key.createdAt,
      updatedAt: key.updatedAt,
    });
  }

  async update(tx: Tx, key: ApiKey): Promise<void> {
    const { id, name, rateLimitPerMinute, origins, expiresAt, updatedAt, revokedAt } = key;
    const change = { name, rateLimitPerMinute, origins: [...origins], expiresAt, updatedAt, revokedAt };
    await tx.manager.update(ApiKeyEntity, { id }, change);
  }

  async deleteInEnvironment(tx: Tx, environmentId: string): Promise<void> {
    await tx.manager.delete(ApiKeyEntity, { environmentId });
  }

  /** Moves the last use of keys on, for many of them at once. */
  async used(uses: ReadonlyMap<string, Date>): Promise<void> {
    await this.db.manager.query(
      `UPDATE api_keys k SET last_used_at = used.at
       FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
       WHERE k.id = used.id AND (k.last_used_at IS NULL OR k.last_used_at < used.at)`,
      [[...uses.keys()], [...uses.values()]],
    );
  }

  /** @returns whether nobody has reported it of this key within the last hour, on any instance */
  async mayReportBrowserUse(tx: Tx, id: string): Promise<boolean> {
    const [, count] = await tx.manager.query<[unknown, number]>(
      `UPDATE api_keys SET browser_use_reported_at = now()
       WHERE id = $1 AND (browser_use_reported_at IS NULL OR browser_use_reported_at < now() - interval '1 hour')`,
      [id],
    );
    return count > 0;
  }

  private async one(manager: EntityManager, id: string): Promise<ApiKey | undefined> {
    const [key] = await manager.query<ApiKey[]>(`SELECT ${COLUMNS} ${TABLES} WHERE k.id = $1`, [id]);
    return key;
  }
}
