import 'reflect-metadata';
import { migrate, revertMigration } from '../platform/database/migrator.js';
import { runCommand } from './command.js';

/** `migrate` brings the database to this version; `migrate revert` takes the newest step back, keeping its data aside. */
await runCommand(async ({ database }) => {
  const [action] = process.argv.slice(2);
  if (action === 'revert') {
    const reverted = await revertMigration(database);
    process.stdout.write(
      reverted === undefined
        ? 'Nothing to take back.\n'
        : `Took back ${reverted}. Its data are kept aside and come back with it.\n`,
    );
    return 0;
  }
  if (action !== undefined) {
    process.stderr.write(`Unknown argument '${action}'. Use: npm run migrate, or npm run migrate:revert\n`);
    return 2;
  }
  const done = await migrate(database);
  process.stdout.write(done.length === 0 ? 'The database is up to date.\n' : `Ran ${done.join(', ')}.\n`);
  return 0;
});
