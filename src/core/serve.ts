import { bucketOf, unitOf } from './bucketing.js';
import type { CompiledRollout, CompiledServe, Slice } from './compiled.js';
import { placed } from './decision.js';
import type { Context, Decision } from './model.js';
import type { RolloutTrace } from './trace.js';

/** Gives a context what is served. @param isPlaced whether a decision says where on the wheel the unit is */
export function serve(served: CompiledServe, context: Context, isPlaced: boolean): Decision {
  return served.fixed ?? roll(served, context, isPlaced);
}

function roll(rollout: CompiledRollout, context: Context, isPlaced: boolean): Decision {
  const { bucketBy, coverage, slices, variantSalt } = rollout;
  const unit = unitOf(context, bucketBy);
  if (unit === undefined) return rollout.unplaced;

  const at = bucketOf(unit, rollout.salt);
  const isWithin = at < coverage;
  const isSplit = variantSalt !== undefined;
  if (!isWithin || !isSplit) {
    const decision = isWithin ? slices[0].decision : rollout.outside;
    if (!isPlaced) return decision;
    return placed(decision, {
      bucketBy,
      bucket: at,
      coverage,
      isSplit,
      variantBucket: undefined,
      variantShare: undefined,
    });
  }

  const variantBucket = bucketOf(unit, variantSalt);
  const { decision, share } = slices[sliceAt(slices, variantBucket)] as Slice;
  if (!isPlaced) return decision;
  return placed(decision, { bucketBy, bucket: at, coverage, isSplit, variantBucket, variantShare: share });
}

/** The first slice that ends beyond `at`; there may be many after years of changed weights. */
function sliceAt(slices: CompiledRollout['slices'], at: number): number {
  let low = 0;
  let high = slices.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((slices[middle] as Slice).to > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Tells a decision of `serve` as buckets and ranges; `null` when no rollout was asked. */
export function rolloutTrace(
  served: CompiledServe,
  context: Context,
  { placement }: Decision,
): RolloutTrace | null {
  if (served.fixed !== undefined || placement === undefined) return null;
  const { bucketBy, bucket, coverage, variantBucket } = placement;
  return {
    attribute: bucketBy,
    unit: unitOf(context, bucketBy) ?? null,
    bucket: bucket ?? null,
    from: 0,
    to: coverage,
    matched: bucket !== undefined && bucket < coverage,
    split: variantBucket === undefined ? null : splitTrace(served.slices, variantBucket),
    ...(bucket === undefined && {
      note: 'the attribute is missing, or no text or number: not in the rollout',
    }),
  };
}

function splitTrace(slices: CompiledRollout['slices'], at: number): RolloutTrace['split'] {
  const index = sliceAt(slices, at);
  return { bucket: at, from: slices[index - 1]?.to ?? 0, to: (slices[index] as Slice).to };
}
