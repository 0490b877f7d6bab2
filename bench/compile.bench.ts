/**
 * Claim: 10,000 flags with 5 rules each compile in under 1 s into less than 100 MB. The heap is measured with --expose-gc, which
 * the runner gives.
 */
import { compile, type CompiledSnapshot, evaluate } from '../src/core/index.js';
import { compare, judge, printMachine } from './harness.js';
import { booleanFlag, conditionOf, rolloutOf, snapshotOf } from './snapshots.js';

const MANY = 10_000;
const RULES = 5;

const many = snapshotOf(
  Array.from({ length: MANY }, (_, index) =>
    booleanFlag(`flag-${index}`, {
      rules: Array.from({ length: RULES }, (__, rule) => ({
        id: `rule-${rule}`,
        conditions: {
          all: [
            conditionOf('country', 'in', ['NL', 'BE', 'LU', `X${index}`]),
            conditionOf('appVersion', 'semver_gte', [`${rule}.${index % 100}.0`]),
            conditionOf('email', 'ends_with', [`@${index}.example.org`]),
          ],
        },
        serve: rolloutOf(`flag-${index}`, 2_500, { on: 6_000, off: 4_000 }),
      })),
    }),
  ),
);

let kept: CompiledSnapshot | undefined;

function wrong(): string[] {
  const compiled = compile(many);
  const context = { targetingKey: 'alice', country: 'X7', appVersion: '4.7.0', email: 'a@7.example.org' };
  const { ruleId } = evaluate(compiled, 'flag-7', context);
  return [...compiled.unreadable, ...(ruleId === 'rule-0' ? [] : [`flag-7 is served by ${String(ruleId)}`])];
}

printMachine();
await compare({
  title: `Compiling ${MANY} flags with ${RULES} rules of three conditions each`,
  subject: {
    name: 'Vexil compile',
    run(operations) {
      for (let at = 0; at < operations; at += 1) kept = compile(many);
      return kept;
    },
  },
  verify: wrong,
  reach: { cpuNs: 1e9 },
  operations: 1,
  rounds: 7,
});

const collectGarbage = (globalThis as { gc?: () => void }).gc;
if (collectGarbage) {
  kept = undefined;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  kept = compile(many);
  collectGarbage();
  const used = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  console.log(
    `  ${kept.flags.size} compiled flags keep ${used.toFixed(0)} MB beside what was parsed ${judge(used, 100, ' MB')}`,
  );
}
