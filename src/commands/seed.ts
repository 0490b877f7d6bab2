import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { FlagDefinitionDiffers, FlagExists } from '../flags/flag.errors.js';
import { FlagsModule } from '../flags/flags.module.js';
import { FlagsService } from '../flags/flags.service.js';
import { systemActor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import { CommandModule } from './command.module.js';
import { runCommand } from './command.js';

/** The flags that the service with edge caching came with, placed by its hash. Percentages are basis points. */
const FLAGS = [
  { key: 'new_checkout_flow', name: 'New checkout experience', isEnabled: true, rolloutPercentage: 5_000 },
  { key: 'beta_features', name: 'Beta features', isEnabled: true, rolloutPercentage: 1_000 },
  { key: 'dark_mode', name: 'Dark mode UI', isEnabled: false, rolloutPercentage: 0 },
  { key: 'experimental_api', name: 'Experimental API endpoints', isEnabled: true, rolloutPercentage: 2_500 },
] as const;

/** Exit codes: 0 the flags are there, 1 something failed, 2 no such environment or a wrong argument. */
await runCommand(async ({ config, database }) => {
  const environmentKey = environmentIn(process.argv.slice(2)) ?? config.compatEnvironment;
  if (environmentKey === '') {
    process.stderr.write('Say where: npm run seed -- --environment development\n');
    return 2;
  }
  const app = await NestFactory.createApplicationContext(CommandModule.of(config, database, [FlagsModule]), {
    logger: false,
    abortOnError: false,
  });
  try {
    await app.get(Database).connect();
    const flags = app.get(FlagsService, { strict: false });
    for (const flag of FLAGS)
      process.stdout.write(`${flag.key} ${await seed(flags, environmentKey, flag)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof EnvironmentNotFound)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  } finally {
    await app.close();
  }
});

/** @returns what became of it */
async function seed(
  flags: FlagsService,
  environmentKey: string,
  flag: (typeof FLAGS)[number],
): Promise<string> {
  try {
    await flags.create(systemActor('seed'), {
      ...flag,
      // Where that service shows a flag, this is what it says of it.
      description: flag.name,
      environmentKey,
      flagType: 'percentage',
      placing: { hashVersion: 'md5', salt: flag.key },
    });
    return `made in ${environmentKey}`;
  } catch (error) {
    if (error instanceof FlagExists) return `is in ${environmentKey} already, and stays as it is`;
    if (error instanceof FlagDefinitionDiffers) return `is another flag elsewhere, and stays as it is`;
    throw error;
  }
}

/** The one that is named; `undefined` where none is, empty where the arguments are wrong. */
function environmentIn(args: string[]): string | undefined {
  try {
    return parseArgs({ args, options: { environment: { type: 'string' } } }).values.environment;
  } catch {
    return '';
  }
}
