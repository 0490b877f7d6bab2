/**
 * A program with clients of one key that decides all the time, on a clock that jumps. It is started by chaos.test.ts with the
 * bundle of the SDK and its settings; a line on its input ends it, and it prints what came of it.
 */
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

const { bundle, clients: options, keys } = JSON.parse(process.argv[2]);
const { createServerClient } = await import(bundle);

// An hour, a day or a month, forward or back, several times a second.
const clock = Date.now;
let offset = 0;
Date.now = () => clock() + offset;
setInterval(() => {
  offset = (Math.random() - 0.5) * [3_600_000, 86_400_000, 2_592_000_000][Math.floor(Math.random() * 3)];
}, 150);

const quiet = { warn() {}, error() {} };
const clients = options.map((each) => createServerClient({ ...each, logger: quiet }));
const counts = { evaluations: 0, failed: 0, slowestMs: 0, stale: 0, changes: 0, errors: 0 };
for (const client of clients) {
  client.on('change', () => (counts.changes += 1));
  client.on('error', () => (counts.errors += 1));
}
await Promise.all(clients.map((client) => client.ready({ timeoutMs: 120_000 })));
process.stdout.write('ready\n');

let isOver = false;
const ended = once(process.stdin, 'data').then(() => (isOver = true));
for (let turn = 0; !isOver; turn += 1) {
  for (const client of clients) {
    const key = keys[turn % keys.length];
    const begun = performance.now();
    const { reason, stale, value } = client.evaluate(key, { targetingKey: `user-${turn}` }, false);
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - begun);
    counts.evaluations += 1;
    if (stale) counts.stale += 1;
    if (reason !== 'SPLIT' || typeof value !== 'boolean') counts.failed += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await ended;
// The last cut may have been a moment ago.
for (let turn = 0; turn < 900 && clients.some(({ isStale }) => isStale); turn += 1)
  await new Promise((resolve) => setTimeout(resolve, 100));
const states = clients.map(({ revision, isStale }) => ({ revision, isStale }));
await Promise.all(clients.map((client) => client.close()));
process.stdout.write(`${JSON.stringify({ counts, states })}\n`);
process.exit(0);
