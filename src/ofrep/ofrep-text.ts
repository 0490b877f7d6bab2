import { TARGETING_KEY, type CompiledSnapshot, type Decision, type Reason } from '../core/index.js';
import type { Count } from '../platform/metrics/tally.js';

/** An answer about one flag, as OFREP writes it. */
export interface FlagText {
  readonly status: 200 | 400 | 404;
  readonly json: string;
  /** Of it as UTF-8. */
  readonly bytes: number;
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

/** A text, and what goes with it. */
export interface CountedText extends FlagText {
  readonly variant: string | undefined;
  readonly reason: Reason;
  readonly lacksUnit: boolean;
  /** Where it is counted. */
  readonly counter: Count;
}

/**
 * Writes each answer of a snapshot once: what is written of a flag depends on its variant and reason only. A new snapshot
 * begins anew.
 */
export class FlagTexts {
  private readonly bySnapshot = new WeakMap<CompiledSnapshot, Map<string, CountedText[]>>();

  /**
   * @param tellsVersion not to whoever may know values and variants only
   * @param countOf where decisions like this one are counted
   */
  constructor(
    private readonly tellsVersion: boolean,
    private readonly countOf: (environment: string, decision: Decision) => Count,
  ) {}

  /** The text of a decision, counted. */
  of(snapshot: CompiledSnapshot, decision: Decision): FlagText {
    // Whatever is asked for and not there must not be kept.
    if (decision.errorCode === 'FLAG_NOT_FOUND') {
      this.countOf(snapshot.environmentKey, decision).count += 1;
      return notFound(decision.flagKey);
    }
    const text = this.kept(snapshot, decision);
    text.counter.count += 1;
    return text;
  }

  /** The text of a decision about a flag that exists, not counted and not kept. */
  written(snapshot: CompiledSnapshot, decision: Decision): CountedText {
    const lacks = lacksUnit(decision);
    const text = written(decision, lacks, this.tellsVersion);
    return {
      ...text,
      variant: decision.variant,
      reason: decision.reason,
      lacksUnit: lacks,
      counter: this.countOf(snapshot.environmentKey, decision),
    };
  }

  private kept(snapshot: CompiledSnapshot, decision: Decision): CountedText {
    const texts = this.textsOf(snapshot, decision.flagKey);
    const { variant, reason } = decision;
    const lacks = lacksUnit(decision);
    for (const text of texts)
      if (text.variant === variant && text.reason === reason && text.lacksUnit === lacks) return text;
    const text = this.written(snapshot, decision);
    texts.push(text);
    return text;
  }

  private textsOf(snapshot: CompiledSnapshot, flagKey: string): CountedText[] {
    let byKey = this.bySnapshot.get(snapshot);
    if (!byKey) this.bySnapshot.set(snapshot, (byKey = new Map<string, CountedText[]>()));
    let texts = byKey.get(flagKey);
    if (!texts) byKey.set(flagKey, (texts = []));
    return texts;
  }
}

/** Whether a rollout was asked that places users by who they are, and nobody was named. */
const lacksUnit = ({ placement }: Decision): boolean =>
  placement !== undefined && placement.bucket === undefined && placement.bucketBy === TARGETING_KEY;

function written(decision: Decision, lacksUnit: boolean, tellsVersion: boolean): FlagText {
  const { flagKey: key, value, variant, reason, errorCode, version } = decision;
  if (reason === 'ERROR') {
    const code = errorCode === 'PARSE_ERROR' ? 'PARSE_ERROR' : 'GENERAL';
    return textOf(400, failureJson(key, code, `Flag '${key}' cannot be evaluated`));
  }
  if (lacksUnit) {
    const told = `Flag '${key}' needs a ${TARGETING_KEY}, and the context has none`;
    return textOf(400, failureJson(key, 'TARGETING_KEY_MISSING', told));
  }
  const metadata = version === undefined || !tellsVersion ? undefined : { version };
  return textOf(200, JSON.stringify({ key, value, reason: REASON[reason], variant, metadata }));
}

const notFound = (key: string): FlagText =>
  textOf(404, failureJson(key, 'FLAG_NOT_FOUND', `Flag '${key}' was not found`));

const textOf = (status: FlagText['status'], json: string): FlagText => ({
  status,
  json,
  bytes: Buffer.byteLength(json),
});
