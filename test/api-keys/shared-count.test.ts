import { expect, it } from '@jest/globals';
import { SharedCount, type Total } from '../../src/auth/shared-count.js';
import { eventually } from '../support/api.js';

const takeMany = (count: SharedCount, times: number, limit: number) =>
  Array.from({ length: times }, () => count.take(limit)).filter(Boolean).length;

it('lets exactly as many through as the limit says, without Redis', () => {
  const count = new SharedCount(60_000, undefined);
  expect(takeMany(count, 250, 100)).toBe(100);
  expect(count.known).toBe(100);
  expect(count.take(101)).toBe(true);
});

it('lets exactly as many through while nobody answers, and waits for nobody', () => {
  const count = new SharedCount(60_000, () => new Promise(() => undefined));
  expect(takeMany(count, 250, 100)).toBe(100);
});

it('goes on with its own count when a report fails', async () => {
  let asked = 0;
  const count = new SharedCount(60_000, () => {
    asked += 1;
    return Promise.resolve(undefined);
  });
  expect(takeMany(count, 60, 100)).toBe(60);
  await eventually(() => asked === 1);
  expect(takeMany(count, 60, 100)).toBe(40);
});

it('takes what others took into account, and its own part of that once', async () => {
  let total = 70;
  const told: number[] = [];
  const report = (taken: number): Promise<Total> => {
    told.push(taken);
    total += taken;
    return Promise.resolve({ total, msLeft: 30_000 });
  };
  const count = new SharedCount(60_000, report);
  expect(takeMany(count, 10, 100)).toBe(10);
  await eventually(() => count.known === 80);
  // The first tells of itself, the rest of all that came together meanwhile.
  expect(told).toEqual([1, 9].slice(0, told.length));
  expect(takeMany(count, 50, 100)).toBe(20);
  expect(count.msLeft).toBeLessThanOrEqual(30_000);
});

it('tells nothing twice, though an answer is lost, and does not forget what it took when others do', async () => {
  let total = 0;
  let isLost = true;
  const report = (taken: number): Promise<Total | undefined> => {
    total += taken;
    return Promise.resolve(isLost ? undefined : { total, msLeft: 30_000 });
  };
  const count = new SharedCount(60_000, report);
  for (let round = 0; round < 5; round += 1) {
    expect(takeMany(count, 4, 100)).toBe(4);
    await eventually(() => total >= round * 4 + 1);
  }
  isLost = false;
  expect(count.take(100)).toBe(true);
  await eventually(() => total === 21);
  expect(count.known).toBe(21);
  // Redis begins anew.
  total = 0;
  expect(count.take(100)).toBe(true);
  await eventually(() => total === 1);
  expect(count.known).toBe(22);
});

it('tells later what could not be told, once', async () => {
  let isThere = false;
  const told: number[] = [];
  const report = (taken: number): Promise<Total | 'unsent'> => {
    if (!isThere) return Promise.resolve('unsent');
    told.push(taken);
    return Promise.resolve({ total: 30 + told.reduce((sum, each) => sum + each, 0), msLeft: 30_000 });
  };
  const count = new SharedCount(60_000, report);
  for (let round = 0; round < 5; round += 1) {
    expect(takeMany(count, 8, 100)).toBe(8);
    await new Promise(setImmediate);
  }
  isThere = true;
  expect(count.take(100)).toBe(true);
  await eventually(() => count.known === 71);
  expect(told).toEqual([41]);
});
