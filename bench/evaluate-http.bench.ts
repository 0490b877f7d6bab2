/**
 * Claim: the service answers a single flag with at least 0.85 of what a bare node:http server reaches that looks up, hashes and
 * serialises by hand, per CPU second: at most 1.18× of its CPU time. `GET /evaluate` and OFREP, each against the same by hand.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Limit } from './evaluate-http.limit.js';
import { compare, cpuSecondsOf, printMachine, type Side } from './harness.js';
import { getRequest, HttpLoad, postRequest } from './http-load.js';
import { startServer, stopServer, type Server } from './servers.js';
import { BenchService } from './service.js';

const FLAGS = 1_000;
const CONNECTIONS = 50;
const ENVIRONMENT = 'development';
const THRESHOLD = 2_500;
const REACH = 1 / 0.85;
/** For a first look: `VEXIL_BENCH_ROUNDS=3 VEXIL_BENCH_SECONDS=3`. */
const ROUNDS = Number(process.env['VEXIL_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 8);

const keys = Array.from({ length: FLAGS }, (_, index) => `checkout-feature-${index}`);
// A prime number of requests, so that the connections do not fall into step with the flags.
const asked = Array.from({ length: 4_001 }, (_, index) => ({
  key: keys[index % FLAGS] ?? '',
  user: `user-${index * 7_919}`,
}));

const evaluatePath = ({ key, user }: (typeof asked)[number]): string =>
  `/evaluate/${key}?environment_key=${ENVIRONMENT}&user_id=${user}`;
const ofrepPath = ({ key }: (typeof asked)[number]): string => `/ofrep/v1/evaluate/flags/${key}`;
const contextOf = ({ user }: (typeof asked)[number]) => ({ context: { targetingKey: user } });

let limit: Server | undefined;

async function sideOf(
  name: string,
  { pid, port }: Pick<Server, 'pid' | 'port'>,
  requests: readonly Buffer[],
): Promise<Side & { readonly load: HttpLoad }> {
  const load = await HttpLoad.open(port, CONNECTIONS, requests);
  return { name, load, run: (count) => load.run(count), cpuSeconds: () => cpuSecondsOf(pid) };
}

/** Asks both for the same, some hundred times. @returns where they differ */
async function disagreements(
  vexil: BenchService,
  byHand: Server,
  ask: (port: number, index: number) => Promise<Response>,
): Promise<string[]> {
  const wrong: string[] = [];
  for (let index = 0; index < 200; index += 1) {
    const [ours, theirs] = await Promise.all(
      [vexil.port, byHand.port].map(async (port) => (await ask(port, index)).json()),
    );
    if (!isDeepStrictEqual(ours, theirs))
      wrong.push(
        `${JSON.stringify(asked[index])}: ${JSON.stringify(ours)}, by hand ${JSON.stringify(theirs)}`,
      );
  }
  return wrong;
}

async function compareAt(
  title: string,
  vexil: BenchService,
  byHand: Server,
  requests: readonly Buffer[],
  ask: (port: number, index: number) => Promise<Response>,
): Promise<void> {
  const subject = await sideOf('Vexil', vexil, requests);
  const rival = await sideOf('node:http by hand', byHand, requests);
  await compare({
    title: `${title}, ${FLAGS} flags, ${CONNECTIONS} connections`,
    subject,
    rivals: [rival],
    verify: () => disagreements(vexil, byHand, ask),
    reach: { ratioTo: { 'node:http by hand': REACH } },
    rounds: ROUNDS,
    roundSeconds: SECONDS,
  });
  subject.load.close();
  rival.load.close();
}

const at = (index: number) => asked[index] ?? { key: '', user: '' };

printMachine();
const vexil = await BenchService.start({ DATABASE_URL: '' });
try {
  await vexil.setUp();
  const flag = { environment_key: ENVIRONMENT, is_enabled: true, flag_type: 'percentage' };
  for (const key of keys)
    await vexil.ask('POST', '/flags', { ...flag, key, name: key, rollout_percentage: THRESHOLD / 100 });
  const { revision } = await vexil.ask<{ revision: number }>('GET', evaluatePath(at(0)));
  const secret = await vexil.serverKey(ENVIRONMENT);
  const told: Limit = {
    environmentKey: ENVIRONMENT,
    revision,
    secret,
    thresholds: keys.map((key) => [key, THRESHOLD] as const),
  };
  limit = await startServer({
    args: [join(import.meta.dirname, 'evaluate-http.limit.js')],
    portIn: (said) => (said.endsWith('\n') ? Number(said) : undefined),
    input: JSON.stringify(told),
  });
  const url = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  await compareAt(
    'GET /evaluate/{flag}',
    vexil,
    limit,
    asked.map((one) => getRequest(evaluatePath(one))),
    (port, index) => fetch(url(port, evaluatePath(at(index)))),
  );
  await compareAt(
    'POST /ofrep/v1/evaluate/flags/{flag}, with a server key',
    vexil,
    limit,
    asked.map((one) => postRequest(ofrepPath(one), contextOf(one), [`X-API-Key: ${secret}`])),
    (port, index) =>
      fetch(url(port, ofrepPath(at(index))), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-API-Key': secret },
        body: JSON.stringify(contextOf(at(index))),
      }),
  );
} finally {
  if (limit) await stopServer(limit);
  await vexil.stop();
}
