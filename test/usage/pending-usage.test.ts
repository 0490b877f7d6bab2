import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PendingUsage } from '../../src/usage/pending-usage.js';

const AT = Date.UTC(2026, 10, 21, 9, 58, 59, 999);
const answers = (flagKey: string, count: number, variant: string | null = 'on') => ({
  environmentKey: 'production',
  flagKey,
  variant,
  count,
});
const told = (pending: PendingUsage) =>
  pending
    .take(1_000_000)
    .map(({ minuteAt, flagKey, variant, count }) => [
      new Date(minuteAt).toISOString().slice(11, 16),
      flagKey,
      variant,
      count,
    ]);

describe('counts that are not written yet', () => {
  it('are kept by the minute in which they were counted, and added up in it', () => {
    const pending = new PendingUsage();
    pending.add(AT, [answers('a', 1), answers('a', 2, null)]);
    pending.add(AT - 30_000, [answers('a', 10)]);
    pending.add(AT + 1, [answers('a', 100)]);
    expect(told(pending)).toEqual([
      ['09:58', 'a', 'on', 11],
      ['09:58', 'a', null, 2],
      ['09:59', 'a', 'on', 100],
    ]);
    expect(pending.size).toBe(0);
  });

  it('are taken oldest first, and come back into their minutes when they could not be written', () => {
    const pending = new PendingUsage();
    pending.add(AT, [answers('a', 1), answers('b', 2)]);
    pending.add(AT + 60_000, [answers('a', 4)]);
    const batch = pending.take(2);
    expect(batch.map(({ count }) => count)).toEqual([1, 2]);
    pending.add(AT, [answers('a', 8)]);
    pending.giveBack(batch);
    expect(told(pending)).toEqual([
      ['09:58', 'a', 'on', 9],
      ['09:58', 'b', 'on', 2],
      ['09:59', 'a', 'on', 4],
    ]);
  });

  it('keep their hour for longer than their minute, when there are too many', () => {
    const pending = new PendingUsage(3);
    for (let minute = 0; minute < 4; minute += 1) pending.add(AT + minute * 60_000, [answers('a', 1)]);
    // 9:58 and 9:59 are one; 10:00 and 10:01 are still apart.
    expect(told(pending)).toEqual([
      ['09:58', 'a', 'on', 2],
      ['10:00', 'a', 'on', 1],
      ['10:01', 'a', 'on', 1],
    ]);
  });

  it('are bounded by what is counted and never by time, and none is lost', () => {
    const steps = fc.array(
      fc.record({
        minutes: fc.integer({ min: 0, max: 100_000 }),
        flag: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        count: fc.integer({ min: 1, max: 1_000 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const pending = new PendingUsage(4);
        for (const { minutes, flag, count } of all) {
          pending.add(AT + minutes * 60_000, [answers(flag, count)]);
          expect(pending.size).toBeLessThanOrEqual(6);
        }
        const sum = pending.take(1_000).reduce((total, { count }) => total + count, 0);
        expect(sum).toBe(all.reduce((total, { count }) => total + count, 0));
      }),
    );
  });
});
