import { Injectable } from '@nestjs/common';
import { SPEC_VERSION } from '../core/index.js';
import { Database } from '../platform/database/database.js';

/** An environment's ruleset document, as `parseSnapshot` of the core reads it, and which state of which environment it is. */
export interface SnapshotDocument {
  readonly environmentId: string;
  readonly stamp: string;
  readonly ruleset: { readonly environment_key: string; readonly revision: number } & Readonly<
    Record<string, unknown>
  >;
}

/** What leads from an earlier state of an environment to the present one. */
export interface SnapshotChange {
  readonly environmentId: string;
  readonly stamp: string;
  readonly revision: number;
  /** The documents of flags that are new or different, and of some that may be. */
  readonly flags: readonly unknown[];
  /** How many flags there are now, so that one that is gone is noticed. */
  readonly flagCount: number;
  readonly segmentCount: number;
  readonly mayHaveOtherSegments: boolean;
}

interface ChangeRow {
  readonly revision: string;
  readonly stamp: string;
  readonly flags: unknown[];
  readonly flag_count: number;
  readonly segment_count: number;
  readonly other_segments: boolean;
}

interface Row {
  readonly id: string;
  readonly key: string;
  readonly revision: string;
  readonly stamp: string;
  readonly flags: unknown[];
  readonly segments: unknown[];
}

const FLAG_DOCUMENT = `json_build_object(
  'key', f.key, 'value_type', f.value_type, 'variants', f.variants,
  'is_enabled', s.is_enabled, 'is_archived', f.archived_at IS NOT NULL, 'client_visible', f.client_visible,
  'off_variant', s.off_variant, 'prerequisites', s.prerequisites, 'targets', s.targets, 'rules', s.rules,
  'default_serve', s.default_serve, 'version', s.version
) ORDER BY f.key COLLATE "C"`;

/** Answers: everything that is needed to evaluate in one environment, at one revision. */
@Injectable()
export class FlagSnapshotReader {
  constructor(private readonly db: Database) {}

  /** One statement, so that the revision, the flags and the segments belong together. @returns `undefined` for an unknown environment */
  async read(environmentKey: string): Promise<SnapshotDocument | undefined> {
    const [row] = await this.db.manager.query<Row[]>(
      `SELECT e.id, e.key, e.revision, e.stamp, coalesce(
         json_agg(${FLAG_DOCUMENT}) FILTER (WHERE f.id IS NOT NULL), '[]') AS flags, (
         SELECT coalesce(json_agg(json_build_object(
           'key', g.key, 'included', g.included, 'excluded', g.excluded, 'conditions', g.conditions
         ) ORDER BY g.key COLLATE "C"), '[]') FROM segments g WHERE g.environment_id = e.id) AS segments
       FROM environments e
       LEFT JOIN flag_settings s ON s.environment_id = e.id
       LEFT JOIN flags f ON f.id = s.flag_id
       WHERE e.key = $1
       GROUP BY e.id`,
      [environmentKey],
    );
    if (!row) return undefined;
    return {
      environmentId: row.id,
      stamp: row.stamp,
      ruleset: {
        spec_version: SPEC_VERSION,
        environment_key: row.key,
        revision: Number(row.revision),
        flags: row.flags,
        segments: row.segments,
      },
    };
  }

  /**
   * What is different since a state that this environment went through: the caller knows that it did. One statement.
   * @returns `undefined` for an environment that is gone
   */
  async readSince(environmentId: string, revision: number): Promise<SnapshotChange | undefined> {
    const [row] = await this.db.manager.query<ChangeRow[]>(
      `SELECT e.revision, e.stamp,
         (SELECT coalesce(json_agg(${FLAG_DOCUMENT}), '[]') FROM flag_settings s JOIN flags f ON f.id = s.flag_id
          WHERE s.environment_id = e.id AND s.changed_in > $2) AS flags,
         (SELECT count(*)::int FROM flag_settings s WHERE s.environment_id = e.id) AS flag_count,
         (SELECT count(*)::int FROM segments g WHERE g.environment_id = e.id) AS segment_count,
         EXISTS (SELECT 1 FROM segments g WHERE g.environment_id = e.id AND g.changed_in > $2) AS other_segments
       FROM environments e WHERE e.id = $1`,
      [environmentId, revision],
    );
    return (
      row && {
        environmentId,
        stamp: row.stamp,
        revision: Number(row.revision),
        flags: row.flags,
        flagCount: row.flag_count,
        segmentCount: row.segment_count,
        mayHaveOtherSegments: row.other_segments,
      }
    );
  }
}
