/**
 * Claim: at 70 % of what one process can do, the p99 of an evaluation over HTTP is under five times its p50. Requests arrive at a constant
 * rate whether or not earlier ones are answered, and each latency counts from the moment its request was due: a server that stalls
 * does not slow down those who measure it (no coordinated omission). The limit server, bare node:http, stands beside it.
 */
import { join } from 'node:path';
import type { Limit } from './evaluate-http.limit.js';
import { cpuSecondsOf, judge, machineCpuSeconds, printMachine } from './harness.js';
import { HttpLoad, requestsFor } from './http-load.js';
import { OpenLoop } from './open-loop.js';
import { startServer, stopServer, type Server } from './servers.js';
import { BenchDatabase, BenchService } from './service.js';

const FLAGS = 100;
const CONNECTIONS = 50;
const LOAD = 0.7;
const LIMIT = 5;
/** Who keeps up has answered everything so soon after the last request was due. */
const MOST_LATE_MS = 50;
/** Of a core, by all but the server and the load: beyond it latencies tell of what else the machine does. */
const MOST_TAKEN = 0.1;
/** A shared machine may become slower within a round, and 70 % of what it could do may be all it can do then. */
const MOST_SLOWER = 0.1;
const ROUNDS = Number(process.env['VEXIL_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 5);

const paths = Array.from(
  { length: 4_001 },
  (_, index) => `/evaluate/flag-${index % FLAGS}?environment_key=development&user_id=user-${index * 7_919}`,
);

type Asked = Pick<Server, 'pid' | 'port'>;

interface Side {
  readonly name: string;
  readonly server: Asked;
  readonly closed: HttpLoad;
  readonly open: OpenLoop;
  readonly ratios: number[];
}

async function sideOf(name: string, server: Asked): Promise<Side> {
  const closed = await HttpLoad.open(server.port, CONNECTIONS, requestsFor(paths));
  const open = await OpenLoop.open(server.port, CONNECTIONS, paths);
  await closed.runFor(3_000);
  return { name, server, closed, open, ratios: [] };
}

async function measure({ name, server, closed, open, ratios }: Side): Promise<void> {
  const capacityNow = async () => (await closed.runFor(1_500)) / 1.5;
  const takenByOthers = () => machineCpuSeconds() - cpuSecondsOf(server.pid) - cpuSecondsOf(process.pid);
  const capacity = await capacityNow();
  const takenBefore = takenByOthers();
  const { latencies, lateMs } = await open.run(LOAD * capacity, SECONDS * 1000);
  const taken = (takenByOthers() - takenBefore) / (SECONDS + lateMs / 1000);
  const slower = 1 - (await capacityNow()) / capacity;
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]!;
  const shown = [0.5, 0.9, 0.99, 0.999].map((share) => `p${100 * share} ${at(share).toFixed(2)} ms`);
  const ratio = at(0.99) / at(0.5);
  // A queue that only grows makes all latencies alike, and would look well.
  const why = [
    lateMs > MOST_LATE_MS ? `answers ended ${lateMs.toFixed(0)} ms late` : '',
    taken > MOST_TAKEN ? `others took ${(100 * taken).toFixed(0)} % of a core` : '',
    slower > MOST_SLOWER ? `the machine became ${(100 * slower).toFixed(0)} % slower` : '',
  ].filter((reason) => reason !== '');
  if (why.length === 0) ratios.push(ratio);
  const rate = `${Math.round(LOAD * capacity)} of ${Math.round(capacity)} requests per second`;
  console.log(
    `  ${name.padEnd(18)} ${rate} · ${shown.join(' · ')} · p99/p50 ${ratio.toFixed(1)}${why.length > 0 ? ` · does not count: ${why.join(', ')}` : ''}`,
  );
}

const database = await BenchDatabase.create();
let service: BenchService | undefined;
let limit: Server | undefined;
try {
  printMachine();
  service = await BenchService.start({
    DATABASE_URL: database.url,
    REDIS_URL: process.env['REDIS_URL'] ?? '',
  });
  await service.setUp();
  for (let index = 0; index < FLAGS; index += 1) {
    const flag = { key: `flag-${index}`, name: 'x', environment_key: 'development', is_enabled: true };
    await service.ask('POST', '/flags', { ...flag, flag_type: 'percentage', rollout_percentage: 25 });
  }
  const asked = await service.ask<{ reason_code: string }>('GET', paths[0]!);
  if (asked.reason_code !== 'SPLIT') throw new Error(`WRONG ANSWER: ${JSON.stringify(asked)}`);
  const told: Limit = {
    environmentKey: 'development',
    revision: 1,
    secret: '',
    thresholds: Array.from({ length: FLAGS }, (_, index) => [`flag-${index}`, 2_500] as const),
  };
  limit = await startServer({
    args: [join(import.meta.dirname, 'evaluate-http.limit.js')],
    portIn: (said) => (said.endsWith('\n') ? Number(said) : undefined),
    input: JSON.stringify(told),
  });

  console.log(
    `\nGET /evaluate/{flag} at ${100 * LOAD} % of capacity, one process, ${FLAGS} flags, ${CONNECTIONS} connections`,
  );
  const sides = [await sideOf('Vexil', service), await sideOf('node:http by hand', limit)];
  for (let tried = 0; sides.some(({ ratios }) => ratios.length < ROUNDS) && tried < 3 * ROUNDS; tried += 1)
    for (const side of sides) await measure(side);
  for (const { name, closed, open, ratios } of sides) {
    closed.close();
    open.close();
    const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)];
    if (median === undefined) throw new Error('The machine was too busy for a single round.');
    const reach = name === 'Vexil' ? ` ${judge(median, LIMIT, '×')}` : '';
    console.log(
      `  ${name}: p99 is ${median.toFixed(1)}× p50 (median of ${ratios.length} rounds of ${SECONDS} s)${reach}`,
    );
  }
} finally {
  if (limit) await stopServer(limit);
  await service?.stop();
  await database.drop();
}
