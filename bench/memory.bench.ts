/**
 * Claim: 10,000 flags in each of three environments take less than 250 MB of resident memory, just after the start and after
 * 1,000 changes. Half of the flags are plain, three in ten are rolled out, two in ten have a target and a rule with two conditions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { judge, printMachine } from './harness.js';
import { BenchDatabase, BenchService } from './service.js';

const FLAGS = Number(process.env['VEXIL_BENCH_FLAGS'] ?? 10_000);
const CHANGES = Number(process.env['VEXIL_BENCH_CHANGES'] ?? 1_000);
const LIMIT_MB = 250;
/** As many people who save at the same moment. */
const AT_ONCE = 1;
const ENVIRONMENTS = ['development', 'staging', 'production'];

/** Through the service, 10,000 flags would be 10,000 changes. */
const INSERT_FLAGS = `
  INSERT INTO flags (id, key, name, description, value_type, variants, tags, client_visible)
  SELECT gen_random_uuid(), 'checkout-feature-' || n, 'Checkout feature ' || n, 'What it is for, in a sentence or two.', 'boolean',
    '[{"key":"on","value":true},{"key":"off","value":false}]', ARRAY['checkout','team-' || n % 20], n % 4 = 0
  FROM generate_series(1, ${FLAGS}) n;
  INSERT INTO flag_settings (flag_id, environment_id, is_enabled, off_variant, targets, rules, default_serve)
  SELECT f.id, e.id, true, 'off',
    CASE WHEN n % 10 >= 8 THEN jsonb_build_array(jsonb_build_object('variant', 'on', 'keys',
      jsonb_build_array('user-' || n, 'user-' || n + 1, 'user-' || n + 2))) ELSE '[]' END,
    CASE WHEN n % 10 >= 8 THEN jsonb_build_array(jsonb_build_object('id', 'r-' || n, 'name', 'Paying customers', 'conditions',
      jsonb_build_object('all', jsonb_build_array(
        jsonb_build_object('attribute', 'country', 'operator', 'in', 'values', jsonb_build_array('DE', 'AT', 'CH'), 'negate', false),
        jsonb_build_object('attribute', 'plan', 'operator', 'equals', 'values', jsonb_build_array('pro'), 'negate', false))),
      'serve', jsonb_build_object('variant', 'on'))) ELSE '[]' END,
    CASE WHEN n % 10 BETWEEN 5 AND 7 THEN jsonb_build_object('rollout', jsonb_build_object(
      'bucket_by', 'targetingKey', 'salt', f.key, 'hash_version', 'murmur3', 'coverage', 2500,
      'ranges', jsonb_build_array(jsonb_build_object('variant', 'on', 'from', 0, 'to', 10000))))
      ELSE '{"variant":"off"}' END
  FROM (SELECT id, key, substring(key from '[0-9]+$')::int AS n FROM flags) f CROSS JOIN environments e;
  UPDATE environments SET revision = revision + 1, stamp = gen_random_uuid();`;

const database = await BenchDatabase.create();
let service: BenchService | undefined;
try {
  printMachine();
  const first = await BenchService.start({ DATABASE_URL: database.url });
  const empty = first.residentMb;
  await first.stop();
  await database.query(INSERT_FLAGS);

  const starting = performance.now();
  service = await BenchService.start({ DATABASE_URL: database.url });
  await service.setUp();
  const vexil = service;
  const verify = async (key: string, environment: string): Promise<unknown> => {
    const asked = {
      environment_key: environment,
      context: { user_id: 'nobody', country: 'AT', plan: 'pro' },
    };
    return (await vexil.ask<{ reason_code: unknown }>('POST', `/evaluate/${key}`, asked)).reason_code;
  };
  for (const environment of ENVIRONMENTS) {
    const reasons = [
      await verify('checkout-feature-8', environment),
      await verify('checkout-feature-1', environment),
    ];
    if (String(reasons) !== 'TARGETING_MATCH,STATIC') throw new Error(`WRONG ANSWER: ${String(reasons)}`);
  }
  console.log(`\n${FLAGS} flags in each of ${ENVIRONMENTS.length} environments`);
  console.log(`  no flags         ${empty.toFixed(0)} MB`);
  console.log(`  started in       ${((performance.now() - starting) / 1000).toFixed(1)} s`);
  await report('loaded');

  const changing = performance.now();
  let made = 0;
  const change = async (): Promise<void> => {
    while (made < CHANGES) {
      made += 1;
      const path = `/flags/checkout-feature-${made}?environment_key=${ENVIRONMENTS[made % ENVIRONMENTS.length] ?? ''}`;
      await vexil.ask('PUT', path, { is_enabled: false });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, change));
  console.log(
    `  ${CHANGES} changes in ${((performance.now() - changing) / 1000).toFixed(1)} s, ${AT_ONCE} at once`,
  );
  await report('changed');

  async function report(when: string): Promise<void> {
    let most = vexil.residentMb;
    for (let count = 0; count < 50; count += 1) {
      await sleep(100);
      most = Math.max(most, vexil.residentMb);
    }
    const now = vexil.residentMb;
    console.log(
      `  ${when.padEnd(15)}  ${now.toFixed(0)} MB, at most ${most.toFixed(0)} MB in 5 s ${judge(now, LIMIT_MB, ' MB')}`,
    );
  }
} finally {
  await service?.stop();
  await database.drop();
}
