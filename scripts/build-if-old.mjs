/** Builds dist/ when it is missing or older than what it is made of. Says nothing when there is nothing to do. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What is built: from which sources, by which program. Each leaves a mark when it is done. */
const PARTS = [
  {
    title: 'the service',
    mark: join(root, 'dist', '.built'),
    sources: ['src', 'migrations', 'tsconfig.json', 'tsconfig.build.json', 'package.json'],
    program: () => [resolve('typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  },
  {
    title: 'the dashboard',
    mark: join(root, 'dist', '.built-dashboard'),
    // What it evaluates and lays out by is the core's.
    sources: ['static', 'src/core', 'package.json'],
    program: () => [
      join(dirname(resolve('vite/package.json')), 'bin', 'vite.js'),
      'build',
      '--config',
      'static/vite.config.mjs',
      '--logLevel',
      'warn',
    ],
  },
];

const resolve = (name) => createRequire(import.meta.url).resolve(name);

/** @param {string} path @returns {number} when anything in it last changed, in milliseconds */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time changes when a file in it is removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isOld({ mark, sources }) {
  const paths = sources.map((name) => join(root, name));
  // An image holds the build alone.
  if (!paths.every((path) => existsSync(path))) return false;
  return !existsSync(mark) || statSync(mark).mtimeMs <= Math.max(...paths.map(newest));
}

export function buildIfOld() {
  for (const part of PARTS.filter(isOld)) {
    console.log(`Building ${part.title}…`);
    buildPart(part);
  }
}

export function build() {
  for (const part of PARTS) buildPart(part);
}

function buildPart({ mark, program }) {
  let command;
  try {
    command = program();
  } catch {
    console.error('The build needs the development packages: run `npm ci` (without --omit=dev) first.');
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) build();
