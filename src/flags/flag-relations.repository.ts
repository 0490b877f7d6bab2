import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { parsePrerequisites, type Flag, type Variant } from '../core/index.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';

/** A flag that needs another, and where. */
export interface Dependent {
  readonly key: string;
  readonly environmentKey: string;
  /** The variants of the other flag that it names. */
  readonly variants: readonly string[];
}

/** What other flags must know of a flag to need it. */
export type Neighbour = Pick<Flag, 'key' | 'variants' | 'prerequisites'>;

/** Reads who needs whom: flags each other, and flags segments. */
@Injectable()
export class FlagRelationsRepository {
  constructor(private readonly db: Database) {}

  /** Every flag of an environment, which its caller holds. */
  async neighbours(tx: Tx, environmentId: string): Promise<Neighbour[]> {
    const rows = await tx.manager.query<{ key: string; variants: Variant[]; prerequisites: unknown }[]>(
      `SELECT f.key, f.variants, s.prerequisites FROM flags f JOIN flag_settings s ON s.flag_id = f.id
       WHERE s.environment_id = $1`,
      [environmentId],
    );
    return rows.map(({ key, variants, prerequisites }) => {
      const parsed = parsePrerequisites(prerequisites);
      // What cannot be read needs nobody that could be told.
      return { key, variants, prerequisites: parsed.ok ? parsed.prerequisites : [] };
    });
  }

  /** The flags that need this one in some environments, which the caller holds, in the order of their keys. */
  async dependents(tx: Tx, flagKey: string, environmentIds: readonly string[]): Promise<Dependent[]> {
    const rows = await tx.manager.query<
      { key: string; environment_key: string; variants: string[] | null }[]
    >(
      `SELECT f.key, e.key AS environment_key, ARRAY(
         SELECT v FROM jsonb_array_elements(s.prerequisites) p, jsonb_array_elements_text(p -> 'variants') v
         WHERE p ->> 'flag_key' = $1) AS variants
       FROM flag_settings s JOIN flags f ON f.id = s.flag_id JOIN environments e ON e.id = s.environment_id
       WHERE s.environment_id = ANY($2::uuid[]) AND f.archived_at IS NULL
         AND s.prerequisites @> jsonb_build_array(jsonb_build_object('flag_key', $1::text))
       ORDER BY f.key COLLATE "C", e.position`,
      [flagKey, environmentIds],
    );
    return rows.map(({ key, environment_key: environmentKey, variants }) => ({
      key,
      environmentKey,
      variants: variants ?? [],
    }));
  }

  /** The keys of segments that rules of an environment use, by the key of the flag. */
  async segmentsUsed(environmentId: string, tx?: Tx): Promise<Map<string, string[]>> {
    const manager: EntityManager = tx?.manager ?? this.db.manager;
    const rows = await manager.query<{ key: string; segment: string }[]>(
      // Wherever in the groups the condition is, also in rules that this version cannot read.
      `SELECT DISTINCT f.key, value AS segment
       FROM flag_settings s JOIN flags f ON f.id = s.flag_id,
         jsonb_path_query(s.rules, '$.** ? (@.operator == "in_segment").values[*]') AS found,
         LATERAL (SELECT found #>> '{}' AS value) AS text
       WHERE s.environment_id = $1 AND s.rules <> '[]'
       ORDER BY f.key, segment`,
      [environmentId],
    );
    const used = new Map<string, string[]>();
    for (const { key, segment } of rows) used.set(key, [...(used.get(key) ?? []), segment]);
    return used;
  }
}
