/**
 * Claim: all flags of one user over OFREP take a tenth of the CPU time of unleash-server's `/api/frontend` at 1 and 100 flags, a
 * fifth at 1,000, a seventh at 5,000, an eighth at 100 flags with 20 constraints each; and the cost grows with the flags asked for.
 * Needs `DATABASE_URL`: both sides get databases of their own on that server. Both run on the same Node, 22 or later.
 */
import { compare, cpuSecondsOf, printMachine, type Side } from './harness.js';
import { getRequest, HttpLoad, postRequest } from './http-load.js';
import {
  prepareUnleash,
  startUnleash,
  unleashHeaders,
  unleashTitle,
  type UnleashFlags,
} from './rivals/unleash-server.js';
import { stopServer, type Server } from './servers.js';
import { BenchDatabase, BenchService } from './service.js';

const CONNECTIONS = 20;
const ROUNDS = Number(process.env['VEXIL_BENCH_ROUNDS'] ?? 5);
const SECONDS = Number(process.env['VEXIL_BENCH_SECONDS'] ?? 5);
const ROLLOUT = 50;
const BULK = '/ofrep/v1/evaluate/flags';

/** How many flags, conditions of each, and the share of Unleash's time to stay within. */
const CASES = [
  { flags: 1, conditions: 0, reach: 10 },
  { flags: 100, conditions: 0, reach: 10 },
  { flags: 1_000, conditions: 0, reach: 5 },
  { flags: 5_000, conditions: 0, reach: 7 },
  { flags: 100, conditions: 20, reach: 8 },
] as const;

const users = Array.from({ length: 997 }, (_, index) => `user-${index * 7_919}`);
const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `checkout-feature-${index}`);

/** True for everybody who asks here, so that each of them is looked at. */
const wantedPlans = (at: number): string[] => ['pro', `plan-${at}`];

/** Made by the service once, and copied in the database: to make thousands one by one takes minutes. */
async function prepare(database: BenchDatabase, flags: number, conditions: number): Promise<string> {
  const vexil = await BenchService.start({ DATABASE_URL: database.url });
  await vexil.setUp();
  const first = keysOf(1)[0] ?? '';
  const all = Array.from({ length: conditions }, (_, at) => ({
    attribute: 'plan',
    operator: 'in',
    values: wantedPlans(at),
  }));
  await vexil.ask('POST', '/flags', {
    key: first,
    name: first,
    environment_key: 'development',
    is_enabled: true,
    ...(conditions === 0
      ? { flag_type: 'percentage', rollout_percentage: ROLLOUT }
      : {
          rules: [
            { id: 'all', name: 'all', conditions: { all }, serve: { rollout: { percentage: ROLLOUT } } },
          ],
          default_serve: { variant: 'off' },
        }),
  });
  const secret = await vexil.serverKey('development');
  await vexil.stop();
  const { columns: ofFlags } = await columnsOf(database, 'flags', ['id', 'key', 'name']);
  const { columns: ofSettings } = await columnsOf(database, 'flag_settings', [
    'flag_id',
    'default_serve',
    'rules',
    'rule_rollouts',
  ]);
  await database.query(
    `INSERT INTO flags (id, key, name, ${ofFlags})
     SELECT gen_random_uuid(), 'checkout-feature-' || n, 'checkout-feature-' || n, ${ofFlags}
     FROM flags, generate_series(1, $1::int) n WHERE key = $2`,
    [flags - 1, first],
  );
  const renamed = (column: string) => `replace(s.${column}::text, $1, f.key)::jsonb`;
  await database.query(
    `INSERT INTO flag_settings (flag_id, default_serve, rules, rule_rollouts, ${ofSettings})
     SELECT f.id, ${renamed('default_serve')}, ${renamed('rules')}, ${renamed('rule_rollouts')}, ${ofSettings
       .split(', ')
       .map((column) => `s.${column}`)
       .join(', ')}
     FROM flag_settings s JOIN flags o ON o.id = s.flag_id AND o.key = $1, flags f WHERE f.key <> $1`,
    [first],
  );
  await database.query(`UPDATE environments SET revision = revision + 1 WHERE key = 'development'`);
  return secret;
}

async function columnsOf(database: BenchDatabase, table: string, without: readonly string[]) {
  const rows = await database.query(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1 AND table_schema = 'public' AND is_generated = 'NEVER'`,
    [table],
  );
  const names = rows.map((row) => String(row['name'])).filter((name) => !without.includes(name));
  return { columns: names.map((name) => `"${name}"`).join(', ') };
}

async function sideOf(
  name: string,
  { pid, port }: Pick<Server, 'pid' | 'port'>,
  requests: readonly Buffer[],
) {
  const load = await HttpLoad.open(port, CONNECTIONS, requests);
  const side: Side = { name, run: (count) => load.run(count), cpuSeconds: () => cpuSecondsOf(pid) };
  return { side, load };
}

/** Whether Vexil answers about all flags, and Unleash about those that are on: about half of them. */
async function flaws(vexil: BenchService, secret: string, unleash: Server, flags: number): Promise<string[]> {
  const wrong: string[] = [];
  let [told, on] = [0, 0];
  for (const user of users.slice(0, 20)) {
    const ours = await fetch(`http://127.0.0.1:${vexil.port}${BULK}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-API-Key': secret },
      body: JSON.stringify(contextOf(user)),
    });
    const { flags: answers } = (await ours.json()) as { flags: { value?: unknown }[] };
    if (answers.length !== flags) wrong.push(`${user}: Vexil answers about ${answers.length} flags`);
    on += answers.filter(({ value }) => value === true).length;
    const theirs = await fetch(`http://127.0.0.1:${unleash.port}${frontendPath(user)}`, {
      headers: { Authorization: (unleashHeaders[0] ?? '').slice('Authorization: '.length) },
    });
    told += ((await theirs.json()) as { toggles: unknown[] }).toggles.length;
  }
  for (const [name, count] of [
    ['Vexil', on],
    ['Unleash', told],
  ] as const) {
    const share = count / (20 * flags);
    if (flags >= 100 && Math.abs(share - ROLLOUT / 100) > 0.1)
      wrong.push(`${name} has ${(share * 100).toFixed(0)} % of the flags on`);
  }
  return wrong;
}

const contextOf = (user: string) => ({ context: { targetingKey: user, plan: 'pro' } });
const frontendPath = (user: string): string => `/api/frontend?userId=${user}&properties[plan]=pro&plan=pro`;

printMachine();
const node = prepareUnleash();
for (const { flags, conditions, reach } of CASES) {
  const [ours, theirs] = [await BenchDatabase.create(), await BenchDatabase.create()];
  let vexil: BenchService | undefined;
  let unleash: Server | undefined;
  try {
    const secret = await prepare(ours, flags, conditions);
    const subject = (vexil = await BenchService.start({ DATABASE_URL: ours.url }, node));
    const constraints: UnleashFlags['constraints'] = Array.from({ length: conditions }, (_, at) => ({
      contextName: 'plan',
      operator: 'IN',
      values: wantedPlans(at),
      inverted: false,
      caseInsensitive: false,
    }));
    unleash = await startUnleash(node, theirs.url, {
      keys: keysOf(flags),
      rollout: flags === 1 ? 100 : ROLLOUT,
      constraints,
    });
    const rival = unleash;
    const mine = await sideOf(
      `Vexil, ${BULK}`,
      subject,
      users.map((user) => postRequest(BULK, contextOf(user), [`X-API-Key: ${secret}`])),
    );
    const other = await sideOf(
      unleashTitle,
      rival,
      users.map((user) => getRequest(frontendPath(user), unleashHeaders)),
    );
    await compare({
      title: `all flags of one user: ${flags}${conditions === 0 ? '' : ` with ${conditions} conditions each`}, Node ${node === process.execPath ? process.version : '24'}`,
      subject: mine.side,
      rivals: [other.side],
      verify: () => flaws(subject, secret, rival, flags),
      reach: { ratioTo: { [unleashTitle]: 1 / reach } },
      rounds: ROUNDS,
      roundSeconds: SECONDS,
    });
    mine.load.close();
    other.load.close();
  } finally {
    if (unleash) await stopServer(unleash);
    await vexil?.stop();
    await ours.drop();
    await theirs.drop();
  }
}
