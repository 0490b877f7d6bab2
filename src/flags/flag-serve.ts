import { isDeepStrictEqual } from 'node:util';
import {
  allocate,
  BUCKETS,
  HASH_VERSIONS,
  TARGETING_KEY,
  type AllocationRange,
  type HashVersion,
  type Rollout,
  type Serve,
  type ValueType,
  type Variant,
  type Weight,
} from '../core/index.js';
import type { InputProblem } from '../platform/errors/errors.js';
import type { FlagType } from './flag.js';

/** What an editor asks to be served: shares, not ranges. Where the ranges lie follows from where they lay before. */
export type ServeInput = { readonly variant: string } | { readonly rollout: RolloutInput };

export interface RolloutInput {
  readonly bucketBy?: string | undefined;
  readonly salt?: string | undefined;
  readonly hashVersion?: HashVersion | undefined;
  /** Basis points of units in the rollout; those of the last rollout when absent, or all. */
  readonly coverage?: number | undefined;
  /** Shares within the rollout, 10 000 in sum; those of the last rollout when absent, or `true` for everyone of a boolean flag. */
  readonly weights?: readonly Weight[] | undefined;
  /** Exact ranges, to copy a rollout as it is. Followed where they agree with the weights. */
  readonly allocation?: readonly AllocationRange[] | undefined;
}

/** What must be known of a flag to say what an input means for it. */
export interface ServeContext {
  readonly key: string;
  readonly valueType: ValueType;
  readonly variants: readonly Variant[];
  readonly offVariant: string | null;
  /** The one in force, or the last that was. */
  readonly lastRollout: Rollout | undefined;
}

export type Resolved = { readonly serve: Serve } | { readonly problems: readonly InputProblem[] };

/** Turns shares into ranges that move the fewest people from where they are. */
export function resolveServe(input: ServeInput, flag: ServeContext): Resolved {
  if ('variant' in input) {
    const isKnown = flag.variants.some(({ key }) => key === input.variant);
    return isKnown
      ? { serve: input }
      : { problems: [{ path: 'variant', message: notAVariant(input.variant) }] };
  }
  const { coverage, weights } = sharesOf(input.rollout, flag);
  const problems = flawsOf(weights, flag.variants);
  if (problems.length > 0) return { problems };
  const last = flag.lastRollout;
  if (last && asksForNothingNew(input.rollout, last, flag.variants)) return { serve: { rollout: last } };
  const placing = placingOf(flag);
  const rollout: Rollout = {
    bucketBy: input.rollout.bucketBy ?? placing.bucketBy,
    salt: input.rollout.salt ?? placing.salt,
    hashVersion: input.rollout.hashVersion ?? placing.hashVersion,
    coverage,
    ranges: rangesOf(weights, input.rollout.allocation, last?.ranges ?? []),
  };
  return { serve: { rollout } };
}

/** How a flag places units where nothing else is said: as its last rollout did, or anew by its key. */
export function placingOf({
  key,
  lastRollout,
}: Pick<ServeContext, 'key' | 'lastRollout'>): Pick<Rollout, 'bucketBy' | 'salt' | 'hashVersion'> {
  return lastRollout ?? { bucketBy: TARGETING_KEY, salt: key, hashVersion: HASH_VERSIONS[0] };
}

export const notAVariant = (key: string): string => `'${key}' is not a variant of this flag`;

/** The serve of a boolean flag that is on for `coverage` basis points of units. */
export function percentageServe(coverage: number, flag: ServeContext): Resolved {
  const on = variantOf(true, flag.variants) ?? '';
  const weights = [{ variant: on, basisPoints: BUCKETS }];
  return resolveServe({ rollout: { coverage, weights, bucketBy: TARGETING_KEY } }, flag);
}

/** The serve of a boolean flag that is on for everyone. */
export function onForEveryone(variants: readonly Variant[]): Serve {
  return { variant: variantOf(true, variants) ?? '' };
}

/** Whoever writes back what was read keeps it, also where the same shares would be laid out otherwise today. */
function asksForNothingNew(input: RolloutInput, last: Rollout, variants: readonly Variant[]): boolean {
  const asked: Partial<Rollout> = {
    ...(input.bucketBy === undefined ? {} : { bucketBy: input.bucketBy }),
    ...(input.salt === undefined ? {} : { salt: input.salt }),
    ...(input.hashVersion === undefined ? {} : { hashVersion: input.hashVersion }),
    ...(input.allocation === undefined ? {} : { ranges: input.allocation }),
    ...(input.coverage === undefined ? {} : { coverage: input.coverage }),
  };
  const weights = weightsOf(last, variants);
  return (
    isDeepStrictEqual({ ...last, ...asked }, last) && isDeepStrictEqual(input.weights ?? weights, weights)
  );
}

/** What is left out stays as it was, like the rest of a rollout. */
function sharesOf(
  { coverage, weights }: RolloutInput,
  flag: ServeContext,
): { coverage: number; weights: readonly Weight[] } {
  const last = flag.lastRollout;
  const on = flag.valueType === 'boolean' ? variantOf(true, flag.variants) : undefined;
  const everyoneOn = on === undefined ? [] : [{ variant: on, basisPoints: BUCKETS }];
  const share = shareOfOn(weights, on, flag.offVariant);
  // 25 % on and 75 % off is what `rollout_percentage: 25` says, and must choose the same people.
  if (share !== undefined && (coverage === undefined || coverage === BUCKETS))
    return { coverage: share, weights: everyoneOn };
  return {
    coverage: coverage ?? last?.coverage ?? BUCKETS,
    weights: weights ?? (last ? weightsOf(last, flag.variants) : everyoneOn),
  };
}

/** The share of `on` where the weights are of it and of the off variant, and of nothing else. */
function shareOfOn(
  weights: readonly Weight[] | undefined,
  on: string | undefined,
  offVariant: string | null,
): number | undefined {
  const [first, second] = [on, offVariant].map((key) => weights?.find(({ variant }) => variant === key));
  if (weights?.length !== 2 || !first || !second) return undefined;
  return first.basisPoints + second.basisPoints === BUCKETS ? first.basisPoints : undefined;
}

function flawsOf(weights: readonly Weight[], variants: readonly Variant[]): InputProblem[] {
  const problems: InputProblem[] = [];
  const known = new Set(variants.map(({ key }) => key));
  const seen = new Set<string>();
  for (const [index, { variant }] of weights.entries()) {
    const path = `rollout.weights[${index}].variant`;
    if (!known.has(variant)) problems.push({ path, message: notAVariant(variant) });
    if (seen.has(variant)) problems.push({ path, message: `'${variant}' is listed twice` });
    seen.add(variant);
  }
  const sum = weights.reduce((total, { basisPoints }) => total + basisPoints, 0);
  if (sum !== BUCKETS)
    problems.push({ path: 'rollout.weights', message: `must sum to 100, not ${sum / 100}` });
  return problems;
}

function rangesOf(
  weights: readonly Weight[],
  wanted: readonly AllocationRange[] | undefined,
  previous: readonly AllocationRange[],
): readonly AllocationRange[] {
  return wanted && fits(wanted, weights) ? wanted : allocate(weights, previous);
}

function fits(ranges: readonly AllocationRange[], weights: readonly Weight[]): boolean {
  const widths = new Map<string, number>();
  let end = 0;
  for (const { variant, from, to } of ranges) {
    if (from !== end || to <= from) return false;
    widths.set(variant, (widths.get(variant) ?? 0) + to - from);
    end = to;
  }
  return (
    end === BUCKETS && weights.every(({ variant, basisPoints }) => (widths.get(variant) ?? 0) === basisPoints)
  );
}

/** The share of each variant within the rollout, in basis points, in the order of the flag's variants. */
export function weightsOf({ ranges }: Rollout, variants: readonly Variant[]): Weight[] {
  return variants.flatMap(({ key }) => {
    const basisPoints = ranges
      .filter(({ variant }) => variant === key)
      .reduce((sum, { from, to }) => sum + to - from, 0);
    return basisPoints > 0 ? [{ variant: key, basisPoints }] : [];
  });
}

/** The simple reading of what a flag serves: `coverage` in basis points where it is a plain share. */
export function simpleView(
  flag: Pick<ServeContext, 'valueType' | 'variants' | 'offVariant'> & { readonly defaultServe: Serve },
): {
  readonly type: FlagType;
  readonly coverage: number | undefined;
} {
  const on = variantOf(true, flag.variants);
  if (flag.valueType !== 'boolean' || on === undefined) return { type: 'multivariate', coverage: undefined };
  if ('variant' in flag.defaultServe) {
    return flag.defaultServe.variant === on
      ? { type: 'boolean', coverage: BUCKETS }
      : { type: 'multivariate', coverage: undefined };
  }
  const { bucketBy, coverage, ranges } = flag.defaultServe.rollout;
  const isPlain =
    bucketBy === TARGETING_KEY &&
    ranges.length === 1 &&
    ranges[0]?.variant === on &&
    flag.offVariant === variantOf(false, flag.variants);
  return isPlain ? { type: 'percentage', coverage } : { type: 'multivariate', coverage: undefined };
}

function variantOf(value: boolean, variants: readonly Variant[]): string | undefined {
  return variants.find((variant) => variant.value === value)?.key;
}
