import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { oneAtATime } from './one-at-a-time.js';

export const PROJECT = resolve('.');
export const MAIN = join(PROJECT, 'dist/src/main.js');
export const command = (name: string): string => join(PROJECT, 'dist/src/commands', `${name}.js`);

/** Brings dist/ up to date; of several test files that come here at once, one builds and the others wait. */
export async function ensureBuilt(): Promise<void> {
  const module = JSON.stringify(join(PROJECT, 'scripts/build-if-old.mjs'));
  await oneAtATime('building', () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', `(await import(${module})).buildIfOld()`], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}
