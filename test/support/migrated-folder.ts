import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { command } from './built-service.js';
import { SHAPE } from './database.js';
import { oneAtATime } from './one-at-a-time.js';

/**
 * Puts a migrated and otherwise new embedded database into a data folder: to make one takes seconds, and most tests of a process
 * do not care how it came to be. Made once for each shape of the database, by the service's own command.
 */
export async function migrateByCopy(dataDir: string): Promise<void> {
  const made = resolve('.cache', 'test', `data-${SHAPE}`);
  if (!existsSync(made))
    await oneAtATime('migrating', () => {
      if (existsSync(made)) return;
      const aside = `${made}.${process.pid}`;
      mkdirSync(aside, { recursive: true });
      execFileSync(process.execPath, [command('migrate')], {
        env: { PATH: process.env['PATH'], NODE_ENV: 'test', DATA_DIR: aside },
      });
      renameSync(aside, made);
    });
  cpSync(join(made, 'db'), join(dataDir, 'db'), { recursive: true });
}
