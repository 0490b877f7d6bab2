import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateFlags1795219200004 implements MigrationInterface {
  name = 'CreateFlags1795219200004';

  async up(runner: QueryRunner): Promise<void> {
    if (!(await bringBack(runner, 'flags'))) {
      await runner.query(`
        CREATE TABLE flags (
          id uuid NOT NULL,
          key text NOT NULL,
          name text NOT NULL,
          description text,
          value_type text NOT NULL,
          variants jsonb NOT NULL,
          tags text[] NOT NULL DEFAULT '{}',
          owner text,
          archived_at timestamptz,
          created_at timestamptz NOT NULL DEFAULT now(),
          updated_at timestamptz NOT NULL DEFAULT now(),
          CONSTRAINT pk_flags PRIMARY KEY (id),
          CONSTRAINT uq_flags_key UNIQUE (key),
          CONSTRAINT ck_flags_value_type CHECK (value_type IN ('boolean', 'string', 'number', 'json'))
        )`);
    }
    if (!(await bringBack(runner, 'flag_settings'))) {
      await runner.query(`
        CREATE TABLE flag_settings (
          flag_id uuid NOT NULL,
          environment_id uuid NOT NULL,
          is_enabled boolean NOT NULL DEFAULT false,
          off_variant text,
          prerequisites jsonb NOT NULL DEFAULT '[]',
          targets jsonb NOT NULL DEFAULT '[]',
          rules jsonb NOT NULL DEFAULT '[]',
          rule_rollouts jsonb NOT NULL DEFAULT '{}',
          default_serve jsonb NOT NULL,
          last_rollout jsonb,
          version integer NOT NULL DEFAULT 1,
          created_at timestamptz NOT NULL DEFAULT now(),
          updated_at timestamptz NOT NULL DEFAULT now(),
          CONSTRAINT pk_flag_settings PRIMARY KEY (flag_id, environment_id),
          CONSTRAINT fk_flag_settings_flag FOREIGN KEY (flag_id) REFERENCES flags (id) ON DELETE CASCADE,
          CONSTRAINT fk_flag_settings_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
        )`);
      await runner.query(`CREATE INDEX ix_flag_settings_environment ON flag_settings (environment_id)`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'flag_settings');
    await setAside(runner, 'flags');
  }
}
