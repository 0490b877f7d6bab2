import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Variant } from '../core/index.js';
import { Database } from '../platform/database/database.js';
import { containing } from '../platform/database/like.js';
import type { Tx } from '../platform/database/tx.js';
import { FlagEntity } from './flag.entity.js';
import type { FlagDefinition, FlagOverview, FlagSettings, FlagView } from './flag.js';
import {
  OVERVIEW,
  overviewOf,
  storedParts,
  TARGET_LISTS,
  TABLES,
  VIEW,
  viewOf,
  type OverviewRow,
  type ViewRow,
} from './flag-row.js';
import { FlagSettingsEntity } from './flag-settings.entity.js';

export interface FlagFilter {
  readonly environmentKey?: string | undefined;
  /** Text to find in key, name or description. */
  readonly q?: string | undefined;
  readonly tag?: string | undefined;
  /** `undefined`: archived and not. */
  readonly isArchived?: boolean | undefined;
  readonly skip: number;
  readonly limit: number;
}

export interface TargetFilter {
  /** Text to find in the keys. */
  readonly q?: string | undefined;
  readonly skip: number;
  readonly limit: number;
}

@Injectable()
export class FlagsRepository {
  constructor(private readonly db: Database) {}

  async find(key: string, environmentId: string): Promise<FlagView | undefined> {
    return this.view(this.db.manager, key, environmentId);
  }

  /** As it is now, with the environment held by the caller. */
  async findIn(tx: Tx, key: string, environmentId: string): Promise<FlagView | undefined> {
    return this.view(tx.manager, key, environmentId);
  }

  /** Ordered by key, then by the order of the environments. */
  async list(filter: FlagFilter): Promise<{ flags: FlagOverview[]; total: number }> {
    const conditions: string[] = [];
    const values: unknown[] = [];
    const where = (sql: (parameter: string) => string, value: unknown): void => {
      values.push(value);
      conditions.push(sql(`$${values.length}`));
    };
    if (filter.environmentKey !== undefined) where((p) => `e.key = ${p}`, filter.environmentKey);
    if (filter.tag !== undefined) where((p) => `f.tags @> ARRAY[${p}::text]`, filter.tag);
    if (filter.q !== undefined) {
      where(
        (p) => `(f.key ILIKE ${p} OR f.name ILIKE ${p} OR f.description ILIKE ${p})`,
        containing(filter.q),
      );
    }
    if (filter.isArchived !== undefined)
      conditions.push(`f.archived_at IS ${filter.isArchived ? 'NOT NULL' : 'NULL'}`);
    const filtered = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const [[{ count }], rows] = await Promise.all([
      this.db.manager.query<[{ count: string }]>(`SELECT count(*) AS count ${TABLES}${filtered}`, values),
      this.db.manager.query<OverviewRow[]>(
        `${OVERVIEW}${filtered} ORDER BY f.key COLLATE "C", e.position, e.key LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
        [...values, filter.limit, filter.skip],
      ),
    ]);
    return { flags: rows.map(overviewOf), total: Number(count) };
  }

  /** A page of the units that are listed for a variant, sorted. @returns `undefined` for an unknown flag */
  async targets(
    key: string,
    environmentId: string,
    variant: string,
    { q, skip, limit }: TargetFilter,
  ): Promise<{ keys: string[]; total: number; isVariant: boolean } | undefined> {
    const [row] = await this.db.manager.query<{ keys: string[]; total: string; is_variant: boolean }[]>(
      `SELECT f.variants @> jsonb_build_array(jsonb_build_object('key', $3::text)) AS is_variant, found.total, found.keys
       FROM flags f JOIN flag_settings s ON s.flag_id = f.id, LATERAL (
         WITH items AS MATERIALIZED (
           SELECT item.key, item.place
           FROM jsonb_array_elements(${TARGET_LISTS}) t, jsonb_array_elements_text(
             CASE jsonb_typeof(t -> 'keys') WHEN 'array' THEN t -> 'keys' ELSE '[]' END
           ) WITH ORDINALITY AS item (key, place)
           WHERE t ->> 'variant' = $3 AND ($4::text IS NULL OR item.key ILIKE $4)
         )
         SELECT (SELECT count(*) FROM items) AS total, (
           SELECT coalesce(json_agg(page.key ORDER BY page.place), '[]')
           FROM (SELECT * FROM items ORDER BY place LIMIT $5 OFFSET $6) page
         ) AS keys
       ) found
       WHERE f.key = $1 AND s.environment_id = $2`,
      [key, environmentId, variant, q === undefined ? null : containing(q), limit, skip],
    );
    return row && { keys: row.keys, total: Number(row.total), isVariant: row.is_variant };
  }

  /** The definition, held until the transaction ends. */
  async lockDefinition(tx: Tx, key: string): Promise<FlagDefinition | undefined> {
    const found = await tx.manager.findOne(FlagEntity, {
      where: { key },
      lock: { mode: 'pessimistic_write' },
    });
    if (!found) return undefined;
    const { id, name, description, valueType, variants, tags, owner, archivedAt, clientVisible } = found;
    return {
      id,
      key,
      name,
      description,
      valueType,
      variants: variants as readonly Variant[],
      tags,
      owner,
      archivedAt,
      clientVisible,
    };
  }

  /** The flag in every environment that has it. */
  async everywhere(tx: Tx, flagId: string): Promise<FlagView[]> {
    const rows = await tx.manager.query<ViewRow[]>(`${VIEW} WHERE f.id = $1 ORDER BY e.id`, [flagId]);
    return rows.map(viewOf);
  }

  /** Every flag of an environment. */
  async inEnvironment(tx: Tx, environmentId: string): Promise<FlagView[]> {
    const rows = await tx.manager.query<ViewRow[]>(`${VIEW} WHERE e.id = $1 ORDER BY f.key COLLATE "C"`, [
      environmentId,
    ]);
    return rows.map(viewOf);
  }

  async countInEnvironment(tx: Tx, environmentId: string): Promise<number> {
    return tx.manager.countBy(FlagSettingsEntity, { environmentId });
  }

  async insertDefinition(tx: Tx, definition: FlagDefinition): Promise<void> {
    await tx.manager.insert(FlagEntity, {
      ...definition,
      tags: [...definition.tags],
    });
  }

  async updateDefinition(
    tx: Tx,
    { id, name, description, variants, tags, owner, archivedAt, clientVisible }: FlagDefinition,
    at: Date,
  ): Promise<void> {
    await tx.manager.update(
      FlagEntity,
      { id },
      { name, description, variants, tags: [...tags], owner, archivedAt, clientVisible, updatedAt: at },
    );
  }

  /** A change of the definition is a change in every environment. */
  async advanceVersions(tx: Tx, flagId: string): Promise<void> {
    await tx.manager.query('UPDATE flag_settings SET version = version + 1 WHERE flag_id = $1', [flagId]);
  }

  async insertSettings(tx: Tx, flagId: string, environmentId: string, settings: FlagSettings): Promise<void> {
    const { isEnabled, offVariant, version, createdAt, updatedAt } = settings;
    await tx.manager.insert(FlagSettingsEntity, {
      flagId,
      environmentId,
      isEnabled,
      offVariant,
      ...storedParts(settings),
      version,
      createdAt,
      updatedAt,
    });
  }

  async updateSettings(tx: Tx, view: FlagView): Promise<void> {
    const { isEnabled, offVariant, version, updatedAt } = view;
    await tx.manager.update(
      FlagSettingsEntity,
      { flagId: view.id, environmentId: view.environmentId },
      {
        isEnabled,
        offVariant,
        ...storedParts(view),
        version,
        updatedAt,
      },
    );
  }

  /** Removes flags from an environment, and altogether those for which it was the last. */
  async delete(tx: Tx, flagIds: readonly string[], environmentId: string): Promise<void> {
    // In one order, whoever deletes: of two who delete a flag's last settings, the later one must see that they were the last.
    await tx.manager.query('SELECT id FROM flags WHERE id = ANY($1) ORDER BY key COLLATE "C" FOR UPDATE', [
      flagIds,
    ]);
    await tx.manager.query('DELETE FROM flag_settings WHERE environment_id = $1 AND flag_id = ANY($2)', [
      environmentId,
      flagIds,
    ]);
    await tx.manager.query(
      'DELETE FROM flags f WHERE f.id = ANY($1) AND NOT EXISTS (SELECT 1 FROM flag_settings s WHERE s.flag_id = f.id)',
      [flagIds],
    );
  }

  private async view(
    manager: EntityManager,
    key: string,
    environmentId: string,
  ): Promise<FlagView | undefined> {
    const [row] = await manager.query<ViewRow[]>(`${VIEW} WHERE f.key = $1 AND e.id = $2`, [
      key,
      environmentId,
    ]);
    return row && viewOf(row);
  }
}
