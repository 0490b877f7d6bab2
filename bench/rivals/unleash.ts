import { once } from 'node:events';
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

/** Every value is a text here. */
const contextOf = ({ targetingKey, age, ...rest }: Person) => ({
  userId: targetingKey,
  properties: { ...rest, age: String(age) },
});

const rolloutOf = (key: string, constraints: readonly object[] = []) => ({
  name: 'flexibleRollout',
  parameters: { rollout: String(ROLLOUT), stickiness: 'userId', groupId: key },
  constraints,
});

const constraint = (contextName: string, operator: string, wanted: object) => ({
  contextName,
  operator,
  values: [],
  inverted: false,
  ...wanted,
});

const fiveConstraints = [
  constraint('country', 'IN', { values: WANTED.countries }),
  constraint('plan', 'IN', { values: [WANTED.plan] }),
  constraint('age', 'NUM_GTE', { value: String(WANTED.age) }),
  constraint('appVersion', 'SEMVER_GTE', { value: WANTED.appVersion }),
  constraint('email', 'STR_ENDS_WITH', { values: [WANTED.email], inverted: true }),
];

const STRATEGY = {
  static: () => ({ name: 'default', parameters: {}, constraints: [] }),
  rollout: (key: string) => rolloutOf(key),
  targeted: (key: string) => rolloutOf(key, fiveConstraints),
};

const featureOf = (name: string, strategies: readonly object[]) => ({ name, enabled: true, strategies });

const segments = BULK.segments.map(({ olderThan }, id) => ({
  id,
  constraints: [
    constraint('country', 'IN', { values: BULK.countries }),
    constraint('plan', 'IN', { values: BULK.plans }),
    constraint('age', 'NUM_GT', { value: String(olderThan) }),
  ],
}));
const bulkFeature = (key: string) =>
  featureOf(key, [
    ...segments.map(({ id }) => ({ name: 'default', parameters: {}, constraints: [], segments: [id] })),
    rolloutOf(key),
  ]);

export async function unleash(): Promise<Rival> {
  const { Unleash, InMemStorageProvider } = rivalPackages()('unleash-client');
  const clientOf = async (data: readonly object[], withSegments: readonly object[] = []) => {
    const client = new Unleash({
      appName: 'bench',
      url: 'http://127.0.0.1:9/api',
      disableMetrics: true,
      skipInstanceCountWarning: true,
      storageProvider: new InMemStorageProvider(),
      bootstrap: { data, segments: withSegments },
      disableAutoStart: true,
    });
    const ready = once(client, 'ready');
    // What `start` does, but for asking the network.
    await client.repository.loadBootstrap();
    await ready;
    return client;
  };
  const clients = {
    static: await clientOf(flagKeys.map((key) => featureOf(key, [STRATEGY.static()]))),
    rollout: await clientOf(flagKeys.map((key) => featureOf(key, [STRATEGY.rollout(key)]))),
    targeted: await clientOf(flagKeys.map((key) => featureOf(key, [STRATEGY.targeted(key)]))),
  };
  const bulk = await clientOf(BULK.flags.map(bulkFeature), segments);
  const contexts = people.map(contextOf);
  const name = named('unleash-client');

  return {
    name,
    asking(row) {
      const client = clients[row];
      return {
        name,
        run(operations) {
          let on = 0;
          for (let at = 0; at < operations; at += 1) {
            if (client.isEnabled(askedKeys[at % FLAGS], contexts[at % USERS])) on += 1;
          }
          return on;
        },
      };
    },
    askingAll: () => ({
      name,
      run(operations) {
        let on = 0;
        for (let at = 0; at < operations; at += 1) {
          for (const key of BULK.flags) if (bulk.isEnabled(key, contexts[at % USERS])) on += 1;
        }
        return on;
      },
    }),
    isOn: (row, key, person) => Promise.resolve(clients[row].isEnabled(key, contextOf(person))),
    countOn: (person) =>
      Promise.resolve(BULK.flags.filter((key) => bulk.isEnabled(key, contextOf(person))).length),
    close: () => {
      for (const client of [...Object.values(clients), bulk]) client.destroy();
      return Promise.resolve();
    },
  };
}
