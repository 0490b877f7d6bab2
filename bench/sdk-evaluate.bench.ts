/**
 * Claims, by the method that users call and with 1,000 flags loaded: the SDK answers a static, a targeted and a rollout flag at least 3×
 * as fast as the fastest rival (2× on Node 24). And a change among 1,000 flags costs it under 2 ms.
 */
import { applyChange, type JsonValue, type Ruleset, rulesetReader } from '../src/core/index.js';
import { createServerClient, type ServerClient } from '../sdk/src/index.js';
import { compare, printMachine, type Side } from './harness.js';
import { loadRivals, wrongAnswers } from './rivals/load-rivals.js';
import { booleanFlag, rulesetOfRow } from './snapshots.js';
import {
  askedKeys,
  FLAGS,
  flagKeys,
  isOnByHand,
  outsiders,
  people,
  type Person,
  ROWS,
  type Row,
  USERS,
} from './workloads.js';

/** A client of a service that is out of reach: it decides by what it was started with. */
const clientOf = (row: Row): ServerClient =>
  createServerClient({
    baseUrl: 'http://127.0.0.1:1',
    apiKey: 'bench',
    environment: 'production',
    bootstrap: rulesetOfRow(row),
    logger: { warn: () => undefined, error: () => undefined },
    fetch: () => new Promise(() => undefined),
    requestTimeoutMs: 2_000_000_000,
  });
const clients = { static: clientOf('static'), rollout: clientOf('rollout'), targeted: clientOf('targeted') };

const asking = (client: ServerClient): Side => ({
  name: 'Vexil SDK isEnabled',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (client.isEnabled(askedKeys[at % FLAGS]!, people[at % USERS])) on += 1;
    }
    return on;
  },
});

const evaluating = (client: ServerClient): Side => ({
  name: 'Vexil SDK evaluate',
  run(operations) {
    let on = 0;
    for (let at = 0; at < operations; at += 1) {
      if (client.evaluate(askedKeys[at % FLAGS]!, people[at % USERS], false).value) on += 1;
    }
    return on;
  },
});

const wanted = (row: Row, key: string, person: Person): boolean =>
  row === 'static' || (isOnByHand(person.targetingKey, key) && !outsiders.includes(person));

function disagreements(row: Row): string[] {
  const asked = askedKeys.filter((_, index) => index % 10 === 0);
  return [...people, ...(row === 'targeted' ? outsiders : [])].flatMap((person) =>
    asked
      .filter((key) => {
        const isWanted = wanted(row, key, person);
        const { value, isEnabled } = clients[row].evaluate(key, person, false);
        return (
          value !== isWanted || isEnabled !== isWanted || clients[row].isEnabled(key, person) !== isWanted
        );
      })
      .map((key) => `${row} ${key} ${person.targetingKey}`),
  );
}

const rivals = await loadRivals();
const names = rivals.map(({ name }) => name);
const ratio = Number(process.versions.node.split('.')[0]) >= 24 ? 1 / 2 : 1 / 3;

printMachine();
for (const row of ROWS) {
  await compare({
    title: `One ${row} flag of ${FLAGS}, through the SDK`,
    subject: asking(clients[row]),
    rivals: [evaluating(clients[row]), ...rivals.map((rival) => rival.asking(row))],
    verify: async () => [
      ...disagreements(row),
      ...(await Promise.all(rivals.map((rival) => wrongAnswers(rival, row)))).flat(),
    ],
    reach: { ratioToBestOf: { names, ratio } },
  });
}
for (const rival of rivals) await rival.close();
for (const client of Object.values(clients)) await client.close();

let ruleset = rulesetOfRow('targeted') as unknown as Ruleset;
const read = rulesetReader();
read(ruleset);
await compare({
  title: `One change among ${FLAGS} targeted flags: applied, read and compiled`,
  subject: {
    name: 'Vexil SDK',
    run(operations) {
      let last: ReturnType<typeof read> | undefined;
      for (let at = 0; at < operations; at += 1) {
        const { revision } = ruleset;
        const flag = booleanFlag(flagKeys[at % FLAGS]!, { version: revision }) as JsonValue;
        const none = { put: [], removed: [] };
        const flags = { put: [flag], removed: [] };
        const next = { environment_key: 'production', prev_revision: revision, revision: revision + 1 };
        ruleset = applyChange(ruleset, { ...next, flags, segments: none }) ?? ruleset;
        last = read(ruleset);
      }
      return last;
    },
  },
  verify: () => [],
  reach: { cpuNs: 2e6 },
});
