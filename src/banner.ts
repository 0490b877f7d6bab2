import type { INestApplication } from '@nestjs/common';
import { resolve } from 'node:path';
import { Tokens } from './auth/tokens.js';
import { UsersService } from './auth/users.service.js';
import { SERVICE } from './operations/service-info.js';
import type { Config } from './platform/config/settings.js';
import type { DatabaseSource } from './platform/database/database-source.js';

/** What a person who starts the service wants to know: where it is, where the data are, and how to get in. */
export async function banner(
  app: INestApplication,
  config: Config,
  database: DatabaseSource,
  port: number,
): Promise<string> {
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
  if (await needsAdmin(app)) {
    const token = app.get(Tokens, { strict: false }).setupToken();
    lines.push(
      '',
      '  There is no admin yet. Open this once, and become the first:',
      `  ${address}/app/setup#${token}`,
      '',
      `  Elsewhere, or over the API, use the setup token:  ${token}`,
    );
  }
  return `${lines.join('\n')}\n\n`;
}

async function needsAdmin(app: INestApplication): Promise<boolean> {
  try {
    return await app.get(UsersService, { strict: false }).needsAdmin();
  } catch {
    // The database is away; who administers is not known now.
    return false;
  }
}
