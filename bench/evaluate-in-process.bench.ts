/**
 * Claims, among 1,000 flags: a static one is answered in under 100 ns; one with a rollout within 1.5× of a line by hand, and at
 * least 4× as fast as by the best rival (2.5× on Node 24); one with five conditions and a rollout in under 600 ns; each row
 * faster than by any rival.
 */
import { type CompiledSnapshot, compile, evaluate, evaluateAll } from '../src/core/index.js';
import { compare, printMachine, type Side } from './harness.js';
import { loadRivals, wrongAnswers } from './rivals/load-rivals.js';
import { booleanFlag, compiledRow, rolloutOf, snapshotOf } from './snapshots.js';
import {
  askedKeys,
  FLAGS,
  flagKeys,
  isOnByHand,
  outsiders,
  people,
  type Row,
  USERS,
  WANTED,
} from './workloads.js';

/** Another of the people each time, another flag each time. */
const asking = (snapshot: CompiledSnapshot): Side => ({
  name: 'Vexil evaluate',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (evaluate(snapshot, askedKeys[at % FLAGS]!, people[at % USERS]!).value === true) on += 1;
    }
    return on;
  },
});

const lookUpByHand: Side = {
  name: 'by hand: Map look-up',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) if (everyKey.get(askedKeys[at % FLAGS]!) === true) on += 1;
    return on;
  },
};
const everyKey = new Map(flagKeys.map((key) => [key, true]));

const rolloutByHand: Side = {
  name: 'by hand: Map look-up, murmur3 of the whole key, compare',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (isOnByHand(people[at % USERS]!.targetingKey, askedKeys[at % FLAGS]!)) on += 1;
    }
    return on;
  },
};

const targetedByHand: Side = {
  name: 'by hand: five conditions in a row, Map look-up, murmur3, compare',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      const { country, plan, age, appVersion, email, targetingKey } = people[at % USERS]!;
      const [major, minor] = appVersion.split('.').map(Number);
      if (
        (WANTED.countries as readonly string[]).includes(country) &&
        plan === WANTED.plan &&
        age >= WANTED.age &&
        (major! > 2 || (major === 2 && minor! >= 3)) &&
        !email.endsWith(WANTED.email) &&
        isOnByHand(targetingKey, askedKeys[at % FLAGS]!)
      )
        on += 1;
    }
    return on;
  },
};

const compiled = {
  static: compiledRow('static'),
  rollout: compiledRow('rollout'),
  targeted: compiledRow('targeted'),
};

function disagreements(row: 'rollout' | 'targeted'): string[] {
  const wrong: string[] = [];
  for (const person of people) {
    for (const key of askedKeys.filter((_, index) => index % 10 === 0)) {
      const decision = evaluate(compiled[row], key, person);
      if (decision.reason !== 'SPLIT' || decision.value !== isOnByHand(person.targetingKey, key))
        wrong.push(`${person.targetingKey} ${key}: ${JSON.stringify(decision)}`);
    }
  }
  return wrong;
}

function notTrue(snapshot: CompiledSnapshot): string[] {
  const wrong = askedKeys.filter((key) => evaluate(snapshot, key, people[0]!).value !== true);
  return wrong.map((key) => `${key} is not on`);
}

function outsidersInside(): string[] {
  return outsiders.flatMap((outsider, index) =>
    askedKeys
      .filter((key) => evaluate(compiled.targeted, key, outsider).reason !== 'DEFAULT')
      .map((key) => `condition ${index} of ${key} is passed over`),
  );
}

const rivals = await loadRivals();
const wrongOf = async (row: Row): Promise<string[]> =>
  (await Promise.all(rivals.map((rival) => wrongAnswers(rival, row)))).flat();
const best = (ratio: number) => ({ names: rivals.map(({ name }) => name), ratio });
const major = Number(process.versions.node.split('.')[0]);

printMachine();

await compare({
  title: `One static flag of ${FLAGS}`,
  subject: asking(compiled.static),
  rivals: [lookUpByHand, ...rivals.map((rival) => rival.asking('static'))],
  verify: async () => [...notTrue(compiled.static), ...(await wrongOf('static'))],
  reach: { cpuNs: 100, ratioToBestOf: best(1) },
});

await compare({
  title: `One rollout flag of ${FLAGS} (25 %), another user each time`,
  subject: asking(compiled.rollout),
  rivals: [rolloutByHand, ...rivals.map((rival) => rival.asking('rollout'))],
  verify: async () => [...disagreements('rollout'), ...(await wrongOf('rollout'))],
  reach: { ratioTo: { [rolloutByHand.name]: 1.5 }, ratioToBestOf: best(major >= 24 ? 1 / 2.5 : 1 / 4) },
});

await compare({
  title: `One flag of ${FLAGS} with five conditions and a 25 % rollout`,
  subject: asking(compiled.targeted),
  rivals: [targetedByHand, ...rivals.map((rival) => rival.asking('targeted'))],
  verify: async () => [...disagreements('targeted'), ...outsidersInside(), ...(await wrongOf('targeted'))],
  reach: { cpuNs: 600, ratioToBestOf: best(1) },
});
for (const rival of rivals) await rival.close();

const full = compile(
  snapshotOf(
    flagKeys.map((key) => booleanFlag(key, { default_serve: rolloutOf(key, 10_000, { on: 10_000 }) })),
  ),
);
await compare({
  title: `One rollout flag of ${FLAGS} at 100 %: the bucket is told though it does not decide`,
  subject: asking(full),
  rivals: [rolloutByHand],
  verify: () => notTrue(full),
});

const split = compile(
  snapshotOf(
    flagKeys.map((key) =>
      booleanFlag(key, { default_serve: rolloutOf(key, 10_000, { on: 6_000, off: 4_000 }) }),
    ),
  ),
);
await compare({
  title: `One split of two variants among ${FLAGS}: two hashes`,
  subject: asking(split),
  rivals: [rolloutByHand],
  verify: () => {
    const share = people.filter((person) => evaluate(split, askedKeys[0]!, person).value === true).length;
    return Math.abs(share / USERS - 0.6) < 0.06 ? [] : [`${share} of ${USERS} are in the 60 % share`];
  },
});

await compare({
  title: `All ${FLAGS} rollout flags for one user, per flag`,
  subject: {
    name: 'Vexil evaluateAll',
    run(operations) {
      let on = 0;
      for (let at = 0; at < operations; at += FLAGS) {
        for (const { value } of evaluateAll(compiled.rollout, people[(at / FLAGS) % USERS]!))
          if (value === true) on += 1;
      }
      return on;
    },
  },
  rivals: [
    {
      name: 'by hand: the same, in a loop',
      run(operations) {
        let on = 0;
        for (let at = 0; at < operations; at += FLAGS) {
          const { targetingKey } = people[(at / FLAGS) % USERS]!;
          for (const key of askedKeys) if (isOnByHand(targetingKey, key)) on += 1;
        }
        return on;
      },
    },
  ],
  operations: 1_000 * FLAGS,
  verify: () => disagreements('rollout'),
});
