import type { INestApplication } from '@nestjs/common';
import { resolve } from 'node:path';
import { Tokens } from './auth/tokens.js';
import { UsersService } from './auth/users.service.js';
import { SERVICE } from './operations/service-info.js';
import type { Config } from './platform/config/settings.js';
import type { DatabaseSource } from './platform/database/database-source.js';
import { Repeating } from './platform/events/repeating.js';

const LOOK_AGAIN_MS = 1_000;

/**
 * Tells what a person who starts the service wants to know: where it is, where the data are, and how to get in. That last, if the
 * database does not say yet whether it is needed, as soon as it does: nobody could get in otherwise.
 */
export async function announce(
  app: INestApplication,
  config: Config,
  database: DatabaseSource,
  port: number,
  write: (text: string) => void,
): Promise<void> {
  const address = `http://localhost:${port}`;
  const lines = [
    '',
    `  Vexil ${SERVICE.version} is running.`,
    '',
    `  Service    ${address}`,
    `  API docs   ${address}/docs`,
    `  Data       ${database.place}${database.kind === 'embedded' ? ` (${resolve(config.dataDir)})` : ''}`,
    `  Cache      ${config.redisUrl === undefined ? 'in memory' : `Redis at ${new URL(config.redisUrl).host}`}`,
  ];
  if (database.kind === 'embedded') {
    lines.push(
      '',
      '  The embedded database survives a crash of this process, not a power cut. Set DATABASE_URL for Postgres.',
    );
  }
  const known = await wayIn(app, address);
  write(`${[...lines, ...(known ?? [])].join('\n')}\n\n`);
  if (known) return;
  const looking = new Repeating(LOOK_AGAIN_MS, async () => {
    const late = await wayIn(app, address);
    if (!late) return;
    looking.stop();
    if (late.length > 0) write(`${late.join('\n')}\n\n`);
  });
}

/** How the first admin comes in, when there is none; `undefined` while the database is away, and nobody knows. */
async function wayIn(app: INestApplication, address: string): Promise<string[] | undefined> {
  try {
    if (!(await app.get(UsersService, { strict: false }).needsAdmin())) return [];
  } catch {
    return undefined;
  }
  const token = app.get(Tokens, { strict: false }).setupToken();
  return [
    '',
    '  There is no admin yet. Open this once, and become the first:',
    `  ${address}/app/setup#${token}`,
    '',
    `  Elsewhere, or over the API, use the setup token:  ${token}`,
  ];
}
