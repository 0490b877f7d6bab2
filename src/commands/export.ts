import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { Database } from '../platform/database/database.js';
import { ExportReader } from '../transfer/export.reader.js';
import { toVexil } from '../transfer/flag-document.js';
import { toFlagd } from '../transfer/flagd-export.js';
import type { Remark } from '../transfer/portable.js';
import { TransferModule } from '../transfer/transfer.module.js';
import { CommandModule } from './command.module.js';
import { runCommand } from './command.js';

const FORMATS = ['vexil', 'flagd'] as const;
const USAGE =
  'Say what: npm run -s export -- [--to vexil|flagd] [--environment <key>] [--approximate] > flags.json\n';

/** The document goes to the output and what is to be known to the errors. Exit codes: 0 written, 1 something failed, 2 a wrong argument, 3 some flags were left out. */
await runCommand(async ({ config, database }) => {
  const given = argumentsIn(process.argv.slice(2));
  if (!given) {
    process.stderr.write(USAGE);
    return 2;
  }
  const environmentKey = given.environment ?? config.compatEnvironment;
  const app = await NestFactory.createApplicationContext(
    CommandModule.of(config, database, [TransferModule]),
    {
      logger: false,
      abortOnError: false,
    },
  );
  try {
    await app.get(Database).connect();
    const portable = await app.get(ExportReader, { strict: false }).read(environmentKey);
    const { document, refused, notes } =
      given.to === 'flagd'
        ? toFlagd(portable, { isApproximate: given.isApproximate })
        : { document: toVexil(portable, environmentKey), refused: [], notes: [] };
    const left: Remark[] = [...portable.refused, ...refused];
    process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
    for (const { subject, message } of left) process.stderr.write(`! ${subject}: left out: it ${message}\n`);
    for (const { subject, message } of notes) process.stderr.write(`* ${subject}: ${message}\n`);
    return left.length > 0 ? 3 : 0;
  } catch (error) {
    if (!(error instanceof EnvironmentNotFound)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 2;
  } finally {
    await app.close();
  }
});

/** `undefined` where they are wrong. */
function argumentsIn(args: string[]) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        to: { type: 'string', default: 'vexil' },
        environment: { type: 'string' },
        approximate: { type: 'boolean', default: false },
      },
    });
    const to = FORMATS.find((name) => name === values.to);
    if (to === undefined || values.environment === '') return undefined;
    return { to, environment: values.environment, isApproximate: values.approximate };
  } catch {
    return undefined;
  }
}
