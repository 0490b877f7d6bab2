import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Does the work while no other test process does work of that name. A lock that is older than a minute belongs to nobody. */
export async function oneAtATime<Result>(
  name: string,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  const lock = join(resolve('.cache'), name);
  mkdirSync(resolve('.cache'), { recursive: true });
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
    return await work();
  } finally {
    rmdirSync(lock);
  }
}
