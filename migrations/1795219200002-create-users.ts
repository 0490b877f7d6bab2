import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateUsers1795219200002 implements MigrationInterface {
  name = 'CreateUsers1795219200002';

  async up(runner: QueryRunner): Promise<void> {
    if (!(await bringBack(runner, 'users'))) {
      await runner.query(`
        CREATE TABLE users (
          id uuid NOT NULL,
          email text NOT NULL,
          name text NOT NULL,
          role text NOT NULL,
          is_active boolean NOT NULL DEFAULT true,
          token_version integer NOT NULL DEFAULT 1,
          password_hash text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now(),
          updated_at timestamptz NOT NULL DEFAULT now(),
          CONSTRAINT pk_users PRIMARY KEY (id),
          CONSTRAINT uq_users_email UNIQUE (email),
          CONSTRAINT ck_users_role CHECK (role IN ('viewer', 'developer', 'admin'))
        )`);
    }
    // Counts every change of a collection that has no environment; the row lock gives commit order.
    if (!(await bringBack(runner, 'revisions'))) {
      await runner.query(`
        CREATE TABLE revisions (
          name text NOT NULL,
          revision bigint NOT NULL DEFAULT 0,
          CONSTRAINT pk_revisions PRIMARY KEY (name)
        )`);
      await runner.query(`INSERT INTO revisions (name) VALUES ('users')`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'revisions');
    await setAside(runner, 'users');
  }
}
