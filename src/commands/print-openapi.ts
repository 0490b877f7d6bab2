import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { openApiDocument } from '../openapi.js';
import { PROJECT_FOLDER } from '../operations/service-info.js';
import { loadConfig } from '../platform/config/settings.js';

/** Writes docs/openapi.json anew from the routes, or the file that is named. */
const [named] = process.argv.slice(2);
const file = named === undefined ? join(PROJECT_FOLDER, 'docs', 'openapi.json') : resolve(named);
// A preview makes nothing of what the modules consist of, so it needs no database.
const app = await NestFactory.create(AppModule.of(loadConfig({}), undefined as never), {
  preview: true,
  logger: ['error'],
  abortOnError: false,
});
writeFileSync(file, `${JSON.stringify(openApiDocument(app), undefined, 2)}\n`);
process.stdout.write(`Wrote ${file}\n`);
