import {
  askedKeys,
  BULK,
  FLAGS,
  flagKeys,
  people,
  type Person,
  ROLLOUT,
  USERS,
  WANTED,
} from '../workloads.js';
import { named, rivalPackages } from './packages.js';
import type { Rival } from './rival.js';

const contextOf = ({ targetingKey, ...attributes }: Person) => ({
  kind: 'user',
  key: targetingKey,
  ...attributes,
});

const clause = (attribute: string, op: string, values: readonly unknown[], negate = false) => ({
  contextKind: 'user',
  attribute,
  op,
  values,
  negate,
});

const rollout = {
  rollout: {
    contextKind: 'user',
    variations: [
      { variation: 0, weight: ROLLOUT * 1_000 },
      { variation: 1, weight: 100_000 - ROLLOUT * 1_000 },
    ],
  },
};

const flagOf = (key: string, fallthrough: object, rules: readonly object[] = []) => ({
  key,
  version: 1,
  on: true,
  variations: [true, false],
  offVariation: 1,
  fallthrough,
  rules,
  targets: [],
  contextTargets: [],
  prerequisites: [],
  salt: key,
});

const FLAG = {
  static: (key: string) => flagOf(key, { variation: 0 }),
  rollout: (key: string) => flagOf(key, rollout),
  targeted: (key: string) =>
    flagOf(key, { variation: 1 }, [
      {
        id: 'r',
        ...rollout,
        clauses: [
          clause('country', 'in', WANTED.countries),
          clause('plan', 'in', [WANTED.plan]),
          clause('age', 'greaterThanOrEqual', [WANTED.age]),
          // There is no "at least" for versions.
          clause('appVersion', 'semVerLessThan', [WANTED.appVersion], true),
          clause('email', 'endsWith', [WANTED.email], true),
        ],
      },
    ]),
};

const segments = BULK.segments.map(({ key, olderThan }) => ({
  key,
  version: 1,
  included: [],
  excluded: [],
  salt: key,
  rules: [
    {
      id: 'r',
      clauses: [
        clause('country', 'in', BULK.countries),
        clause('plan', 'in', BULK.plans),
        clause('age', 'greaterThan', [olderThan]),
      ],
    },
  ],
}));
const bulkFlag = (key: string) =>
  flagOf(
    key,
    rollout,
    segments.map((segment) => ({
      id: segment.key,
      variation: 0,
      clauses: [{ ...clause('', 'segmentMatch', [segment.key]), contextKind: '' }],
    })),
  );

/** Its answers are promises; awaiting them is part of what its users pay. */
export async function launchdarkly(): Promise<Rival> {
  const rival = rivalPackages();
  const { init } = rival('@launchdarkly/node-server-sdk');
  const { TestData } = rival('@launchdarkly/node-server-sdk/integrations');
  const silent = () => undefined;
  const logger = { debug: silent, info: silent, warn: silent, error: silent };
  const clientOf = async (flags: readonly object[], withSegments: readonly object[] = []) => {
    const data = new TestData();
    for (const segment of withSegments) await data.usePreconfiguredSegment(segment);
    for (const flag of flags) await data.usePreconfiguredFlag(flag);
    const client = init('bench', {
      updateProcessor: data.getFactory(),
      sendEvents: false,
      diagnosticOptOut: true,
      logger,
    });
    await client.waitForInitialization({ timeout: 5 });
    return client;
  };
  const clients = {
    static: await clientOf(flagKeys.map(FLAG.static)),
    rollout: await clientOf(flagKeys.map(FLAG.rollout)),
    targeted: await clientOf(flagKeys.map(FLAG.targeted)),
  };
  const bulk = await clientOf(BULK.flags.map(bulkFlag), segments);
  const contexts = people.map(contextOf);
  const name = named('@launchdarkly/node-server-sdk');

  return {
    name,
    asking(row) {
      const client = clients[row];
      return {
        name,
        async run(operations) {
          let on = 0;
          for (let at = 0; at < operations; at += 1) {
            if (await client.boolVariation(askedKeys[at % FLAGS], contexts[at % USERS], false)) on += 1;
          }
          return on;
        },
      };
    },
    askingAll: () => ({
      name,
      async run(operations) {
        let decisions = 0;
        for (let at = 0; at < operations; at += 1) {
          const state = await bulk.allFlagsState(contexts[at % USERS]);
          decisions += Object.keys(state.allValues()).length;
        }
        return decisions;
      },
    }),
    isOn: (row, key, person) => clients[row].boolVariation(key, contextOf(person), false),
    async countOn(person) {
      const state = await bulk.allFlagsState(contextOf(person));
      return Object.values(state.allValues()).filter((value) => value === true).length;
    },
    async close() {
      for (const client of [...Object.values(clients), bulk]) await client.close();
    },
  };
}
