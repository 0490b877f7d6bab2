import { setImmediate } from 'node:timers/promises';
import { firstColumn } from './backend-messages.js';
import type { Multiplexer } from './multiplexer.js';

/** Tables with as many dead or changed rows as make autovacuum act by default. */
const NEGLECTED = `
  SELECT format('%I.%I', schemaname, relname) FROM pg_stat_all_tables
  WHERE schemaname NOT LIKE 'pg_toast%'
    AND (n_dead_tup > 50 + 0.2 * n_live_tup OR n_mod_since_analyze > 50 + 0.1 * n_live_tup)`;

/**
 * Does what the background processes of a Postgres server do, of which the embedded one has none: without checkpoints
 * its write-ahead log would grow for ever, and without VACUUM its tables.
 */
export class Maintenance {
  private readonly timer: NodeJS.Timeout;
  private seenBatches = 0;

  /** @param intervalMs how often to look, in milliseconds; a database that nobody has used since is left alone */
  constructor(
    private readonly multiplexer: Multiplexer,
    intervalMs: number,
  ) {
    this.timer = setInterval(() => {
      // Fails only when the database closes or has broken down, which others report.
      this.run().catch(() => undefined);
    }, intervalMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async run(): Promise<void> {
    if (this.multiplexer.batchCount === this.seenBatches) return;
    this.seenBatches = this.multiplexer.batchCount;
    await this.multiplexer.query('CHECKPOINT');
    for (const table of firstColumn(await this.multiplexer.query(NEGLECTED))) {
      // Sessions that wait get their turns in between.
      await setImmediate();
      await this.multiplexer.query(`VACUUM (ANALYZE) ${table}`);
    }
  }
}
