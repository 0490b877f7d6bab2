import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateApiKeys1795219200006 implements MigrationInterface {
  name = 'CreateApiKeys1795219200006';

  async up(runner: QueryRunner): Promise<void> {
    // What is set aside keeps its own row here: the count goes on where it was.
    await runner.query(`INSERT INTO revisions (name) VALUES ('api_keys') ON CONFLICT (name) DO NOTHING`);
    if (await bringBack(runner, 'api_keys')) return;
    await runner.query(`
      CREATE TABLE api_keys (
        id uuid NOT NULL,
        name text NOT NULL,
        kind text NOT NULL,
        prefix text NOT NULL,
        secret_hash text NOT NULL,
        environment_id uuid,
        role text,
        rate_limit_per_minute integer NOT NULL DEFAULT 1000,
        origins text[] NOT NULL DEFAULT '{}',
        expires_at timestamptz,
        last_used_at timestamptz,
        browser_use_reported_at timestamptz,
        created_by text NOT NULL,
        created_by_id text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        revoked_at timestamptz,
        CONSTRAINT pk_api_keys PRIMARY KEY (id),
        CONSTRAINT uq_api_keys_secret_hash UNIQUE (secret_hash),
        CONSTRAINT fk_api_keys_environment FOREIGN KEY (environment_id) REFERENCES environments (id) ON DELETE CASCADE,
        CONSTRAINT ck_api_keys_kind CHECK (kind IN ('server', 'client', 'admin')),
        CONSTRAINT ck_api_keys_scope CHECK ((kind = 'admin') = (role IS NOT NULL) AND (kind = 'admin') = (environment_id IS NULL))
      )`);
    await runner.query(`CREATE INDEX ix_api_keys_environment ON api_keys (environment_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'api_keys');
  }
}
