import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate, type AllocationRange, BUCKETS, type Weight } from '../../src/core/index.js';
import { rangesOf, weightsOf } from '../support/arbitraries.js';

const weights = (shares: Record<string, number>): Weight[] =>
  Object.entries(shares).map(([variant, basisPoints]) => ({ variant, basisPoints }));
const range = (variant: string, from: number, to: number): AllocationRange => ({ variant, from, to });
const owners = (ranges: readonly AllocationRange[]): string[] =>
  ranges.flatMap(({ variant, from, to }) => new Array<string>(to - from).fill(variant));
const shareOf = (variant: string, all: readonly Weight[]): number =>
  all.find((weight) => weight.variant === variant)?.basisPoints ?? 0;

/** Weights before and after over 2–8 variants, some of which are new or gone, and what ranges they had. */
const change = fc.integer({ min: 2, max: 8 }).chain((count) => {
  const names = Array.from({ length: count + 1 }, (_, index) => `v${index}`);
  return fc.record({ previous: rangesOf(names.slice(0, count)), next: weightsOf(names.slice(1)) });
});

it.each<[string, Record<string, number>, AllocationRange[], AllocationRange[]]>([
  [
    'lays out a first allocation by name',
    { b: 4_000, a: 6_000 },
    [],
    [range('a', 0, 6_000), range('b', 6_000, 10_000)],
  ],
  ['gives no range to a share of nothing', { a: 10_000, b: 0 }, [], [range('a', 0, 10_000)]],
  [
    'takes from the end of a share that shrinks',
    { a: 4_000, b: 6_000 },
    [range('a', 0, 5_000), range('b', 5_000, 10_000)],
    [range('a', 0, 4_000), range('b', 4_000, 10_000)],
  ],
  [
    'takes from the side where the neighbour grows',
    { a: 6_000, b: 4_000 },
    [range('a', 0, 5_000), range('b', 5_000, 10_000)],
    [range('a', 0, 6_000), range('b', 6_000, 10_000)],
  ],
  [
    'lets a new variant take from the one that shrinks only',
    { a: 3_000, b: 3_000, c: 4_000 },
    [range('a', 0, 3_000), range('b', 3_000, 10_000)],
    [range('a', 0, 3_000), range('b', 3_000, 6_000), range('c', 6_000, 10_000)],
  ],
  [
    'gives a variant that is gone to the others',
    { b: 10_000 },
    [range('a', 0, 1), range('b', 1, 10_000)],
    [range('b', 0, 10_000)],
  ],
  ['fills what nobody had', { a: 10_000 }, [range('a', 10, 20)], [range('a', 0, 10_000)]],
])('%s', (_, shares, previous, expected) => {
  expect(allocate(weights(shares), previous)).toEqual(expected);
});

it('covers the wheel exactly, with ranges sorted and neighbours of one variant merged', () => {
  fc.assert(
    fc.property(change, ({ previous, next }) => {
      const ranges = allocate(next, previous);
      expect(ranges[0]?.from).toBe(0);
      expect(ranges.at(-1)?.to).toBe(BUCKETS);
      for (const [index, { variant, from, to }] of ranges.entries()) {
        expect(to).toBeGreaterThan(from);
        const before = ranges[index - 1];
        if (before !== undefined) expect([before.to, before.variant === variant]).toEqual([from, false]);
      }
    }),
  );
});

it('gives every variant its weight to the basis point', () => {
  fc.assert(
    fc.property(change, ({ previous, next }) => {
      const owned = owners(allocate(next, previous));
      for (const { variant, basisPoints } of next) {
        expect(owned.filter((owner) => owner === variant).length).toBe(basisPoints);
      }
    }),
  );
});

it('moves exactly the sum of the shares gained, and only from variants that shrink to variants that grow', () => {
  fc.assert(
    fc.property(change, ({ previous, next }) => {
      const before = owners(previous);
      const after = owners(allocate(next, previous));
      const had = (variant: string) => before.filter((owner) => owner === variant).length;
      const gained = next.reduce(
        (sum, { variant, basisPoints }) => sum + Math.max(0, basisPoints - had(variant)),
        0,
      );
      const moves = [...before.keys()].filter((at) => before[at] !== after[at]);
      expect(moves.length).toBe(gained);
      const isWrong = (at: number) =>
        shareOf(before[at]!, next) >= had(before[at]!) || shareOf(after[at]!, next) <= had(after[at]!);
      const pairs = new Map(moves.map((at) => [`${before[at]!}>${after[at]!}`, at]));
      expect([...pairs].filter(([, at]) => isWrong(at))).toEqual([]);
    }),
  );
});

it('changes nothing when no weight changes', () => {
  fc.assert(
    fc.property(change, ({ previous, next }) => {
      const ranges = allocate(next, previous);
      expect(allocate(next, ranges)).toEqual(ranges);
    }),
  );
});

it('does not depend on the order of the weights, and counts equal names together', () => {
  fc.assert(
    fc.property(change, fc.infiniteStream(fc.nat()), ({ previous, next }, random) => {
      const shuffled = next
        .flatMap(({ variant, basisPoints }) => {
          const half = Math.floor(basisPoints / 2);
          return [half, basisPoints - half].map((part) => ({ variant, basisPoints: part }));
        })
        .map((weight) => ({ weight, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ weight }) => weight);
      expect(allocate(shuffled, previous)).toEqual(allocate(next, previous));
    }),
  );
});

it('moves the same units back when a change between two variants is undone', () => {
  const share = fc.integer({ min: 1, max: BUCKETS - 1 });
  fc.assert(
    fc.property(share, share, (before, after) => {
      const first = allocate(weights({ a: before, b: BUCKETS - before }), []);
      const second = allocate(weights({ a: after, b: BUCKETS - after }), first);
      expect(allocate(weights({ a: before, b: BUCKETS - before }), second)).toEqual(first);
    }),
  );
});

it('leaves the weights and ranges it was given as they were', () => {
  const given = Object.freeze(weights({ a: 10_000 }).map((weight) => Object.freeze(weight)));
  const previous = Object.freeze([
    Object.freeze(range('b', 0, 5_000)),
    Object.freeze(range('a', 5_000, 10_000)),
  ]);
  expect(allocate(given, previous)).toEqual([range('a', 0, 10_000)]);
});
