import { BUCKETS, type Decision, type Placement, TARGETING_KEY } from './model.js';

/**
 * Says to people why a decision is what it is, in the words of source system 002:
 * "User bucket 53 is within 75% rollout".
 * @param decision of `evaluate` or `evaluateAll`
 * @param environmentKey of the snapshot that decided
 */
export function reasonSentence(decision: Decision, environmentKey: string): string {
  const { flagKey, variant, ruleId, prerequisiteKey } = decision;
  if (decision.errorCode === 'FLAG_NOT_FOUND')
    return `Flag '${flagKey}' not found in environment '${environmentKey}'`;
  if (decision.errorCode !== undefined) return `Flag '${flagKey}' cannot be read`;
  if (decision.isArchived) return 'Flag is archived';
  if (decision.reason === 'DISABLED') return 'Flag is disabled';
  if (prerequisiteKey !== undefined) return `Prerequisite '${prerequisiteKey}' is not met`;
  const rule = ruleId === undefined ? '' : `Rule '${ruleId}': `;
  if (decision.placement !== undefined) return rule + rolloutSentence(decision, decision.placement);
  if (ruleId !== undefined) return `Rule '${ruleId}' serves variant '${variant ?? ''}'`;
  if (decision.reason === 'TARGETING_MATCH') return `User is listed for variant '${variant ?? ''}'`;
  if (decision.reason === 'DEFAULT') return `No rule matches: variant '${variant ?? ''}' is the default`;
  if (decision.valueType === 'boolean' && decision.value === true) return 'Boolean flag is enabled';
  return `Flag serves variant '${variant ?? ''}' to everyone`;
}

/**
 * As `reasonSentence`, for whoever may know what they get and not why: names no rule, no other flag, no attribute and no share.
 */
export function discreetSentence(decision: Decision, environmentKey: string): string {
  const { variant, errorCode, reason } = decision;
  if (errorCode !== undefined) return reasonSentence(decision, environmentKey);
  if (reason === 'DISABLED' || reason === 'PREREQUISITE_FAILED') return 'Flag is disabled';
  return variant === undefined ? 'No variant is served' : `Variant '${variant}' is served`;
}

function rolloutSentence({ variant, valueType }: Decision, placement: Placement): string {
  const { bucketBy, bucket, coverage, isSplit, variantBucket, variantShare } = placement;
  if (bucket === undefined) {
    if (bucketBy !== TARGETING_KEY) return `Rollout requires attribute '${bucketBy}'`;
    const isPercentage = valueType === 'boolean' && !isSplit;
    return isPercentage ? 'Percentage flag requires user_id' : 'Rollout requires user_id';
  }
  if (coverage === BUCKETS && variantBucket !== undefined && variantShare !== undefined) {
    return `${bucketOf(bucketBy, variantBucket)} is in the ${percent(variantShare)} share of variant '${variant ?? ''}'`;
  }
  const sentence = `${bucketOf(bucketBy, bucket)} is ${bucket < coverage ? 'within' : 'outside'} ${percent(coverage)} rollout`;
  return isSplit && variant !== undefined ? `${sentence} and gets variant '${variant}'` : sentence;
}

/** A bucket is the user's unless another attribute decides. */
function bucketOf(bucketBy: string, bucket: number): string {
  return bucketBy === TARGETING_KEY ? `User bucket ${bucket}` : `Bucket ${bucket} of '${bucketBy}'`;
}

/** Basis points as people write them: 1234 is 12.34%. */
function percent(basisPoints: number): string {
  return `${basisPoints / 100}%`;
}
