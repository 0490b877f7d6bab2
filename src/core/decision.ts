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
    isOn: false,
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
    isOn: decision.isOn,
    placement,
  };
}
