import { Injectable } from '@nestjs/common';
import type { ValueType } from '../core/index.js';
import { Database } from '../platform/database/database.js';
import { containing } from '../platform/database/like.js';
import { OVERVIEW, overviewOf, type OverviewRow } from './flag-row.js';
import type { FlagOverview } from './flag.js';

export interface FlagTableFilter {
  /** Text to find in key, name or description. */
  readonly q?: string | undefined;
  /** Only flags with all of these. */
  readonly tags: readonly string[];
  readonly owner?: string | undefined;
  readonly valueType?: ValueType | undefined;
  /** Only these flags. */
  readonly keys?: readonly string[] | undefined;
  /** Only flags that are on in all of these environments. */
  readonly on: readonly string[];
  /** Only flags that are off in all of these environments. */
  readonly off: readonly string[];
  readonly isStale?: boolean | undefined;
  /** `undefined`: archived and not. */
  readonly isArchived?: boolean | undefined;
  readonly sort: 'key' | 'changed';
  readonly skip: number;
  readonly limit: number;
}

/** A flag with what it does in each environment that has it, in their order. */
export interface FlagTableRow {
  readonly isStale: boolean;
  readonly environments: readonly FlagOverview[];
}

/** Nothing was changed for so long, and everybody in an environment gets the same. */
const STALE = `(f.archived_at IS NULL AND f.updated_at < now() - interval '30 days' AND NOT EXISTS (
  SELECT 1 FROM flag_settings s WHERE s.flag_id = f.id AND (
    s.updated_at >= now() - interval '30 days' OR s.rules <> '[]' OR s.targets <> '[]'
    OR (s.is_enabled AND NOT s.default_serve ? 'variant' AND (
      s.default_serve -> 'rollout' -> 'coverage' NOT IN ('0', '10000')
      OR jsonb_array_length(s.default_serve -> 'rollout' -> 'ranges') > 1)))))`;

const CHANGED = `(SELECT max(s.updated_at) FROM flag_settings s WHERE s.flag_id = f.id)`;

@Injectable()
export class FlagTableRepository {
  constructor(private readonly db: Database) {}

  async page(filter: FlagTableFilter): Promise<{ rows: FlagTableRow[]; total: number }> {
    const conditions: string[] = [];
    const values: unknown[] = [];
    const where = (sql: (parameter: string) => string, value: unknown): void => {
      values.push(value);
      conditions.push(sql(`$${values.length}`));
    };
    if (filter.q !== undefined)
      where(
        (p) => `(f.key ILIKE ${p} OR f.name ILIKE ${p} OR f.description ILIKE ${p})`,
        containing(filter.q),
      );
    if (filter.tags.length > 0) where((p) => `f.tags @> ${p}::text[]`, filter.tags);
    if (filter.owner !== undefined) where((p) => `lower(f.owner) = lower(${p})`, filter.owner);
    if (filter.valueType !== undefined) where((p) => `f.value_type = ${p}`, filter.valueType);
    if (filter.keys !== undefined) where((p) => `f.key = ANY(${p})`, filter.keys);
    for (const key of filter.on) where((p) => enabledIn(p, true), key);
    for (const key of filter.off) where((p) => enabledIn(p, false), key);
    if (filter.isStale !== undefined) conditions.push(filter.isStale ? STALE : `NOT ${STALE}`);
    if (filter.isArchived !== undefined)
      conditions.push(`f.archived_at IS ${filter.isArchived ? 'NOT NULL' : 'NULL'}`);
    const filtered = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
    const order = filter.sort === 'changed' ? `${CHANGED} DESC, f.key COLLATE "C"` : 'f.key COLLATE "C"';
    const [[{ count }], page] = await Promise.all([
      this.db.manager.query<[{ count: string }]>(`SELECT count(*) AS count FROM flags f${filtered}`, values),
      this.db.manager.query<{ id: string; is_stale: boolean }[]>(
        `SELECT f.id, ${STALE} AS is_stale FROM flags f${filtered} ORDER BY ${order} LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
        [...values, filter.limit, filter.skip],
      ),
    ]);
    const overviews = await this.overviews(page.map(({ id }) => id));
    const rows = page.map(({ id, is_stale }) => ({
      isStale: is_stale,
      environments: overviews.get(id) ?? [],
    }));
    // One that was deleted between the two questions is in no environment any more.
    return { rows: rows.filter(({ environments }) => environments.length > 0), total: Number(count) };
  }

  private async overviews(ids: readonly string[]): Promise<Map<string, FlagOverview[]>> {
    const rows = await this.db.manager.query<OverviewRow[]>(
      `${OVERVIEW} WHERE f.id = ANY($1) ORDER BY e.position, e.key`,
      [ids],
    );
    const byFlag = new Map<string, FlagOverview[]>();
    for (const overview of rows.map(overviewOf))
      byFlag.set(overview.id, [...(byFlag.get(overview.id) ?? []), overview]);
    return byFlag;
  }
}

const enabledIn = (key: string, isEnabled: boolean): string =>
  `EXISTS (SELECT 1 FROM flag_settings s JOIN environments e ON e.id = s.environment_id
   WHERE s.flag_id = f.id AND e.key = ${key} AND ${isEnabled ? '' : 'NOT '}s.is_enabled)`;
