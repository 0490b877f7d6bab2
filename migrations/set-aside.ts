import type { QueryRunner } from 'typeorm';

/**
 * Taking a migration back must not destroy what people wrote. Instead of dropping a table, `down` moves it, with its
 * rows, indexes and constraints, into a schema of its own; `up` brings it back from there when it is still there.
 */
const SCHEMA = 'vexil_reverted';

/** Moves `table` out of the way, keeping everything in it. */
export async function setAside(runner: QueryRunner, table: string): Promise<void> {
  await runner.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
  await runner.query(`ALTER TABLE ${table} SET SCHEMA ${SCHEMA}`);
}

/** Brings `table` back if an earlier `down` set it aside. @returns whether it did */
export async function bringBack(runner: QueryRunner, table: string): Promise<boolean> {
  const rows = (await runner.query(
    `SELECT current_schema() AS here, to_regclass('${SCHEMA}.${table}') IS NOT NULL AS kept`,
  )) as [{ here: string; kept: boolean }];
  if (!rows[0].kept) return false;
  await runner.query(`ALTER TABLE ${SCHEMA}.${table} SET SCHEMA "${rows[0].here}"`);
  return true;
}
