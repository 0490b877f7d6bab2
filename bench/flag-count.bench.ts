/**
 * Claim: what a flag costs does not depend on how many there are. Ten flags are asked in snapshots of 10, 1,000 and 10,000. All
 * flags in turn cost what the processor takes to fetch ever more of them from memory, ours as well as a line by hand.
 */
import { evaluate, evaluateAll } from '../src/core/index.js';
import { compare, printMachine, type Side } from './harness.js';
import { murmur3OfAscii } from './by-hand.js';
import { compiledRow } from './snapshots.js';
import { people, ROLLOUT, USERS } from './workloads.js';

const COUNTS = [10, 1_000, 10_000] as const;
const FEW = 10;

const sizes = COUNTS.map((count) => {
  const keys = Array.from({ length: count }, (_, index) => `feature-${index}`);
  return {
    count,
    snapshot: compiledRow('rollout', keys),
    thresholds: new Map(keys.map((key) => [key, ROLLOUT * 100])),
    // Strings of their own, as a caller's are.
    asked: keys.map((_, index) => ['feature', index].join('-')),
  };
});
type Size = (typeof sizes)[number];

/** Asks the first flags in turn, another of the people each time. */
const askingFirst = ({ count, snapshot, asked }: Size, first: number): Side => {
  const keys = asked.slice(0, first);
  return {
    name: `Vexil evaluate, ${count} flags`,
    run(operations) {
      let on = 0;
      for (let at = 0; at < operations; at += 1) {
        if (evaluate(snapshot, keys[at % first]!, people[at % USERS]!).value === true) on += 1;
      }
      return on;
    },
  };
};

const isOnByHand = ({ thresholds }: Size, user: string, key: string): boolean => {
  const threshold = thresholds.get(key);
  return threshold !== undefined && murmur3OfAscii(`${user}:${key}`) % 10_000 < threshold;
};

const byHand = (size: Size): Side => ({
  name: `by hand, ${size.count} flags`,
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (isOnByHand(size, people[at % USERS]!.targetingKey, size.asked[at % size.count]!)) on += 1;
    }
    return on;
  },
});

const disagreements = (): string[] =>
  sizes.flatMap((size) =>
    people.flatMap(({ targetingKey }, index) => {
      const key = size.asked[index % size.count]!;
      const { value } = evaluate(size.snapshot, key, { targetingKey });
      return value === isOnByHand(size, targetingKey, key) ? [] : [`${targetingKey} ${key}`];
    }),
  );

const [few, more, most] = sizes as [Size, Size, Size];

printMachine();

await compare({
  title: `The same ${FEW} rollout flags, among ever more`,
  subject: askingFirst(most, FEW),
  rivals: [askingFirst(few, FEW), askingFirst(more, FEW)],
  verify: disagreements,
  // What the machine itself varies by.
  reach: { ratioTo: { [askingFirst(few, FEW).name]: 1.2 } },
});

for (const size of sizes) {
  await compare({
    title: `Another rollout flag of ${size.count} each time`,
    subject: askingFirst(size, size.count),
    rivals: [byHand(size)],
    verify: disagreements,
  });
}

const everything = ({ count, snapshot }: Size): Side => ({
  name: `Vexil evaluateAll, ${count} flags`,
  run(operations) {
    let decisions = 0;
    for (let at = 0; decisions < operations; at += 1) {
      decisions += evaluateAll(snapshot, people[at % USERS]!).length;
    }
    return decisions;
  },
});
await compare({
  title: 'All rollout flags of a snapshot for one user, per flag',
  subject: everything(most),
  rivals: [everything(few), everything(more)],
  verify: disagreements,
  operations: 500_000,
});
