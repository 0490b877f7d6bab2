import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

/** Open invitations only: one that is used or withdrawn goes, and the audit log keeps what became of it. */
export class CreateInvites1795219200013 implements MigrationInterface {
  name = 'CreateInvites1795219200013';

  async up(runner: QueryRunner): Promise<void> {
    if (await bringBack(runner, 'invites')) return;
    await runner.query(`
      CREATE TABLE invites (
        id uuid NOT NULL,
        role text NOT NULL,
        email text,
        token_hash text NOT NULL,
        expires_at timestamptz NOT NULL,
        created_by text NOT NULL,
        created_by_id uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_invites PRIMARY KEY (id),
        CONSTRAINT uq_invites_token_hash UNIQUE (token_hash),
        CONSTRAINT fk_invites_created_by FOREIGN KEY (created_by_id) REFERENCES users (id) ON DELETE CASCADE,
        CONSTRAINT ck_invites_role CHECK (role IN ('viewer', 'developer', 'admin'))
      )`);
    await runner.query(`CREATE INDEX ix_invites_created_by ON invites (created_by_id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'invites');
  }
}
