/**
 * `npm run test:chaos`: the tests of docs/reliability.md in their full form, one file after the other, and a table of what they
 * counted. `npm run test:chaos -- postgres` takes those whose path holds the word. CHAOS_SEED and FUZZ_SEED repeat a run's
 * random choices.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildIfOld, root } from './build-if-old.mjs';

const REPORTS = join(root, '.reports', 'chaos');
const PATHS = ['test/chaos', 'test/openapi/fuzz', 'test/sdk/chaos', 'test/threats'];

buildIfOld();
const wanted = process.argv.slice(2);
// What only a part of them counts stands beside what the others counted before.
if (wanted.length === 0) rmSync(REPORTS, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--runInBand',
    ...(wanted.length > 0 ? wanted : PATHS),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { FUZZ_REQUESTS: '40000', ...process.env, CHAOS: 'full' },
  },
);
printTable();
process.exit(status ?? 1);

/** As it stands in docs/reliability.md. */
function printTable() {
  if (!existsSync(REPORTS)) return;
  const records = readdirSync(REPORTS)
    .map((file) => JSON.parse(readFileSync(join(REPORTS, file), 'utf8')))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }) || a.title.localeCompare(b.title));
  console.log('\n| | fault | counted | p50 / p99 / max |\n|---|---|---|---|');
  for (const { name, title, counts, durationsMs } of records) {
    const counted = Object.entries(counts).map(([what, figure]) => `${what} ${told(figure)}`);
    const times = Object.entries(durationsMs).map(
      ([what, { p50, p99, max }]) => `${what} ${p50} / ${p99} / ${max} ms`,
    );
    console.log(`| ${name} | ${title} | ${counted.join(' · ')} | ${times.join(' · ')} |`);
  }
  const { machine, commit } = records[0] ?? {};
  console.log(`\n${machine}, commit ${commit}`);
}

function told(figure) {
  if (typeof figure !== 'object') return String(figure);
  if ('count' in figure && 'of' in figure) return `${figure.count} of ${figure.of}`;
  return Array.isArray(figure)
    ? figure.join(', ')
    : Object.entries(figure)
        .map(([what, count]) => `${what} ${count}`)
        .join(', ') || 'none';
}
