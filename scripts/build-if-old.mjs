/** Builds dist/ when it is missing or older than what it is made of. Says nothing when there is nothing to do. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const MARK = join(root, 'dist', '.built');
const SOURCES = ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'package.json'];

/** @param {string} path @returns {number} when anything in it last changed, in milliseconds */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time changes when a file in it is removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

export function buildIfOld() {
  const sources = SOURCES.map((name) => join(root, name));
  // An image holds the build alone.
  if (!sources.every((path) => existsSync(path))) return;
  if (existsSync(MARK) && statSync(MARK).mtimeMs > Math.max(...sources.map(newest))) return;
  console.log('Building…');
  build();
}

export function build() {
  let tsc;
  try {
    tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  } catch {
    console.error('The build needs the development packages: run `npm ci` (without --omit=dev) first.');
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(MARK, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
