import { createHash } from 'node:crypto';
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

/** A text that is kept, and what goes with it. */
export interface KeptText extends FlagText {
  readonly variant: string | undefined;
  readonly reason: Reason;
  readonly lacksUnit: boolean;
  /** Where it is counted. */
  readonly counter: Count;
  /** Of 64 bits, in two halves: differs from that of any other text. */
  readonly digest: readonly [number, number];
  /** The text as it stands in a list: UTF-8, with a comma behind it. */
  readonly listed: Buffer;
}

/** The texts of a snapshot. */
interface Texts {
  readonly byKey: Map<string, KeptText[]>;
  /** The same texts in the order in which all flags are decided. */
  readonly rows: KeptText[][];
}

/**
 * Writes each answer of a snapshot once: what is written of a flag depends on its variant and reason only. A new snapshot
 * begins anew.
 */
export class FlagTexts {
  private readonly kept = new WeakMap<CompiledSnapshot, Texts>();

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
    const text = this.among(this.textsOf(snapshot, decision.flagKey), snapshot, decision);
    text.counter.count += 1;
    return text;
  }

  /**
   * The texts of decisions about the same flags in the same order each time; counted.
   * @param decisions of `evaluateAll`
   */
  ofAll(snapshot: CompiledSnapshot, decisions: readonly Decision[]): KeptText[] {
    const { rows } = this.keptOf(snapshot);
    const texts: KeptText[] = [];
    for (let at = 0; at < decisions.length; at += 1) {
      const decision = decisions[at] as Decision;
      const row = (rows[at] ??= this.textsOf(snapshot, decision.flagKey));
      const text = this.among(row, snapshot, decision);
      text.counter.count += 1;
      texts.push(text);
    }
    return texts;
  }

  private among(texts: KeptText[], snapshot: CompiledSnapshot, decision: Decision): KeptText {
    const { variant, reason } = decision;
    const lacks = lacksUnit(decision);
    for (const text of texts)
      if (text.variant === variant && text.reason === reason && text.lacksUnit === lacks) return text;
    const { status, json, bytes } = written(decision, lacks, this.tellsVersion);
    const hash = createHash('sha256').update(json).digest();
    const text: KeptText = {
      status,
      json,
      bytes,
      variant,
      reason,
      lacksUnit: lacks,
      counter: this.countOf(snapshot.environmentKey, decision),
      digest: [hash.readInt32LE(0), hash.readInt32LE(4)],
      listed: Buffer.from(`${json},`),
    };
    texts.push(text);
    return text;
  }

  private textsOf(snapshot: CompiledSnapshot, flagKey: string): KeptText[] {
    const { byKey } = this.keptOf(snapshot);
    let texts = byKey.get(flagKey);
    if (!texts) byKey.set(flagKey, (texts = []));
    return texts;
  }

  private keptOf(snapshot: CompiledSnapshot): Texts {
    let kept = this.kept.get(snapshot);
    if (!kept) this.kept.set(snapshot, (kept = { byKey: new Map(), rows: [] }));
    return kept;
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
