import { TARGETING_KEY, type CompiledSnapshot, type Decision, type Reason } from '../core/index.js';

/** An answer about one flag, as OFREP writes it. */
export interface FlagText {
  readonly status: 200 | 400 | 404;
  readonly json: string;
}

/** What OFREP calls our reasons; those of errors are failures there. */
export const OFREP_REASONS = ['STATIC', 'TARGETING_MATCH', 'SPLIT', 'DISABLED', 'UNKNOWN'] as const;
type OfrepReason = (typeof OFREP_REASONS)[number];

const REASON: Readonly<Record<Exclude<Reason, 'ERROR'>, OfrepReason>> = {
  STATIC: 'STATIC',
  TARGETING_MATCH: 'TARGETING_MATCH',
  SPLIT: 'SPLIT',
  DISABLED: 'DISABLED',
  // It is as if it were off.
  PREREQUISITE_FAILED: 'DISABLED',
  // OFREP has no word for "no rule matched", and STATIC would say that another context gets the same.
  DEFAULT: 'UNKNOWN',
};

export const FAILURE_CODES = [
  'FLAG_NOT_FOUND',
  'PARSE_ERROR',
  'TARGETING_KEY_MISSING',
  'INVALID_CONTEXT',
  'GENERAL',
] as const;
export type FailureCode = (typeof FAILURE_CODES)[number];

/** @param key of the flag, where it is about one */
export const failureJson = (key: string | undefined, errorCode: FailureCode, errorDetails: string): string =>
  JSON.stringify({ key, errorCode, errorDetails });

interface Kept extends FlagText {
  readonly variant: string | undefined;
  readonly reason: Reason;
  readonly lacksUnit: boolean;
}

/**
 * Writes each answer of a snapshot once: what is written of a flag depends on its variant and reason only. A new snapshot
 * begins anew.
 */
export class FlagTexts {
  private readonly kept = new WeakMap<CompiledSnapshot, Map<string, Kept[]>>();

  of(snapshot: CompiledSnapshot, decision: Decision): FlagText {
    // Whatever is asked for and not there must not be kept.
    if (decision.errorCode === 'FLAG_NOT_FOUND') return notFound(decision.flagKey);
    const { flagKey, variant, reason } = decision;
    const lacks = lacksUnit(decision);
    const texts = this.textsOf(snapshot, flagKey);
    for (const text of texts)
      if (text.variant === variant && text.reason === reason && text.lacksUnit === lacks) return text;
    const text = { variant, reason, lacksUnit: lacks, ...written(decision, lacks) };
    texts.push(text);
    return text;
  }

  private textsOf(snapshot: CompiledSnapshot, flagKey: string): Kept[] {
    let flags = this.kept.get(snapshot);
    if (!flags) {
      flags = new Map();
      this.kept.set(snapshot, flags);
    }
    let texts = flags.get(flagKey);
    if (!texts) {
      texts = [];
      flags.set(flagKey, texts);
    }
    return texts;
  }
}

/** Whether a rollout was asked that places users by who they are, and nobody was named. */
const lacksUnit = ({ placement }: Decision): boolean =>
  placement !== undefined && placement.bucket === undefined && placement.bucketBy === TARGETING_KEY;

function written(decision: Decision, lacksUnit: boolean): FlagText {
  const { flagKey: key, value, variant, reason, errorCode, version } = decision;
  if (reason === 'ERROR') {
    const code = errorCode === 'PARSE_ERROR' ? 'PARSE_ERROR' : 'GENERAL';
    return { status: 400, json: failureJson(key, code, `Flag '${key}' cannot be evaluated`) };
  }
  if (lacksUnit) {
    const told = `Flag '${key}' is rolled out by ${TARGETING_KEY}, and the context has none`;
    return { status: 400, json: failureJson(key, 'TARGETING_KEY_MISSING', told) };
  }
  const metadata = version === undefined ? undefined : { version };
  return { status: 200, json: JSON.stringify({ key, value, reason: REASON[reason], variant, metadata }) };
}

const notFound = (key: string): FlagText => ({
  status: 404,
  json: failureJson(key, 'FLAG_NOT_FOUND', `Flag '${key}' was not found`),
});
