/** What a client keeps does not grow with what it was asked and told. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from '@jest/globals';
import { createServerClient } from '../../sdk/src/index.js';
import { eventually } from '../support/api.js';
import { flagWire, rolloutWire } from '../support/builders.js';
import { FakeService, rulesetAt } from './fake-service.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const FLAGS = 50;
const CHANGES = 10_000;
const EVALUATIONS = 1_000_000;
/** Were the states kept, or their flags, 10,000 of them would take far more. */
const BOUND_MB = 15;

const keys = Array.from({ length: FLAGS }, (_, index) => `flag-${index}`);
const flagAt = (turn: number) => {
  const users = Array.from({ length: 100 }, (_, index) => `user-${turn}-${index}`);
  const targets = [{ variant: 'off', keys: users }];
  return flagWire(keys[turn % FLAGS]!, {
    targets,
    default_serve: rolloutWire(`salt-${turn}`, 5_000),
    version: turn + 1,
  });
};

const usedMb = (): number => {
  for (let turn = 0; turn < 3; turn += 1) collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
};

it(`stays flat over ${CHANGES} changes and ${EVALUATIONS} evaluations`, async () => {
  const service = await FakeService.start();
  service.ruleset = rulesetAt(
    1,
    keys.map((_, index) => flagAt(index)),
  );
  const client = createServerClient({ baseUrl: service.url, apiKey: 'k', environment: 'production' });
  await client.ready();
  await eventually(() => service.streams.size === 1);

  const change = async (from: number, to: number): Promise<void> => {
    for (let turn = from; turn < to; turn += 1) {
      service.change({ put: [flagAt(turn)] });
      if (turn % 100 === 99) await eventually(() => client.revision === service.ruleset['revision'], 120_000);
    }
  };
  const evaluate = (count: number): number => {
    let on = 0;
    for (let turn = 0; turn < count; turn += 1)
      if (client.isEnabled(keys[turn % FLAGS]!, { targetingKey: `user-${turn}` })) on += 1;
    return on;
  };

  await change(0, 1_000);
  evaluate(50_000);
  const before = usedMb();
  await change(1_000, 1_000 + CHANGES);
  const on = evaluate(EVALUATIONS);
  const after = usedMb();
  console.log(`heap ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`);
  expect(on / EVALUATIONS).toBeCloseTo(0.5, 1);
  expect(service.count('/stream')).toBe(1);
  expect(after - before).toBeLessThan(BOUND_MB);
  await client.close();
  await service.close();
}, 600_000);
