import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['flag_settings', 'segments'];

/**
 * In which revision of its environment a row was last changed, at the latest: who holds an earlier one reads what is later.
 * By a trigger, so that no way of changing a row can forget it. The environment is locked by whoever changes something in it, and moves on
 * by one in the same transaction.
 */
export class MarkChangedRows1795219200016 implements MigrationInterface {
  name = 'MarkChangedRows1795219200016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE OR REPLACE FUNCTION mark_changed_row() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        SELECT e.revision + 1 INTO NEW.changed_in FROM environments e WHERE e.id = NEW.environment_id;
        NEW.changed_in := coalesce(NEW.changed_in, 0);
        RETURN NEW;
      END $$`);
    for (const table of TABLES) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN changed_in bigint NOT NULL DEFAULT 0`);
      await runner.query(`
        CREATE TRIGGER tr_${table}_changed BEFORE INSERT OR UPDATE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION mark_changed_row()`);
      await runner.query(`CREATE INDEX ix_${table}_changed ON ${table} (environment_id, changed_in)`);
    }
    // The new one begins with the same column.
    await runner.query(`DROP INDEX ix_flag_settings_environment`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX ix_flag_settings_environment ON flag_settings (environment_id)`);
    for (const table of TABLES) {
      await runner.query(`DROP TRIGGER tr_${table}_changed ON ${table}`);
      await runner.query(`ALTER TABLE ${table} DROP COLUMN changed_in`);
    }
    await runner.query(`DROP FUNCTION mark_changed_row()`);
  }
}
