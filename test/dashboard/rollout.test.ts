import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evenly, movedShare, setShare, WHOLE, type Share } from '../../static/src/state/rollout.js';

const sum = (shares: readonly Share[]): number => shares.reduce((total, { points }) => total + points, 0);
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `v${index}`);
const rollout = (
  percentage: number,
  allocation: readonly (readonly [string, number, number])[],
  salt = 's',
) => ({
  rollout: {
    percentage,
    weights: allocation.map(([variant, from, to]) => ({ variant, weight: (to - from) / 100 })),
    bucket_by: 'user_id',
    salt,
    hash_version: 'murmur3' as const,
    allocation: allocation.map(([variant, from, to]) => ({ variant, from, to })),
  },
});

describe('the weights of a rollout', () => {
  it('are the whole, whatever is set how often', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.nat(11), fc.integer({ min: -10, max: WHOLE + 10 })), { maxLength: 20 }),
        (count, steps) => {
          let shares = evenly(names(count));
          expect(sum(shares)).toBe(WHOLE);
          for (const [at, points] of steps) {
            const variant = `v${at % count}`;
            shares = setShare(shares, variant, points);
            expect(sum(shares)).toBe(WHOLE);
            expect(shares.every((share) => share.points >= 0)).toBe(true);
            if (count > 1)
              expect(shares.find((share) => share.variant === variant)?.points).toBe(
                Math.min(WHOLE, Math.max(0, points)),
              );
          }
        },
      ),
    );
  });

  it('keep the others in proportion', () => {
    const shares = setShare(
      [
        { variant: 'a', points: 5000 },
        { variant: 'b', points: 3000 },
        { variant: 'c', points: 2000 },
      ],
      'a',
      7500,
    );
    expect(shares.map(({ points }) => points)).toEqual([7500, 1500, 1000]);
  });
});

describe('what a change moves', () => {
  const on = [['on', 0, 10_000]] as const;
  it.each([
    ['nothing when nothing changes', rollout(25, on), rollout(25, on), 0],
    ['what is added to a share', rollout(25, on), rollout(40, on), 15],
    ['what is taken from a share', rollout(40, on), rollout(25, on), 15],
    ['who were outside, when everybody gets it', rollout(25, on), { variant: 'on' }, 75],
    ['everybody, from one variant to another', { variant: 'on' }, { variant: 'off' }, 100],
  ])('is %s', (_, before, after, share) => {
    expect(movedShare(before, after, 'off', 'off')).toBe(share);
  });

  it('is the sum of the weights gained, within the rollout', () => {
    const before = rollout(50, [
      ['a', 0, 5000],
      ['b', 5000, 10_000],
    ]);
    const after = {
      rollout: {
        ...before.rollout,
        weights: [
          { variant: 'a', weight: 70 },
          { variant: 'b', weight: 30 },
        ],
      },
    };
    expect(movedShare(before, after, 'off', 'off')).toBe(10);
  });

  it('cannot be said where people are placed anew', () => {
    expect(movedShare(rollout(25, on), rollout(25, on, 'other'), 'off', 'off')).toBeUndefined();
  });
});
