import { askedKeys, BULK, FLAGS, flagKeys, people, ROLLOUT, USERS, WANTED } from '../workloads.js';
import { named, rivalPackages } from './packages.js';
import type { Rival } from './rival.js';

const attribute = (name: string) => ({ var: name });

const rollout = {
  fractional: [
    ['on', ROLLOUT],
    ['off', 100 - ROLLOUT],
  ],
};

const flagOf = (defaultVariant: string, targeting?: object) => ({
  state: 'ENABLED',
  variants: { on: true, off: false },
  defaultVariant,
  ...(targeting && { targeting }),
});

const FLAG = {
  static: flagOf('on'),
  rollout: flagOf('off', rollout),
  targeted: flagOf('off', {
    if: [
      {
        and: [
          { in: [attribute('country'), WANTED.countries] },
          { '===': [attribute('plan'), WANTED.plan] },
          { '>=': [attribute('age'), WANTED.age] },
          { sem_ver: [attribute('appVersion'), '>=', WANTED.appVersion] },
          { '!': { ends_with: [attribute('email'), WANTED.email] } },
        ],
      },
      rollout,
      'off',
    ],
  }),
};

/** Its segments are put in place of the references when the flags are read. */
const evaluators = Object.fromEntries(
  BULK.segments.map(({ key, olderThan }) => [
    key,
    {
      and: [
        { in: [attribute('country'), BULK.countries] },
        { in: [attribute('plan'), BULK.plans] },
        { '>': [attribute('age'), olderThan] },
      ],
    },
  ]),
);
const bulkFlag = flagOf('off', {
  if: [...BULK.segments.flatMap(({ key }) => [{ $ref: key }, 'on']), rollout],
});

export function flagd(): Promise<Rival> {
  const { FlagdCore } = rivalPackages()('@openfeature/flagd-core');
  const coreOf = (keys: readonly string[], flag: object, $evaluators = {}) => {
    const core = new FlagdCore();
    const flags = Object.fromEntries(keys.map((key) => [key, flag]));
    core.setConfigurations(JSON.stringify({ flags, $evaluators }));
    return core;
  };
  const cores = {
    static: coreOf(flagKeys, FLAG.static),
    rollout: coreOf(flagKeys, FLAG.rollout),
    targeted: coreOf(flagKeys, FLAG.targeted),
  };
  const bulk = coreOf(BULK.flags, bulkFlag, evaluators);
  const name = named('@openfeature/flagd-core');

  return Promise.resolve({
    name,
    asking(row) {
      const core = cores[row];
      return {
        name,
        run(operations) {
          let on = 0;
          for (let at = 0; at < operations; at += 1) {
            if (core.resolveBooleanEvaluation(askedKeys[at % FLAGS], false, people[at % USERS]).value)
              on += 1;
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
          for (const { value } of bulk.resolveAll(people[at % USERS])) if (value === true) on += 1;
        }
        return on;
      },
    }),
    isOn: (row, key, person) =>
      Promise.resolve(cores[row].resolveBooleanEvaluation(key, false, person).value),
    countOn: (person) =>
      Promise.resolve(
        bulk.resolveAll(person).filter(({ value }: { value: unknown }) => value === true).length,
      ),
    close: () => Promise.resolve(),
  });
}
