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

/** An environment's ruleset in its parts: thousands of flags are large as objects. */
export interface SnapshotParts {
  readonly environmentId: string;
  readonly stamp: string;
  readonly environmentKey: string;
  readonly revision: number;
  readonly segments: readonly unknown[];
  /** As JSON, in the order of their keys. */
  readonly flags: readonly (readonly [key: string, json: string])[];
}

/** The parts as one document. */
export const documentOf = ({ environmentId, stamp, ...parts }: SnapshotParts): SnapshotDocument => ({
  environmentId,
  stamp,
  ruleset: {
    spec_version: SPEC_VERSION,
    environment_key: parts.environmentKey,
    revision: parts.revision,
    flags: parts.flags.map(([, json]): unknown => JSON.parse(json)),
    segments: parts.segments,
  },
});

interface EnvironmentRow {
  readonly id: string;
  readonly key: string;
  readonly revision: number;
  readonly stamp: string;
  readonly segments: unknown[];
}

const FLAG = `json_build_object(
  'key', f.key, 'value_type', f.value_type, 'variants', f.variants,
  'is_enabled', s.is_enabled, 'is_archived', f.archived_at IS NOT NULL, 'client_visible', f.client_visible,
  'off_variant', s.off_variant, 'prerequisites', s.prerequisites, 'targets', s.targets, 'rules', s.rules,
  'default_serve', s.default_serve, 'version', s.version
)`;

/** Answers: everything that is needed to evaluate in one environment, at one revision. */
@Injectable()
export class FlagSnapshotReader {
  constructor(private readonly db: Database) {}

  /** One statement, so that the revision, the flags and the segments belong together. @returns `undefined` for an unknown environment */
  async read(environmentKey: string): Promise<SnapshotParts | undefined> {
    const [first, ...rows] = await this.db.manager.query<{ key: string; part: string }[]>(
      `SELECT key, part FROM (
       SELECT '' AS key, json_build_object('id', e.id, 'key', e.key, 'revision', e.revision, 'stamp', e.stamp, 'segments', (
         SELECT coalesce(json_agg(json_build_object(
           'key', g.key, 'included', g.included, 'excluded', g.excluded, 'conditions', g.conditions
         ) ORDER BY g.key COLLATE "C"), '[]') FROM segments g WHERE g.environment_id = e.id))::text AS part
       FROM environments e WHERE e.key = $1
       UNION ALL
       SELECT f.key, ${FLAG}::text
       FROM environments e JOIN flag_settings s ON s.environment_id = e.id JOIN flags f ON f.id = s.flag_id WHERE e.key = $1
       ) parts ORDER BY key COLLATE "C"`,
      [environmentKey],
    );
    if (!first) return undefined;
    const { id, key, revision, stamp, segments } = JSON.parse(first.part) as EnvironmentRow;
    return {
      environmentId: id,
      stamp,
      environmentKey: key,
      revision,
      segments,
      // As JSON is written here, not as Postgres writes it: texts of the same flag are to be the same.
      flags: rows.map((row) => [row.key, JSON.stringify(JSON.parse(row.part))]),
    };
  }

  /**
   * What is different since a state that this environment went through: the caller knows that it did. One statement.
   * @returns `undefined` for an environment that is gone
   */
  async readSince(environmentId: string, revision: number): Promise<SnapshotChange | undefined> {
    const [row] = await this.db.manager.query<ChangeRow[]>(
      `SELECT e.revision, e.stamp,
         (SELECT coalesce(json_agg(${FLAG} ORDER BY f.key COLLATE "C"), '[]') FROM flag_settings s JOIN flags f ON f.id = s.flag_id
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
