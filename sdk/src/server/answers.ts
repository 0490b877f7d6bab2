/** What a caller gets, from what the core decided. */
import { type Decision, evaluate, explain, reasonSentence } from '../core.js';
import { suits } from '../suits.js';
import type { Context, ErrorCode, EvaluationResult } from '../types.js';
import { unitOf } from '../unit.js';
import type { Held } from './ruleset-store.js';

/** Asks for more than the answer. */
export interface EvaluateOptions {
  /** Whether to tell every step, as `explanation`. Deciding takes no longer without. */
  readonly explain?: boolean;
}

/** The other name of the unit, as the HTTP API calls it. */
const USER_ID = 'user_id';

/** The context as the core wants it; `undefined` when it is none. */
export function contextOf(context: Context | undefined): Context | undefined {
  if (context === undefined) return {};
  if (typeof context !== 'object' || (context as unknown) === null || Array.isArray(context))
    return undefined;
  const { targetingKey } = context;
  if (typeof targetingKey === 'string') return context;
  // Numbers name users too, and are the same users as their decimal text.
  const unit = unitText(targetingKey) ?? unitText(context[USER_ID]);
  return unit === undefined ? context : { ...context, targetingKey: unit };
}

const unitText = (value: unknown): string | undefined =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value))
    ? String(value)
    : undefined;

/** Who a context speaks of; `undefined` when it is none, or cannot be read. */
export function unitIn(context: Context | undefined): string | undefined {
  try {
    const asked = contextOf(context);
    return asked && unitOf(asked);
  } catch {
    return undefined;
  }
}

/** The answer where nothing could be decided. */
export function failedResult<T>(
  flagKey: string,
  fallback: T,
  errorCode: ErrorCode,
  held: Held | undefined,
): EvaluationResult<T> {
  return {
    flagKey,
    value: fallback,
    variant: undefined,
    reason: 'ERROR',
    errorCode,
    isEnabled: false,
    flagVersion: undefined,
    revision: held?.compiled.revision,
    stale: true,
  };
}

/** @param isStale as the client is */
export function resultOf<T>(
  decision: Decision,
  fallback: T,
  { compiled }: Held,
  isStale: boolean,
): EvaluationResult<T> {
  const { flagKey, value, version } = decision;
  const fits = value === undefined || suits(value, fallback);
  return {
    flagKey,
    value: value === undefined || !fits ? fallback : (value as T),
    variant: fits ? decision.variant : undefined,
    reason: fits ? decision.reason : 'ERROR',
    errorCode: fits ? decision.errorCode : 'TYPE_MISMATCH',
    isEnabled: fits && decision.isOn,
    flagVersion: version,
    revision: compiled.revision,
    stale: isStale,
  };
}

/** Decides, and tells every step when asked to. Never throws, whatever the context holds. */
export function answer<T>(
  flagKey: string,
  context: Context | undefined,
  fallback: T,
  { held, isStale }: { readonly held: Held; readonly isStale: boolean },
  options?: EvaluateOptions,
): EvaluationResult<T> {
  try {
    const asked = contextOf(context);
    if (asked === undefined) return failedResult(flagKey, fallback, 'INVALID_CONTEXT', held);
    if (options?.explain !== true)
      return resultOf(evaluate(held.compiled, flagKey, asked, Date.now), fallback, held, isStale);
    const { decision, trace } = explain(held.compiled, flagKey, asked, Date.now);
    const sentence = reasonSentence(decision, held.compiled.environmentKey);
    return { ...resultOf(decision, fallback, held, isStale), explanation: { sentence, trace } };
  } catch {
    // JSON cannot do this; a getter or a proxy can.
    return failedResult(flagKey, fallback, 'INVALID_CONTEXT', held);
  }
}
