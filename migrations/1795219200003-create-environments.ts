import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateEnvironments1795219200003 implements MigrationInterface {
  name = 'CreateEnvironments1795219200003';

  async up(runner: QueryRunner): Promise<void> {
    if (await bringBack(runner, 'environments')) return;
    await runner.query(`
      CREATE TABLE environments (
        id uuid NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        description text,
        protected boolean NOT NULL DEFAULT false,
        position integer NOT NULL,
        revision bigint NOT NULL DEFAULT 0,
        stamp uuid NOT NULL,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_environments PRIMARY KEY (id),
        CONSTRAINT uq_environments_key UNIQUE (key)
      )`);
    await runner.query(`
      INSERT INTO environments (id, stamp, key, name, description, protected, position) VALUES
        (gen_random_uuid(), gen_random_uuid(), 'development', 'Development', 'Local development and testing', false, 1),
        (gen_random_uuid(), gen_random_uuid(), 'staging', 'Staging', 'Pre-production testing environment', false, 2),
        (gen_random_uuid(), gen_random_uuid(), 'production', 'Production', 'Live environment for real users', true, 3)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'environments');
  }
}
