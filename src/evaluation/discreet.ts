import type { Decision, Reason } from '../core/index.js';

/** Why a decision is what it is, as far as the one who asks may know. */
export type ToldReason = Reason | 'UNKNOWN';

/** A decision as it is told. */
export interface ToldDecision extends Omit<Decision, 'reason'> {
  readonly reason: ToldReason;
}

/**
 * What may be told to whoever may know values and variants and nothing of how they came about (ADR 0019): whether the flag is off
 * for them, but not by what; whether it failed; else nothing. No version either: it counts changes of rules that nobody sees.
 */
export function discreet(decision: Decision): ToldDecision {
  // Spelled out: a spread takes longer than the evaluation.
  return {
    flagKey: decision.flagKey,
    value: decision.value,
    variant: decision.variant,
    reason: DISCREET[decision.reason],
    errorCode: decision.errorCode,
    valueType: decision.valueType,
    version: undefined,
    isArchived: decision.isArchived,
    ruleId: decision.ruleId,
    prerequisiteKey: decision.prerequisiteKey,
    isOn: decision.isOn,
    placement: decision.placement,
  };
}

const DISCREET: Readonly<Record<Reason, ToldReason>> = {
  STATIC: 'UNKNOWN',
  DEFAULT: 'UNKNOWN',
  TARGETING_MATCH: 'UNKNOWN',
  SPLIT: 'UNKNOWN',
  DISABLED: 'DISABLED',
  PREREQUISITE_FAILED: 'DISABLED',
  ERROR: 'ERROR',
};
