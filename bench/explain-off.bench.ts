/**
 * Claim: `explain` costs nothing while nobody asks for it. The evaluator is held against one without any line for it, on flags with
 * five conditions and a rollout, and on flags with a prerequisite, targets and nested groups: in a process that never explained,
 * and in one that has, because what the compiler learnt from traced calls stays with it.
 */
import { compile, evaluate, explain } from '../src/core/index.js';
import { evaluateWithoutTrace } from './evaluate-without-trace.js';
import { compare, printMachine, type Side } from './harness.js';
import { booleanFlag, compiledRow, conditionOf, rolloutOf, snapshotOf } from './snapshots.js';
import { askedKeys, FLAGS, flagKeys, outsiders, people, ROLLOUT, USERS } from './workloads.js';

const nested = compile(
  snapshotOf([
    booleanFlag('base', { rules: [{ id: 'r', conditions: { all: [] }, serve: { variant: 'on' } }] }),
    ...flagKeys.map((key) =>
      booleanFlag(key, {
        prerequisites: [{ flag_key: 'base', variants: ['on'] }],
        targets: [{ variant: 'on', keys: ['somebody', 'else'] }],
        rules: [
          {
            id: 'nobody',
            conditions: {
              any: [
                { not: { any: [conditionOf('plan', 'equals', ['pro'])] } },
                { all: [conditionOf('age', 'gt', [200]), conditionOf('country', 'in', ['NL'])] },
              ],
            },
            serve: { variant: 'on' },
          },
          {
            id: 'everybody',
            conditions: {
              all: [{ any: [conditionOf('age', 'lt', [0]), conditionOf('email', 'is_set', [])] }],
            },
            serve: rolloutOf(key, ROLLOUT * 100, { on: 10_000 }),
          },
        ],
      }),
    ),
  ]),
);
const snapshots = {
  'five conditions and a rollout': compiledRow('targeted'),
  'prerequisite, targets and nested groups': nested,
};
type Kind = keyof typeof snapshots;

const KINDS = Object.keys(snapshots) as Kind[];

/** A loop of its own for each kind, so that one knows nothing of the other. */
const asEver = (kind: Kind): Side => ({
  name: 'Vexil evaluate',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (evaluate(snapshots[kind], askedKeys[at % FLAGS]!, people[at % USERS]!).value === true) on += 1;
    }
    return on;
  },
});

const withoutTrace = (kind: Kind): Side => ({
  name: 'without a line for traces',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (evaluateWithoutTrace(snapshots[kind], askedKeys[at % FLAGS]!, people[at % USERS]!).value === true)
        on += 1;
    }
    return on;
  },
});

const explaining = (kind: Kind): Side => ({
  name: 'Vexil explain (for comparison)',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (explain(snapshots[kind], askedKeys[at % FLAGS]!, people[at % USERS]!).decision.value === true)
        on += 1;
    }
    return on;
  },
});

function disagreements(kind: Kind): string[] {
  return [...people, ...outsiders].flatMap((person, index) => {
    const key = askedKeys[index % FLAGS]!;
    const one = JSON.stringify(evaluate(snapshots[kind], key, person));
    const other = JSON.stringify(evaluateWithoutTrace(snapshots[kind], key, person));
    return one === other ? [] : [`${key}: ${one} and ${other}`];
  });
}

async function hold(when: string, others: (kind: Kind) => Side[]): Promise<void> {
  for (const kind of KINDS) {
    await compare({
      title: `${kind}, ${when}`,
      subject: asEver(kind),
      rivals: [withoutTrace(kind), ...others(kind)],
      verify: () => disagreements(kind),
      // What two runs of the same code differ by on a quiet machine.
      reach: { ratioTo: { [withoutTrace(kind).name]: 1.05 } },
      rounds: 25,
    });
  }
}

printMachine();
await hold('before anything was explained', () => []);
await hold('while others are explained', (kind) => [explaining(kind)]);
