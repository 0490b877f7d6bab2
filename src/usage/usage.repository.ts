import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import type { DatedAnswers } from './pending-usage.js';

@Injectable()
export class UsageRepository {
  constructor(private readonly db: Database) {}

  /**
   * Adds to what is there, for minutes and for hours. What is counted of flags that are not there any more goes nowhere.
   * Every instance adds in the same order, so that none waits for another that waits for it.
   */
  async add(answers: readonly DatedAnswers[]): Promise<void> {
    await this.db.manager.query(
      `INSERT INTO usage_counts (flag_id, environment_id, bucket, starts_at, variant, count)
       SELECT s.flag_id, s.environment_id, b.bucket, date_trunc(b.bucket, n.at, 'UTC'), n.variant, sum(n.count)::bigint
       FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[])
         AS n (environment_key, flag_key, variant, at, count)
       JOIN environments e ON e.key = n.environment_key
       JOIN flags f ON f.key = n.flag_key
       JOIN flag_settings s ON s.flag_id = f.id AND s.environment_id = e.id
       CROSS JOIN (VALUES ('minute'), ('hour')) AS b (bucket)
       GROUP BY 1, 2, 3, 4, 5
       ORDER BY 1, 2, 3, 4, 5
       ON CONFLICT ON CONSTRAINT pk_usage_counts DO UPDATE SET count = usage_counts.count + excluded.count`,
      [
        answers.map(({ environmentKey }) => environmentKey),
        answers.map(({ flagKey }) => flagKey),
        answers.map(({ variant }) => variant ?? ''),
        answers.map(({ minuteAt }) => new Date(minuteAt).toISOString()),
        answers.map(({ count }) => count),
      ],
    );
  }

  /** Deletes buckets that began before a moment, at most so many; those that another instance is deleting are left to it. */
  async deleteOld(bucket: 'minute' | 'hour', before: Date, limit: number): Promise<number> {
    const [row] = await this.db.manager.query<{ deleted: number }[]>(
      `WITH gone AS (
         DELETE FROM usage_counts WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM usage_counts WHERE bucket = $1 AND starts_at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED
         )) RETURNING 1
       ) SELECT count(*)::integer AS deleted FROM gone`,
      [bucket, before, limit],
    );
    return row?.deleted ?? 0;
  }
}
