import type { MigrationInterface, QueryRunner } from 'typeorm';

/** All changes of one request, or of a batch of them, which share an id. */
export class IndexAuditRequests1795219200012 implements MigrationInterface {
  name = 'IndexAuditRequests1795219200012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX ix_audit_entries_request ON audit_entries (request_id, position)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ix_audit_entries_request`);
  }
}
