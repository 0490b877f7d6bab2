import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

export class CreateAudit1795219200001 implements MigrationInterface {
  name = 'CreateAudit1795219200001';

  async up(runner: QueryRunner): Promise<void> {
    if (!(await bringBack(runner, 'audit_entries'))) {
      await runner.query(`
        CREATE TABLE audit_entries (
          position bigint NOT NULL,
          id uuid NOT NULL,
          created_at timestamptz NOT NULL,
          entity_type text NOT NULL,
          entity_id text NOT NULL,
          entity_key text NOT NULL,
          action text NOT NULL,
          actor_type text NOT NULL,
          actor_id text,
          actor_name text NOT NULL,
          environment_key text,
          revision bigint,
          revisions jsonb NOT NULL,
          changes jsonb NOT NULL,
          before jsonb,
          after jsonb,
          reason text,
          request_id text,
          previous_hash text NOT NULL,
          hash text NOT NULL,
          CONSTRAINT pk_audit_entries PRIMARY KEY (position),
          CONSTRAINT uq_audit_entries_id UNIQUE (id)
        )`);
      await runner.query(
        `CREATE INDEX ix_audit_entries_entity ON audit_entries (entity_type, entity_key, position)`,
      );
      await runner.query(
        `CREATE INDEX ix_audit_entries_environment ON audit_entries (environment_key, position)`,
      );
      await runner.query(`CREATE INDEX ix_audit_entries_revisions ON audit_entries USING gin (revisions)`);
      await runner.query(`CREATE INDEX ix_audit_entries_actor ON audit_entries (actor_id, position)`);
    }
    // Nobody edits history, not even by mistake with a database client at hand.
    await runner.query(`
      CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'audit entries are never changed or removed';
      END $$`);
    await runner.query(`
      CREATE OR REPLACE TRIGGER tr_audit_entries_row BEFORE UPDATE OR DELETE ON audit_entries
      FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()`);
    await runner.query(`
      CREATE OR REPLACE TRIGGER tr_audit_entries_all BEFORE TRUNCATE ON audit_entries
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()`);

    // The end of the chain. Its row lock puts all writers in one order, and its hash betrays a cut-off tail.
    if (!(await bringBack(runner, 'audit_chain'))) {
      await runner.query(`
        CREATE TABLE audit_chain (
          id integer NOT NULL,
          position bigint NOT NULL,
          hash text NOT NULL,
          CONSTRAINT pk_audit_chain PRIMARY KEY (id),
          CONSTRAINT ck_audit_chain_single CHECK (id = 1)
        )`);
      await runner.query(`INSERT INTO audit_chain (id, position, hash) VALUES (1, 0, '')`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await setAside(runner, 'audit_chain');
    await runner.query(`DROP TRIGGER tr_audit_entries_all ON audit_entries`);
    await runner.query(`DROP TRIGGER tr_audit_entries_row ON audit_entries`);
    await runner.query(`DROP FUNCTION refuse_audit_change()`);
    await setAside(runner, 'audit_entries');
  }
}
