import { Injectable } from '@nestjs/common';
import { EnvironmentsService } from '../environments/environments.service.js';
import { FlagNotFound } from '../flags/flag.errors.js';
import type { FlagAddress } from '../flags/flag.js';
import { Database } from '../platform/database/database.js';
import { UsageAggregator } from './usage-aggregator.js';
import {
  BUCKETS,
  bucketStarts,
  countsOf,
  type FlagsUsage,
  type FlagUsage,
  type UsagePeriod,
} from './usage.js';

interface FlagRow {
  readonly variant_keys: readonly string[];
  readonly counted: readonly { readonly variant: string; readonly at: number; readonly count: number }[];
}

interface FlagsRow {
  readonly key: string;
  readonly counted: readonly { readonly at: number; readonly count: number }[];
}

const FLAGS = `FROM flags f JOIN flag_settings s ON s.flag_id = f.id JOIN environments e ON e.id = s.environment_id`;
/** Of one flag; $1 is the bucket, $2 the beginning of the first one. */
const COUNTS = `FROM usage_counts u
  WHERE u.flag_id = s.flag_id AND u.environment_id = s.environment_id AND u.bucket = $1 AND u.starts_at >= $2`;
const AT = `(extract(epoch FROM u.starts_at) * 1000)::bigint`;

/** Answers how often flags were evaluated by the service. */
@Injectable()
export class UsageReader {
  constructor(
    private readonly db: Database,
    private readonly environments: EnvironmentsService,
    private readonly aggregator: UsageAggregator,
  ) {}

  /** Each variant of a flag. @throws EnvironmentNotFound, FlagNotFound */
  async ofFlag({ key, environmentKey }: FlagAddress, period: UsagePeriod): Promise<FlagUsage> {
    await this.aggregator.refresh();
    const starts = bucketStarts(period, Date.now());
    const [row] = await this.db.manager.query<FlagRow[]>(
      `SELECT jsonb_path_query_array(f.variants, '$[*].key') AS variant_keys, (
         SELECT coalesce(json_agg(json_build_object('variant', u.variant, 'at', ${AT}, 'count', u.count)), '[]') ${COUNTS}
       ) AS counted ${FLAGS} WHERE f.key = $3 AND e.key = $4`,
      [BUCKETS[period].bucket, new Date(starts[0] ?? 0), key, environmentKey],
    );
    if (!row) {
      await this.environments.find(environmentKey);
      throw new FlagNotFound(key, environmentKey);
    }
    const former = new Set(row.counted.map(({ variant }) => variant));
    for (const variant of row.variant_keys) former.delete(variant);
    const noVariant = former.delete('') ? [''] : [];
    const series = [...row.variant_keys, ...[...former].sort(), ...noVariant].map((variant) => ({
      variant: variant === '' ? null : variant,
      ...countsOf(
        starts,
        row.counted.filter((each) => each.variant === variant),
      ),
    }));
    const total = series.reduce((sum, each) => sum + each.total, 0);
    return { flagKey: key, environmentKey, period, starts, total, series };
  }

  /** All variants together, of those of some flags that are in an environment, in the order of their keys. @throws EnvironmentNotFound */
  async ofFlags(keys: readonly string[], environmentKey: string, period: UsagePeriod): Promise<FlagsUsage> {
    await this.aggregator.refresh();
    const starts = bucketStarts(period, Date.now());
    const rows = await this.db.manager.query<FlagsRow[]>(
      `SELECT f.key, (
         SELECT coalesce(json_agg(json_build_object('at', ${AT}, 'count', u.count)), '[]') ${COUNTS}
       ) AS counted ${FLAGS} WHERE f.key = ANY($3) AND e.key = $4 ORDER BY f.key COLLATE "C"`,
      [BUCKETS[period].bucket, new Date(starts[0] ?? 0), keys, environmentKey],
    );
    if (rows.length === 0) await this.environments.find(environmentKey);
    const flags = rows.map(({ key, counted }) => ({ flagKey: key, ...countsOf(starts, counted) }));
    return { environmentKey, period, starts, flags };
  }
}
