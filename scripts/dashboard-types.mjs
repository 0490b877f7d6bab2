/** Writes the types of the API for the dashboard, from docs/openapi.json, when they are missing or older than it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build-if-old.mjs';

const DOCUMENT = join(root, 'docs', 'openapi.json');
const TYPES = join(root, 'static', 'src', 'api', 'schema.gen.d.ts');

if (!existsSync(TYPES) || statSync(TYPES).mtimeMs < statSync(DOCUMENT).mtimeMs) {
  const { default: openapiTS, astToString } = await import('openapi-typescript');
  const nodes = await openapiTS(JSON.parse(readFileSync(DOCUMENT, 'utf8')));
  writeFileSync(TYPES, astToString(nodes));
}
