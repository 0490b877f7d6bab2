import { type AllocationRange, BUCKETS } from './model.js';

/** The share of the wheel that a variant is to have, in whole basis points. */
export interface Weight {
  readonly variant: string;
  readonly basisPoints: number;
}

/**
 * Lays weights out on the wheel so that the fewest units change variant: exactly the sum of the shares gained.
 * A variant that grows takes only from those that shrink, and one that keeps its share keeps its ranges. A shrinking one gives from the
 * side where its neighbour grows, else from its end: so two variants keep one border, and moving it back moves the same units back.
 * The order of `weights` does not matter, equal names count together, a weight of 0 has no range.
 * @param weights whole basis points, 0 or more each, 10 000 in sum; with less the ranges do not cover the wheel, which `checkServe` tells,
 *   and with more not every weight is met
 * @param previous the ranges in force, sorted and without overlap; empty for a first allocation. What they leave free is given out too
 * @returns sorted ranges that cover [0, 10 000) without gap or overlap, neighbours of one variant merged
 */
export function allocate(
  weights: readonly Weight[],
  previous: readonly AllocationRange[],
): AllocationRange[] {
  const wanted = sums(weights);
  const had = sums(previous.map(({ variant, from, to }) => ({ variant, basisPoints: to - from })));
  const growth = (variant: string): number => (wanted.get(variant) ?? 0) - (had.get(variant) ?? 0);

  const kept: AllocationRange[] = [];
  const free: { from: number; to: number }[] = [];
  // How much of a variant's ranges, in order, is to be passed over before the part that is kept, and how much is kept.
  const skip = new Map<string, number>();
  const keep = new Map(wanted);
  for (const variant of had.keys()) {
    if (givesFromStart(variant, previous, growth)) skip.set(variant, -growth(variant));
  }
  let end = 0;
  for (const { variant, from, to } of previous) {
    const start = Math.min(to, from + (skip.get(variant) ?? 0));
    const stop = Math.min(to, start + (keep.get(variant) ?? 0));
    skip.set(variant, (skip.get(variant) ?? 0) - (start - from));
    keep.set(variant, (keep.get(variant) ?? 0) - (stop - start));
    if (start > end) free.push({ from: end, to: start });
    if (stop > start) kept.push({ variant, from: start, to: stop });
    if (to > stop) free.push({ from: stop, to });
    end = to;
  }
  if (end < BUCKETS) free.push({ from: end, to: BUCKETS });

  return merge([...kept, ...giveOut(free, keep)].sort((a, b) => a.from - b.from));
}

function sums(weights: readonly Weight[]): Map<string, number> {
  const sum = new Map<string, number>();
  for (const { variant, basisPoints } of weights) sum.set(variant, (sum.get(variant) ?? 0) + basisPoints);
  return sum;
}

function givesFromStart(
  variant: string,
  ranges: readonly AllocationRange[],
  growth: (variant: string) => number,
): boolean {
  const before = ranges[ranges.findIndex((range) => range.variant === variant) - 1];
  const after = ranges[ranges.findLastIndex((range) => range.variant === variant) + 1];
  const grows = (range: AllocationRange | undefined): boolean =>
    range !== undefined && growth(range.variant) > 0;
  return growth(variant) < 0 && grows(before) && !grows(after);
}

/** Fills what is free with what is missing, by name, so that the order of the weights says nothing about who moves. */
function giveOut(
  free: readonly { from: number; to: number }[],
  missing: ReadonlyMap<string, number>,
): AllocationRange[] {
  const growing = [...missing]
    .map(([variant, size]) => ({ variant, size }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => (a.variant < b.variant ? -1 : 1));
  const given: AllocationRange[] = [];
  for (const gap of free) {
    let { from } = gap;
    for (const grower of growing) {
      const size = Math.min(grower.size, gap.to - from);
      if (size > 0) given.push({ variant: grower.variant, from, to: from + size });
      grower.size -= size;
      from += size;
    }
  }
  return given;
}

function merge(sorted: readonly AllocationRange[]): AllocationRange[] {
  const merged: AllocationRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last?.variant === range.variant && last.to === range.from) {
      merged[merged.length - 1] = { ...last, to: range.to };
    } else {
      merged.push(range);
    }
  }
  return merged;
}
