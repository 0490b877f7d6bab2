import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateUsageCounts1795219200011 implements MigrationInterface {
  name = 'CreateUsageCounts1795219200011';

  async up(runner: QueryRunner): Promise<void> {
    if (await bringBack(runner, 'usage_counts')) return;
    // Room on each page, so that counting on is done in place.
    await runner.query(`
      CREATE TABLE usage_counts (
        flag_id uuid NOT NULL,
        environment_id uuid NOT NULL,
        bucket text NOT NULL,
        starts_at timestamptz NOT NULL,
        variant text NOT NULL,
        count bigint NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (flag_id, environment_id, bucket, starts_at, variant),
        CONSTRAINT ck_usage_counts_bucket CHECK (bucket IN ('minute', 'hour')),
        CONSTRAINT fk_usage_counts_settings FOREIGN KEY (flag_id, environment_id)
          REFERENCES flag_settings (flag_id, environment_id) ON DELETE CASCADE
      ) WITH (fillfactor = 70)`);
    await runner.query(`CREATE INDEX ix_usage_counts_age ON usage_counts (bucket, starts_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'usage_counts');
  }
}
