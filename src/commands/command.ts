import { Logger } from '@nestjs/common';
import { readEnvironment } from '../platform/config/environment.js';
import { ConfigurationError, loadConfig } from '../platform/config/settings.js';
import { reachDatabaseSource, type DatabaseSource } from '../platform/database/database-source.js';
import { isDatabaseFault, reasonOf } from '../platform/database/faults.js';
import { createLogger, NestLogger } from '../platform/logging/logger.js';
import type { Config } from '../platform/config/settings.js';
import { SCHEMA } from '../schema.js';

/** What a command-line tool is given. */
export interface CommandContext {
  readonly config: Config;
  readonly database: DatabaseSource;
}

/**
 * Runs a command-line tool on the configured database, also while a service holds the embedded one.
 * The process ends with the tool's exit code, or with 1 and one line when it fails.
 */
export async function runCommand(command: (context: CommandContext) => Promise<number>): Promise<void> {
  process.exitCode = await attempt(command);
}

async function attempt(command: (context: CommandContext) => Promise<number>): Promise<number> {
  try {
    const config = loadConfig(readEnvironment());
    Logger.overrideLogger(new NestLogger(createLogger('fatal')));
    const database = await reachDatabaseSource(config, SCHEMA, (error) => {
      throw error;
    });
    try {
      return await command({ config, database });
    } catch (error) {
      if (!isDatabaseFault(error)) throw error;
      throw new Error(`The database (${database.place}) does not answer: ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      await database.close();
    }
  } catch (error) {
    process.stderr.write(`${error instanceof ConfigurationError ? error.message : reasonOf(error)}\n`);
    return 1;
  }
}
