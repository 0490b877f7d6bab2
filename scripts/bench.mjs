/**
 * Runs the benchmarks: `npm run bench` all of them, `npm run bench -- evaluate` those whose name holds the word.
 * They are compiled with what they import into .cache/bench, and each runs in a process of its own. Those that ask the
 * service over HTTP start what is in dist, so that is built first when it is missing or old.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

const wanted = process.argv[2] ?? '';
const names = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.bench.ts') && file.includes(wanted))
  .map((file) => file.slice(0, -'.ts'.length))
  .sort();

if (names.length === 0) {
  console.error(`No bench/*.bench.ts has '${wanted}' in its name.`);
  process.exit(1);
}

const node = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
buildIfOld();
if (node(tsc, '-p', 'bench/tsconfig.json') !== 0) process.exit(1);

let failed = 0;
for (const name of names) {
  console.log(`\n=== ${name}`);
  if (node('--enable-source-maps', '--expose-gc', join('.cache', 'bench', 'bench', `${name}.js`)) !== 0)
    failed += 1;
}
process.exit(failed > 0 ? 1 : 0);
