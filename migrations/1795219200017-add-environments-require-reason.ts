import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

/** A column cannot be set aside; the environments that had it set can. */
export class AddEnvironmentsRequireReason1795219200017 implements MigrationInterface {
  name = 'AddEnvironmentsRequireReason1795219200017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE environments ADD COLUMN require_reason boolean NOT NULL DEFAULT false`);
    if (!(await bringBack(runner, 'environments_require_reason'))) return;
    await runner.query(
      `UPDATE environments e SET require_reason = true FROM environments_require_reason kept WHERE kept.environment_id = e.id`,
    );
    await runner.query(`DROP TABLE environments_require_reason`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE environments_require_reason AS SELECT id AS environment_id FROM environments WHERE require_reason`,
    );
    await setAside(runner, 'environments_require_reason');
    await runner.query(`ALTER TABLE environments DROP COLUMN require_reason`);
  }
}
