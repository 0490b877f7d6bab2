/**
 * Load on a running service with autocannon, which this fetches into .cache when it is not there:
 * `node bench/load/autocannon.mjs --url http://localhost:8000 --flag new-checkout`. README.md beside it has all settings.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const VERSION = '8.0.0';
const HELP = `node bench/load/autocannon.mjs [settings]
  --url          of the service                                   http://localhost:8000
  --flag         that is asked for                                new-checkout
  --environment  in which                                         production
  --key          of the environment, server or client             none
  --users        how many different ones ask                      10000
  --connections  with one request under way each                  50
  --rate         requests per second at the most; 0: no limit     0
  --seconds      how long, after a warm-up of a tenth of it        30
  --p99          milliseconds; more of it ends with 1; 0: any      0`;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8000' },
    flag: { type: 'string', default: 'new-checkout' },
    environment: { type: 'string', default: 'production' },
    key: { type: 'string', default: '' },
    users: { type: 'string', default: '10000' },
    connections: { type: 'string', default: '50' },
    rate: { type: 'string', default: '0' },
    seconds: { type: 'string', default: '30' },
    p99: { type: 'string', default: '0' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const whole = (name, least) => {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least) return number;
  console.error(`--${name} must be a whole number of ${least} or more, not '${values[name]}'.\n\n${HELP}`);
  process.exit(2);
};
const [users, connections, rate, seconds, mostP99] = [
  whole('users', 1),
  whole('connections', 1),
  whole('rate', 0),
  whole('seconds', 1),
  whole('p99', 0),
];

const headers = values.key === '' ? {} : { 'x-api-key': values.key };
const path = `/evaluate/${encodeURIComponent(values.flag)}?environment_key=${encodeURIComponent(values.environment)}&user_id=`;

await askOnce();
const autocannon = await fetched();
await load(Math.max(1, Math.round(seconds / 10)));
report(await load(seconds));

/** A load of refusals says nothing. */
async function askOnce() {
  const answer = await fetch(`${values.url}${path}user-0`, { headers }).catch((error) => {
    console.error(`${values.url} does not answer: ${error.cause?.message ?? error.message}`);
    process.exit(1);
  });
  const body = await answer.json().catch(() => ({}));
  if (answer.status === 200 && body.error_code === undefined) return;
  console.error(`${answer.status} ${body.detail ?? body.reason ?? ''}`);
  process.exit(1);
}

async function fetched() {
  const folder = join(import.meta.dirname, '..', '..', '.cache', 'autocannon');
  const entry = join(folder, 'node_modules', 'autocannon', 'autocannon.js');
  if (!existsSync(entry)) {
    console.log(`Fetching autocannon ${VERSION} into .cache …`);
    const args = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
    const { status } = spawnSync('npm', [...args, `autocannon@${VERSION}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
    if (status !== 0 || !existsSync(entry)) {
      console.error('autocannon could not be fetched.');
      process.exit(1);
    }
  }
  return (await import(pathToFileURL(entry).href)).default;
}

function load(duration) {
  let asked = 0;
  const next = (request) => ({ ...request, path: `${path}user-${(asked += 7919) % users}` });
  return autocannon({
    url: values.url,
    connections,
    duration,
    headers,
    requests: [{ method: 'GET', path: `${path}user-0`, setupRequest: next }],
    ...(rate === 0 ? {} : { overallRate: rate }),
  });
}

function report({ requests, latency, non2xx, errors, timeouts, duration }) {
  const failed = non2xx + errors + timeouts;
  console.log(`${values.url}${path}…`);
  console.log(`  ${connections} connections, ${duration.toFixed(0)} s, ${users} users`);
  console.log(
    `  ${requests.total} answers, ${Math.round(requests.total / duration)} per second, ${failed} failed`,
  );
  console.log(
    `  p50 ${latency.p50} ms, p90 ${latency.p90} ms, p99 ${latency.p99} ms, longest ${latency.max} ms`,
  );
  if (failed > 0) process.exitCode = 1;
  if (mostP99 > 0 && latency.p99 > mostP99) {
    console.log(`  MISSED: p99 of ${mostP99} ms`);
    process.exitCode = 1;
  }
}
