/**
 * Takes out of node_modules what no running service reads: maps, types and texts of packages, and what is there for other programs
 * than Node. For the image, after `npm ci --omit=dev`; never in a working copy.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = fileURLToPath(new URL('../node_modules', import.meta.url));
const UNREAD = /\.(?:map|d\.[cm]?ts|tsbuildinfo|md|markdown)$/i;
/** By their names, since nothing tells them from what is read. */
const FOR_OTHERS = [
  // @nestjs/swagger has a plugin for compilers, and names this one.
  'typescript',
  '.bin',
  'typeorm/browser',
  'rxjs/src',
  'rxjs/dist/bundles',
  'yaml/browser',
  'zod/src',
];

if (existsSync(join(packages, 'jest'))) {
  console.error('These are the packages of a working copy, with its tools: nothing was taken out.');
  process.exit(1);
}
for (const name of FOR_OTHERS) rmSync(join(packages, name), { recursive: true, force: true });
for (const entry of readdirSync(packages, { recursive: true, withFileTypes: true }))
  if (entry.isFile() && UNREAD.test(entry.name)) rmSync(join(entry.parentPath, entry.name));
