/** Claim: 50 flags that ask 15 segments each, and a rollout, are all answered in under 50 µs, and faster than by any rival. */
import { evaluateAll } from '../src/core/index.js';
import { compare, printMachine, type Side } from './harness.js';
import { murmur3OfAscii } from './by-hand.js';
import { loadRivals, wrongInBulk } from './rivals/load-rivals.js';
import { compiledBulk } from './snapshots.js';
import { BULK, people, type Person, ROLLOUT, USERS } from './workloads.js';

const compiled = compiledBulk();
const countries = BULK.countries as readonly string[];
const plans = BULK.plans as readonly string[];

function countByHand({ targetingKey, country, plan, age }: Person): number {
  let isMember = false;
  for (const { olderThan } of BULK.segments) {
    if (countries.includes(country) && plans.includes(plan) && age > olderThan) isMember = true;
  }
  let on = 0;
  for (const key of BULK.flags) {
    if (isMember || murmur3OfAscii(`${targetingKey}:${key}`) % 10_000 < ROLLOUT * 100) on += 1;
  }
  return on;
}

const byHand: Side = {
  name: 'by hand: each segment once, then murmur3 of each key',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) on += countByHand(people[at % USERS]!);
    return on;
  },
};

function disagreements(): string[] {
  const member = { ...people[0]!, age: BULK.everyAge };
  return [...people, member].flatMap((person) => {
    const on = evaluateAll(compiled, person).filter(({ value }) => value === true).length;
    return on === countByHand(person) ? [] : [`${JSON.stringify(person)} gets ${on} flags`];
  });
}

const rivals = await loadRivals();
printMachine();

await compare({
  title: `All of ${BULK.flags.length} flags that ask ${BULK.segments.length} segments each, and a rollout: one operation is the whole bulk`,
  subject: {
    name: 'Vexil evaluateAll',
    run(operations) {
      let on = 0;
      for (let at = 0; at < operations; at += 1) {
        for (const { value } of evaluateAll(compiled, people[at % USERS]!)) if (value === true) on += 1;
      }
      return on;
    },
  },
  rivals: [byHand, ...rivals.map((rival) => rival.askingAll())],
  verify: async () => [...disagreements(), ...(await Promise.all(rivals.map(wrongInBulk))).flat()],
  reach: { cpuNs: 50_000, ratioToBestOf: { names: rivals.map(({ name }) => name), ratio: 1 } },
});
for (const rival of rivals) await rival.close();
