import type { MigrationInterface, QueryRunner } from 'typeorm';
import { bringBack, setAside } from './set-aside.js';

/** A column cannot be set aside; the flags that had it set can. */
export class AddFlagsClientVisible1795219200007 implements MigrationInterface {
  name = 'AddFlagsClientVisible1795219200007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE flags ADD COLUMN client_visible boolean NOT NULL DEFAULT false`);
    if (!(await bringBack(runner, 'flags_client_visible'))) return;
    await runner.query(
      `UPDATE flags f SET client_visible = true FROM flags_client_visible kept WHERE kept.flag_id = f.id`,
    );
    await runner.query(`DROP TABLE flags_client_visible`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE flags_client_visible AS SELECT id AS flag_id FROM flags WHERE client_visible`,
    );
    await setAside(runner, 'flags_client_visible');
    await runner.query(`ALTER TABLE flags DROP COLUMN client_visible`);
  }
}
