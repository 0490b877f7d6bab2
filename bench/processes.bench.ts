/**
 * Claim: two processes of the service on one Postgres and one Redis take no more CPU for a request than one does, so that as many
 * cores as there are serve as many times the requests. The load generator shares the machine: on two cores it takes its part of
 * what a second process could have, so the measured throughput is printed with the most that there was to have.
 */
import { strict as assert } from 'node:assert';
import { availableParallelism } from 'node:os';
import { cpuSecondsOf, judge, printMachine } from './harness.js';
import { HttpLoad, requestsFor } from './http-load.js';
import { BenchDatabase, BenchService } from './service.js';

const FLAGS = 100;
/** For each process. */
const CONNECTIONS = 25;
const ROUNDS = Number(process.env['VEXIL_BENCH_ROUNDS'] ?? 7);
const SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 3);
/** What is called near-linear: each core more serves at least so much of what the first one does. */
const LEAST_SHARE = 0.9;

interface Round {
  readonly perSecond: number;
  /** CPU microseconds for a request, of the service and of the load generator. */
  readonly serviceUs: number;
  readonly loadUs: number;
}

const paths = Array.from(
  { length: 4_001 },
  (_, index) => `/evaluate/flag-${index % FLAGS}?environment_key=development&user_id=user-${index * 7_919}`,
);

const database = await BenchDatabase.create();
const services: BenchService[] = [];
const loads: HttpLoad[] = [];
try {
  printMachine();
  const env = { DATABASE_URL: database.url, REDIS_URL: process.env['REDIS_URL'] ?? '' };
  const first = await BenchService.start(env);
  services.push(first);
  await first.setUp();
  for (let index = 0; index < FLAGS; index += 1) {
    const flag = { key: `flag-${index}`, name: 'x', environment_key: 'development', is_enabled: true };
    await first.ask('POST', '/flags', { ...flag, flag_type: 'percentage', rollout_percentage: 25 });
  }
  services.push(await BenchService.start(env));
  for (const path of paths.slice(0, 100)) {
    const [one, other] = await Promise.all(services.map((service) => service.ask('GET', path)));
    assert.deepEqual(one, other, `WRONG ANSWER: ${path}`);
  }

  for (const { port } of services) loads.push(await HttpLoad.open(port, CONNECTIONS, requestsFor(paths)));
  console.log(
    `\nGET /evaluate/{flag}, ${FLAGS} flags, ${CONNECTIONS} connections for each process, Postgres${env.REDIS_URL ? ' and Redis' : ', no Redis'}`,
  );
  const rounds: Round[][] = [[], []];
  for (const count of [1, 2]) await measure(count, 1);
  for (let round = 0; round < ROUNDS; round += 1)
    for (const count of round % 2 === 0 ? [1, 2] : [2, 1])
      rounds[count - 1]!.push(await measure(count, SECONDS));
  print(rounds[0]!, rounds[1]!);
} finally {
  for (const load of loads) load.close();
  for (const service of services.reverse()) await service.stop();
  await database.drop();
}

async function measure(count: number, seconds: number): Promise<Round> {
  const busy = services.slice(0, count);
  const cpu = () => busy.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
  const [cpuBefore, own, startedAt] = [cpu(), process.cpuUsage(), performance.now()];
  const asked = await Promise.all(loads.slice(0, count).map((load) => load.runFor(seconds * 1000)));
  const requests = asked.reduce((sum, each) => sum + each, 0);
  const { user, system } = process.cpuUsage(own);
  return {
    perSecond: (requests / (performance.now() - startedAt)) * 1000,
    serviceUs: ((cpu() - cpuBefore) * 1e6) / requests,
    loadUs: (user + system) / requests,
  };
}

function print(one: readonly Round[], two: readonly Round[]): void {
  const cores = availableParallelism();
  for (const [name, rounds] of [
    ['one process', one],
    ['two processes', two],
  ] as const) {
    const [service, load] = [
      median(rounds.map(({ serviceUs }) => serviceUs)),
      median(rounds.map(({ loadUs }) => loadUs)),
    ];
    console.log(
      `  ${name.padEnd(13)}  CPU ${service.toFixed(1)} µs for a request, the load ${load.toFixed(1)} µs · ${Math.round(median(rounds.map(({ perSecond }) => perSecond)))} requests per second`,
    );
  }
  const share = median(one.map(({ serviceUs }, round) => serviceUs / two[round]!.serviceUs));
  const measured = median(one.map(({ perSecond }, round) => two[round]!.perSecond / perSecond));
  // Whoever generates the load needs CPU for each request as well, and there are only so many cores.
  const most = median(
    one.map(({ serviceUs, loadUs, perSecond }) => (cores * 1e6) / (serviceUs + loadUs) / perSecond),
  );
  console.log(
    `  a core with the second process serves ${(100 * share).toFixed(0)} % of what it does with one ${judge(-100 * share, -100 * LEAST_SHARE, ' %').replaceAll('-', '')}`,
  );
  console.log(
    `  so ${(2 * share).toFixed(2)}× on cores of their own; measured ${measured.toFixed(2)}× of at most ${Math.min(2, most).toFixed(2)}× beside the load on ${cores} cores`,
  );
  console.log(`  median of ${ROUNDS} alternating rounds of ${SECONDS} s`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
