import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

/** A column cannot be set aside; the environments that had it set can. */
export class AddEnvironmentsConfirmChanges1795219200010 implements MigrationInterface {
  name = 'AddEnvironmentsConfirmChanges1795219200010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE environments ADD COLUMN confirm_changes boolean NOT NULL DEFAULT false`);
    if (!(await bringBack(runner, 'environments_confirm_changes'))) return;
    await runner.query(
      `UPDATE environments e SET confirm_changes = true FROM environments_confirm_changes kept WHERE kept.environment_id = e.id`,
    );
    await runner.query(`DROP TABLE environments_confirm_changes`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE environments_confirm_changes AS SELECT id AS environment_id FROM environments WHERE confirm_changes`,
    );
    await setAside(runner, 'environments_confirm_changes');
    await runner.query(`ALTER TABLE environments DROP COLUMN confirm_changes`);
  }
}
