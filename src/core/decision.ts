import type { Decision, ErrorCode, Placement } from './model.js';

/** The answer when there is none: no value, so the caller's default applies. */
export function failed(flagKey: string, errorCode: ErrorCode): Decision {
  return {
    flagKey,
    value: undefined,
    variant: undefined,
    reason: 'ERROR',
    errorCode,
    valueType: undefined,
    version: undefined,
    isArchived: false,
    ruleId: undefined,
    prerequisiteKey: undefined,
    placement: undefined,
  };
}

/** The answer for a flag that is not there. */
export const flagNotFound = (flagKey: string): Decision => failed(flagKey, 'FLAG_NOT_FOUND');

/** A decision that is the same for many, for one of them. Spelled out, because a spread costs more than the hash. */
export function placed(decision: Decision, placement: Placement): Decision {
  return {
    flagKey: decision.flagKey,
    value: decision.value,
    variant: decision.variant,
    reason: decision.reason,
    errorCode: decision.errorCode,
    valueType: decision.valueType,
    version: decision.version,
    isArchived: decision.isArchived,
    ruleId: decision.ruleId,
    prerequisiteKey: decision.prerequisiteKey,
    placement,
  };
}

/** For boolean flags the value itself; for others whether the flag is on, has an answer, and has the unit in its rollout. */
export function isOn({
  value,
  valueType,
  reason,
  placement,
}: Pick<Decision, 'value' | 'valueType' | 'placement'> & { readonly reason: string }): boolean {
  if (valueType === 'boolean') return value === true;
  if (reason === 'DISABLED' || reason === 'PREREQUISITE_FAILED' || reason === 'ERROR') return false;
  // Whoever is not in the rollout gets the off variant, which has a value too.
  const isLeftOut = placement && (placement.bucket === undefined || placement.bucket >= placement.coverage);
  return value !== undefined && !isLeftOut;
}
