import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { systemActor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import { UnreadableDocument } from '../transfer/conversion.js';
import { NoDocument } from '../transfer/document-source.js';
import { ImportService } from '../transfer/import.service.js';
import { reportOf } from '../transfer/report.js';
import { readFrom, SYSTEMS, type SystemName } from '../transfer/systems.js';
import { TransferModule } from '../transfer/transfer.module.js';
import { CommandModule } from './command.module.js';
import { runCommand } from './command.js';

const USAGE = `Say from where: npm run import -- --from <${SYSTEMS.join('|')}> [--environment <key>] [--dry-run] [--key <API key>] [--token <token>] <file or URL>\n`;

/** Exit codes: 0 all is as the document says, 1 something failed, 2 a wrong argument or document, 3 some were refused. */
await runCommand(async ({ config, database }) => {
  const given = argumentsIn(process.argv.slice(2));
  if (!given) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { system, place, isDryRun, key, token } = given;
  const app = await NestFactory.createApplicationContext(
    CommandModule.of(config, database, [TransferModule]),
    {
      logger: false,
      abortOnError: false,
    },
  );
  try {
    const read = await readFrom(system, place, { key, token });
    // Who says where means all of it.
    const environment = given.environment;
    const inOne = <Thing extends object>(things: readonly Thing[]): Thing[] =>
      things.map((thing) => (environment === undefined ? thing : { ...thing, environmentKey: environment }));
    const portable = { ...read, flags: inOne(read.flags), segments: inOne(read.segments) };
    await app.get(Database).connect();
    const { outcomes, notes } = await app
      .get(ImportService, { strict: false })
      .run(systemActor('import'), portable, {
        environmentKey: environment ?? config.compatEnvironment,
        isDryRun,
        reason: `imported from ${system}`,
      });
    const lines = reportOf(outcomes, [...portable.notes, ...notes], portable.refused, isDryRun);
    process.stdout.write(`${lines.join('\n')}\n`);
    return portable.refused.length > 0 || outcomes.some(({ became }) => became === 'refused') ? 3 : 0;
  } catch (error) {
    const isOfCaller = [EnvironmentNotFound, NoDocument, UnreadableDocument].some(
      (kind) => error instanceof kind,
    );
    if (!isOfCaller) throw error;
    process.stderr.write(`${(error as Error).message}\n`);
    return 2;
  } finally {
    await app.close();
  }
});

interface Arguments {
  readonly system: SystemName;
  readonly place: string;
  readonly environment: string | undefined;
  readonly isDryRun: boolean;
  readonly key: string | undefined;
  readonly token: string | undefined;
}

/** `undefined` where they are wrong. */
function argumentsIn(args: string[]): Arguments | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: 'string' },
        environment: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        key: { type: 'string' },
        token: { type: 'string' },
      },
    });
    const system = SYSTEMS.find((name) => name === values.from);
    const [place, ...more] = positionals;
    if (system === undefined || place === undefined || more.length > 0 || values.environment === '')
      return undefined;
    const { environment, key, token } = values;
    return { system, place, environment, isDryRun: values['dry-run'], key, token };
  } catch {
    return undefined;
  }
}
