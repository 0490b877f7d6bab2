import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const PROJECT = resolve('.');
export const MAIN = join(PROJECT, 'dist/src/main.js');
export const command = (name: string): string => join(PROJECT, 'dist/src/commands', `${name}.js`);

/** Brings dist/ up to date; of several test files that come here at once, one builds and the others wait. */
export async function ensureBuilt(): Promise<void> {
  const lock = join(PROJECT, '.cache', 'building');
  mkdirSync(join(PROJECT, '.cache'), { recursive: true });
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      try {
        if (Date.now() - statSync(lock).mtimeMs > 60_000) rmdirSync(lock);
      } catch {
        // Given back just now.
      }
      await sleep(100);
    }
  }
  try {
    const module = JSON.stringify(join(PROJECT, 'scripts/build-if-old.mjs'));
    execFileSync(process.execPath, ['--input-type=module', '-e', `(await import(${module})).buildIfOld()`], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } finally {
    rmdirSync(lock);
  }
}
