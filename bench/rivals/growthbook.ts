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

const userOf = ({ targetingKey, ...attributes }: Person) => ({
  attributes: { id: targetingKey, ...attributes },
});

const rollout = { force: true, coverage: ROLLOUT / 100, hashAttribute: 'id' };

const FEATURE = {
  static: { defaultValue: true },
  rollout: { defaultValue: false, rules: [rollout] },
  targeted: {
    defaultValue: false,
    rules: [
      {
        ...rollout,
        condition: {
          country: { $in: WANTED.countries },
          plan: WANTED.plan,
          age: { $gte: WANTED.age },
          appVersion: { $vgte: WANTED.appVersion },
          // There is no "ends with".
          email: { $not: { $regex: `${WANTED.email.replaceAll('.', '\\.')}$` } },
        },
      },
    ],
  },
};

/** Its segments are parts of the rules that use them. */
const bulkFeature = {
  defaultValue: false,
  rules: [
    ...BULK.segments.map(({ olderThan }) => ({
      force: true,
      condition: { country: { $in: BULK.countries }, plan: { $in: BULK.plans }, age: { $gt: olderThan } },
    })),
    rollout,
  ],
};

export function growthbook(): Promise<Rival> {
  const { GrowthBookClient } = rivalPackages()('@growthbook/growthbook');
  const clientOf = (keys: readonly string[], feature: object) =>
    // Features of their own for each key, as they are when they come from the network.
    new GrowthBookClient().initSync({
      payload: { features: Object.fromEntries(keys.map((key) => [key, structuredClone(feature)])) },
    });
  const clients = {
    static: clientOf(flagKeys, FEATURE.static),
    rollout: clientOf(flagKeys, FEATURE.rollout),
    targeted: clientOf(flagKeys, FEATURE.targeted),
  };
  const bulk = clientOf(BULK.flags, bulkFeature);
  const users = people.map(userOf);
  const name = named('@growthbook/growthbook');

  return Promise.resolve({
    name,
    asking(row) {
      const client = clients[row];
      return {
        name,
        run(operations) {
          let on = 0;
          for (let at = 0; at < operations; at += 1) {
            if (client.isOn(askedKeys[at % FLAGS], users[at % USERS])) on += 1;
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
          for (const key of BULK.flags) if (bulk.isOn(key, users[at % USERS])) on += 1;
        }
        return on;
      },
    }),
    isOn: (row, key, person) => Promise.resolve(clients[row].isOn(key, userOf(person))),
    countOn: (person) => Promise.resolve(BULK.flags.filter((key) => bulk.isOn(key, userOf(person))).length),
    close: () => Promise.resolve(),
  });
}
