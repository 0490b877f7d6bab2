import { allocate } from '../../../src/core/index.js';
import type { Rollout, Serve, Variant } from '../api/flags.js';

/** Basis points of everybody. */
export const WHOLE = 10_000;

export interface Share {
  readonly variant: string;
  /** Whole basis points. */
  readonly points: number;
}

/** A serve as an editor holds it: shares, and how people are placed. Where the ranges lie follows on saving. */
export type ServeDraft =
  | { readonly variant: string }
  | {
      readonly rollout: {
        /** Per cent. */
        readonly percentage: number;
        readonly weights: readonly { readonly variant: string; readonly weight: number }[];
        readonly bucket_by: string;
        readonly salt?: string;
        readonly hash_version?: Rollout['hash_version'];
      };
    };

export function draftOf(serve: Serve): ServeDraft {
  if ('variant' in serve) return serve;
  const { percentage, weights, bucket_by, salt, hash_version } = serve.rollout;
  return { rollout: { percentage, weights, bucket_by, salt, hash_version } };
}

/** A rollout to begin with: the variants in equal shares; `on` alone for a flag that is on or off. */
export function newRollout(variants: readonly Variant[], isBoolean: boolean): ServeDraft {
  const on = isBoolean ? variants.find(({ value }) => value === true)?.key : undefined;
  const shares = on === undefined ? evenly(variants.map(({ key }) => key)) : [{ variant: on, points: WHOLE }];
  return {
    rollout: { percentage: on === undefined ? 100 : 0, weights: weightsOf(shares), bucket_by: 'user_id' },
  };
}

export const sharesOf = (weights: readonly { variant: string; weight: number }[]): Share[] =>
  weights.map(({ variant, weight }) => ({ variant, points: Math.round(weight * 100) }));
export const weightsOf = (shares: readonly Share[]): { variant: string; weight: number }[] =>
  shares.map(({ variant, points }) => ({ variant, weight: points / 100 }));

/** Everybody in equal shares; what does not divide goes to the first ones. */
export function evenly(variants: readonly string[]): Share[] {
  const base = Math.floor(WHOLE / variants.length);
  const rest = WHOLE - base * variants.length;
  return variants.map((variant, index) => ({ variant, points: base + (index < rest ? 1 : 0) }));
}

/**
 * Gives one variant a share, and takes the difference from the others in proportion to what they have, so that the sum stays
 * the whole. Where the others have nothing they share equally.
 */
export function setShare(shares: readonly Share[], variant: string, points: number): Share[] {
  const others = shares.filter((share) => share.variant !== variant);
  if (others.length === 0) return shares.map((share) => ({ ...share, points: WHOLE }));
  const mine = Math.max(0, Math.min(WHOLE, Math.round(points)));
  const left = WHOLE - mine;
  const had = others.reduce((sum, share) => sum + share.points, 0);
  const exact = others.map((share) => (had === 0 ? left / others.length : (left * share.points) / had));
  const whole = exact.map(Math.floor);
  let missing = left - whole.reduce((sum, each) => sum + each, 0);
  const byRest = exact
    .map((value, index) => ({ index, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  for (const { index } of byRest) {
    if (missing <= 0) break;
    whole[index] = (whole[index] ?? 0) + 1;
    missing -= 1;
  }
  const next = new Map(others.map((share, index) => [share.variant, whole[index] ?? 0]));
  return shares.map((share) =>
    share.variant === variant
      ? { variant, points: mine }
      : { ...share, points: next.get(share.variant) ?? 0 },
  );
}

interface Layout {
  readonly coverage: number;
  readonly ranges: readonly { variant: string; from: number; to: number }[];
  /** What it depends on whom they fall on; `undefined` for one variant for everybody. */
  readonly placing: string | undefined;
}

/**
 * How many of those who reach a serve would get something else after a change, in per cent; `undefined` when people are placed
 * anew, so that it cannot be said. Laid out as the service lays it out.
 */
export function movedShare(
  before: Serve,
  after: ServeDraft,
  offBefore: string | null,
  offAfter: string | null,
): number | undefined {
  const from = layoutOf(before);
  const last = 'rollout' in before ? before.rollout.allocation : [];
  const to: Layout =
    'variant' in after
      ? layoutOf(after)
      : {
          coverage: Math.round(after.rollout.percentage * 100),
          ranges: allocate(
            sharesOf(after.rollout.weights).map(({ variant, points }) => ({ variant, basisPoints: points })),
            last,
          ),
          placing: placingOf(after.rollout),
        };
  if (from.placing !== undefined && to.placing !== undefined && from.placing !== to.placing) return undefined;
  const inBoth = Math.min(from.coverage, to.coverage);
  const wider = from.coverage > to.coverage ? from : to;
  const off = from.coverage > to.coverage ? offAfter : offBefore;
  const inOne = Math.abs(from.coverage - to.coverage);
  const outside = offBefore === offAfter ? 0 : WHOLE - Math.max(from.coverage, to.coverage);
  const moved =
    (inBoth * differing(from.ranges, to.ranges)) / WHOLE +
    (inOne * sizeOf(wider.ranges.filter(({ variant }) => variant !== off))) / WHOLE +
    outside;
  return Math.round(moved) / 100;
}

function layoutOf(serve: Serve): Layout {
  if ('variant' in serve)
    return { coverage: WHOLE, ranges: [{ variant: serve.variant, from: 0, to: WHOLE }], placing: undefined };
  const { percentage, allocation } = serve.rollout;
  return { coverage: Math.round(percentage * 100), ranges: allocation, placing: placingOf(serve.rollout) };
}

const placingOf = (rollout: { bucket_by: string; salt?: string; hash_version?: string }): string =>
  [rollout.bucket_by, rollout.salt ?? '', rollout.hash_version ?? ''].join('\n');

const sizeOf = (ranges: Layout['ranges']): number => ranges.reduce((sum, { from, to }) => sum + to - from, 0);

/** Basis points of the wheel on which two layouts give different variants. */
function differing(a: Layout['ranges'], b: Layout['ranges']): number {
  let same = 0;
  for (const left of a)
    for (const right of b)
      if (left.variant === right.variant)
        same += Math.max(0, Math.min(left.to, right.to) - Math.max(left.from, right.from));
  return WHOLE - same;
}
