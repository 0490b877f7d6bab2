/** Answers in the words of OpenFeature. */
import type { EvaluationResult, JsonValue } from '../types.js';

/** As OpenFeature's `ResolutionDetails`; it calls codes by the same names. */
export interface Resolution<T> {
  value: T;
  variant?: string;
  reason: string;
  errorCode?: string;
  errorMessage?: string;
  flagMetadata: Record<string, string | number | boolean>;
}

export type Kind = 'boolean' | 'string' | 'number' | 'object';

/**
 * Reasons stay as they are: OpenFeature has the same, but for `PREREQUISITE_FAILED`, which it lets providers have of their own.
 * Metadata tell which state decided: `version` of the flag, `revision` of the environment where it is known, `stale` where it may be old.
 * @param kind what was asked for; another value is a mismatch
 */
export function resolutionOf<T>(
  { flagKey, value, variant, reason, errorCode, flagVersion, revision, stale }: EvaluationResult,
  fallback: T,
  kind: Kind,
): Resolution<T> {
  const flagMetadata: Record<string, string | number | boolean> = {};
  if (flagVersion !== undefined) flagMetadata['version'] = flagVersion;
  if (revision !== undefined) flagMetadata['revision'] = revision;
  if (stale) flagMetadata['stale'] = true;
  if (errorCode !== undefined) {
    const errorMessage = `Flag '${flagKey}': ${SENTENCES[errorCode] ?? 'cannot be evaluated'}`;
    return { value: fallback, reason: 'ERROR', errorCode, errorMessage, flagMetadata };
  }
  if (value === undefined) return { value: fallback, reason, flagMetadata };
  if (typeof value !== kind) {
    const errorMessage = `Flag '${flagKey}' serves ${nameOf(value)}, not ${kind}`;
    return { value: fallback, reason: 'ERROR', errorCode: 'TYPE_MISMATCH', errorMessage, flagMetadata };
  }
  const resolution: Resolution<T> = { value: value as T, reason, flagMetadata };
  if (variant !== undefined) resolution.variant = variant;
  return resolution;
}

/** Asked before or after there is a client. */
export const NOT_READY: EvaluationResult = {
  flagKey: '',
  value: undefined,
  variant: undefined,
  reason: 'ERROR',
  errorCode: 'PROVIDER_NOT_READY',
  isEnabled: false,
  flagVersion: undefined,
  revision: undefined,
  stale: true,
};

const SENTENCES: Readonly<Record<string, string>> = {
  FLAG_NOT_FOUND: 'was not found',
  TYPE_MISMATCH: 'serves a value of another type',
  PARSE_ERROR: 'cannot be read by this version',
  PROVIDER_NOT_READY: 'nothing is known yet',
  TARGETING_KEY_MISSING: 'is rolled out by targetingKey, and the context has none',
  INVALID_CONTEXT: 'the context cannot be used',
};

const nameOf = (value: JsonValue): string => (value === null ? 'null' : typeof value);
