import { expect, it } from '@jest/globals';
import { Paced } from '../../src/platform/events/paced.js';

const turn = () => new Promise(setImmediate);

it('begins no sooner than an interval after it last began', async () => {
  const begun: number[] = [];
  const paced = new Paced(50, () => Promise.resolve(void begun.push(performance.now())));
  for (let n = 0; n < 4; n += 1) await paced.run();
  const gaps = begun.slice(1).map((at, index) => at - begun[index]!);
  // A timer may be a fraction early.
  for (const gap of gaps) expect(gap).toBeGreaterThan(48);
});

it('is shared by those who come before it begins, and by none who come later', async () => {
  let begun = 0;
  let finish: () => void = () => undefined;
  const paced = new Paced(0, () => {
    begun += 1;
    return new Promise((resolve) => (finish = resolve));
  });
  const first = paced.run();
  await turn();
  const later = [paced.run(), paced.run(), paced.run()];
  expect(begun).toBe(1);
  finish();
  await first;
  while (begun < 2) await turn();
  finish();
  await Promise.all(later);
  expect(begun).toBe(2);
});

it('tells those who asked that it failed, and goes on for others', async () => {
  let begun = 0;
  const paced = new Paced(0, () => {
    begun += 1;
    return begun === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
  });
  await expect(paced.run()).rejects.toThrow('away');
  await paced.run();
  expect(begun).toBe(2);
});
