import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateSegments1795219200005 implements MigrationInterface {
  name = 'CreateSegments1795219200005';

  async up(runner: QueryRunner): Promise<void> {
    if (await bringBack(runner, 'segments')) return;
    await runner.query(`
      CREATE TABLE segments (
        id uuid NOT NULL,
        environment_id uuid NOT NULL,
        key text NOT NULL,
        name text NOT NULL,
        description text,
        included jsonb NOT NULL DEFAULT '[]',
        excluded jsonb NOT NULL DEFAULT '[]',
        included_count integer NOT NULL DEFAULT 0,
        excluded_count integer NOT NULL DEFAULT 0,
        lists_anyone boolean NOT NULL DEFAULT false,
        conditions jsonb,
        version integer NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_segments PRIMARY KEY (id),
        CONSTRAINT uq_segments_environment_key UNIQUE (environment_id, key),
        CONSTRAINT fk_segments_environment FOREIGN KEY (environment_id) REFERENCES environments (id)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'segments');
  }
}
