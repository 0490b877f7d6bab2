import { type SaltKeeper, variantSalt } from './bucketing.js';
import type { CompiledRollout, CompiledServe, Slice } from './compiled.js';
import type { AllocationRange, Decision, Placement, Reason, Rollout, Serve } from './model.js';

/** Says that the unit is in no slice of the rollout, and so gets what the flag serves when it is off. */
export interface OutOfRollout {
  /** The same for all of them, where it is. */
  readonly placement: Placement | undefined;
}

/** Whose serve it is. */
export interface Server {
  /** Makes a decision; `null` is no variant, and so no value. */
  readonly decide: (variant: string | null, reason: Reason, out?: OutOfRollout) => Decision;
  readonly offVariant: string | null;
  readonly salts: SaltKeeper;
}

/** Prepares what is served. @param reason of a plain variant; a rollout says SPLIT */
export function compileServe(serve: Serve, reason: Reason, server: Server): CompiledServe {
  return 'variant' in serve
    ? { fixed: server.decide(serve.variant, reason) }
    : compileRollout(serve.rollout, server);
}

function compileRollout(rollout: Rollout, { decide, offVariant, salts }: Server): CompiledRollout {
  const { bucketBy, salt, hashVersion, coverage, ranges } = rollout;
  const slices = slice(ranges, decide);
  const nowhere = Object.freeze({
    bucketBy,
    bucket: undefined,
    coverage,
    isSplit: slices.length > 1,
    variantBucket: undefined,
    variantShare: undefined,
  });
  return {
    fixed: undefined,
    bucketBy,
    salt: salts(salt, hashVersion),
    variantSalt: slices.length > 1 ? salts(variantSalt(salt), hashVersion) : undefined,
    coverage,
    unplaced: decide(offVariant, 'SPLIT', { placement: nowhere }),
    outside: decide(offVariant, 'SPLIT', { placement: undefined }),
    slices,
  };
}

function slice(ranges: readonly AllocationRange[], decide: Server['decide']): CompiledRollout['slices'] {
  const shares = new Map<string, number>();
  for (const { variant, from, to } of ranges) shares.set(variant, (shares.get(variant) ?? 0) + to - from);
  const decisions = new Map([...shares.keys()].map((variant) => [variant, decide(variant, 'SPLIT')]));
  const slices = ranges.map(({ variant, to }) => ({
    to,
    decision: decisions.get(variant) as Decision,
    share: shares.get(variant) as number,
  }));
  // Ranges cover the wheel, so there is one.
  return (shares.size === 1 ? slices.slice(-1) : slices) as [Slice, ...Slice[]];
}
