import { Injectable } from '@nestjs/common';
import { parseConditions, serializeConditions, type Segment } from '../core/index.js';
import { Database } from '../platform/database/database.js';
import { containing } from '../platform/database/like.js';
import type { Tx } from '../platform/database/tx.js';
import { SegmentEntity } from './segment.entity.js';
import {
  excerptOf,
  KEYS_SHOWN,
  outlineOf,
  type KeyList,
  type SegmentExcerpt,
  type SegmentOverview,
  type WholeSegment,
} from './segment.js';

export interface SegmentFilter {
  readonly environmentKey?: string | undefined;
  /** Text to find in key, name or description. */
  readonly q?: string | undefined;
  readonly skip: number;
  readonly limit: number;
}

export interface KeyFilter {
  readonly list: KeyList;
  /** Text to find in the keys. */
  readonly q?: string | undefined;
  readonly skip: number;
  readonly limit: number;
}

interface Row {
  id: string;
  key: string;
  name: string;
  description: string | null;
  environment_id: string;
  environment_key: string;
  included_count: number;
  excluded_count: number;
  lists_anyone: boolean;
  conditions: unknown;
  version: number;
  created_at: Date;
  updated_at: Date;
}
type RowWithLists = Row & { included: string[]; excluded: string[] };

const COLUMNS = `s.id, s.key, s.name, s.description, s.environment_id, e.key AS environment_key, s.included_count,
  s.excluded_count, s.lists_anyone, s.conditions, s.version, s.created_at, s.updated_at`;
const FROM = 'FROM segments s JOIN environments e ON e.id = s.environment_id';
/** Names that may stand in SQL, whatever comes in. */
const COLUMN: Readonly<Record<KeyList, string>> = { included: 'included', excluded: 'excluded' };

@Injectable()
export class SegmentsRepository {
  constructor(private readonly db: Database) {}

  /** Ordered by key, then by the order of the environments. */
  async list(filter: SegmentFilter): Promise<{ segments: SegmentOverview[]; total: number }> {
    const conditions = ['true'];
    const values: unknown[] = [];
    if (filter.environmentKey !== undefined) {
      values.push(filter.environmentKey);
      conditions.push(`e.key = $${values.length}`);
    }
    if (filter.q !== undefined) {
      values.push(containing(filter.q));
      const p = `$${values.length}`;
      conditions.push(`(s.key ILIKE ${p} OR s.name ILIKE ${p} OR s.description ILIKE ${p})`);
    }
    const found = `${FROM} WHERE ${conditions.join(' AND ')}`;
    const [[{ count }], rows] = await Promise.all([
      this.db.manager.query<[{ count: string }]>(`SELECT count(*) AS count ${found}`, values),
      this.db.manager.query<Row[]>(
        `SELECT ${COLUMNS} ${found} ORDER BY s.key COLLATE "C", e.position, e.key
         LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
        [...values, filter.limit, filter.skip],
      ),
    ]);
    return { segments: rows.map(overviewOf), total: Number(count) };
  }

  async find(key: string, environmentId: string): Promise<SegmentExcerpt | undefined> {
    const shown = `'$[0 to ${KEYS_SHOWN - 1}]'`;
    const [row] = await this.db.manager.query<RowWithLists[]>(
      `SELECT ${COLUMNS}, jsonb_path_query_array(s.included, ${shown}) AS included,
         jsonb_path_query_array(s.excluded, ${shown}) AS excluded
       ${FROM} WHERE s.key = $1 AND e.id = $2`,
      [key, environmentId],
    );
    return row && { ...overviewOf(row), included: row.included, excluded: row.excluded };
  }

  /** As it is now and all of it, with the environment held by the caller. */
  async findWhole(tx: Tx, key: string, environmentId: string): Promise<WholeSegment | undefined> {
    const [row] = await tx.manager.query<RowWithLists[]>(
      `SELECT ${COLUMNS}, s.included, s.excluded ${FROM} WHERE s.key = $1 AND e.id = $2`,
      [key, environmentId],
    );
    return row && { ...fieldsOf(row), included: row.included, excluded: row.excluded };
  }

  /** A page of one of its lists. @returns `undefined` for an unknown segment */
  async keys(
    key: string,
    environmentId: string,
    { list, q, skip, limit }: KeyFilter,
  ): Promise<{ keys: string[]; total: number } | undefined> {
    const [row] = await this.db.manager.query<{ keys: string[]; total: string }[]>(
      `SELECT found.total, found.keys FROM segments s, LATERAL (
         WITH items AS MATERIALIZED (
           SELECT item.key, item.place
           FROM jsonb_array_elements_text(s.${COLUMN[list]}) WITH ORDINALITY AS item (key, place)
           WHERE $3::text IS NULL OR item.key ILIKE $3
         )
         SELECT (SELECT count(*) FROM items) AS total, (
           SELECT coalesce(json_agg(page.key ORDER BY page.place), '[]')
           FROM (SELECT * FROM items ORDER BY place LIMIT $4 OFFSET $5) page
         ) AS keys
       ) found
       WHERE s.key = $1 AND s.environment_id = $2`,
      [key, environmentId, q === undefined ? null : containing(q), limit, skip],
    );
    return row && { keys: row.keys, total: Number(row.total) };
  }

  /**
   * Every segment of an environment, as conditions and the linter need to know it. Lists can be long, so whether anybody is
   * listed is all that these say of them.
   */
  async outlines(environmentId: string, tx?: Tx): Promise<Segment[]> {
    const rows = await (tx ?? this.db).manager.query<Pick<Row, 'key' | 'conditions' | 'lists_anyone'>[]>(
      'SELECT key, conditions, lists_anyone FROM segments WHERE environment_id = $1 ORDER BY key COLLATE "C"',
      [environmentId],
    );
    return rows.map((row) => {
      const { key, lists_anyone: listsAnyone } = row;
      return outlineOf({ key, listsAnyone, ...conditionsOf(row.conditions) });
    });
  }

  async countInEnvironment(tx: Tx, environmentId: string): Promise<number> {
    return tx.manager.countBy(SegmentEntity, { environmentId });
  }

  async insert(tx: Tx, segment: WholeSegment): Promise<void> {
    const { id, environmentId, key, createdAt } = segment;
    await tx.manager.insert(SegmentEntity, { id, environmentId, key, createdAt, ...changeableOf(segment) });
  }

  async update(tx: Tx, segment: WholeSegment): Promise<void> {
    await tx.manager.update(SegmentEntity, { id: segment.id }, changeableOf(segment));
  }

  async delete(tx: Tx, id: string): Promise<void> {
    await tx.manager.delete(SegmentEntity, { id });
  }
}

function changeableOf(segment: WholeSegment) {
  const { name, description, included, excluded, conditions, areConditionsReadable, version, updatedAt } =
    segment;
  const { includedCount, excludedCount, listsAnyone } = excerptOf(segment);
  const stored = conditions === null ? null : (serializeConditions(conditions) as object);
  return {
    name,
    description,
    included,
    excluded,
    includedCount,
    excludedCount,
    listsAnyone,
    ...(areConditionsReadable ? { conditions: stored } : {}),
    version,
    updatedAt,
  };
}

function overviewOf(row: Row): SegmentOverview {
  return {
    ...fieldsOf(row),
    includedCount: row.included_count,
    excludedCount: row.excluded_count,
    listsAnyone: row.lists_anyone,
  };
}

function fieldsOf(row: Row) {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    description: row.description,
    environmentId: row.environment_id,
    environmentKey: row.environment_key,
    ...conditionsOf(row.conditions),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** Conditions of a later version are nobody's here; evaluation answers ERROR for those who use them. */
function conditionsOf(stored: unknown): Pick<WholeSegment, 'conditions' | 'areConditionsReadable'> {
  if (stored === null) return { conditions: null, areConditionsReadable: true };
  const parsed = parseConditions(stored);
  return parsed.ok
    ? { conditions: parsed.conditions, areConditionsReadable: true }
    : { conditions: null, areConditionsReadable: false };
}
