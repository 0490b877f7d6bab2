/** What the service answers for one context, as OFREP writes it, and what that means to who asks. */
import { stableJson } from '../stable-json.js';
import type { ErrorCode, JsonValue, Reason } from '../types.js';

/** An answer about one flag: never how it came about. */
export interface Answer {
  /** `undefined`: the caller's fallback. */
  readonly value: JsonValue | undefined;
  readonly variant: string | undefined;
  readonly reason: Reason;
  readonly errorCode: ErrorCode | undefined;
  readonly flagVersion: number | undefined;
}

export type Answers = ReadonlyMap<string, Answer>;

export interface AnswerSheet {
  readonly answers: Answers;
  /** Relative to the base URL; where changes are told. */
  readonly streamPath: string | undefined;
  /** How long a page may be out of sight before it lets go of the stream, in milliseconds. */
  readonly inactivityMs: number;
}

const REASONS: Readonly<Record<string, Reason>> = {
  STATIC: 'STATIC',
  TARGETING_MATCH: 'TARGETING_MATCH',
  SPLIT: 'SPLIT',
  DISABLED: 'DISABLED',
  // What the service calls it where no rule matched: OFREP has no word for it.
  UNKNOWN: 'DEFAULT',
};

const ERROR_CODES: readonly unknown[] = [
  'FLAG_NOT_FOUND',
  'PARSE_ERROR',
  'TYPE_MISMATCH',
  'TARGETING_KEY_MISSING',
  'INVALID_CONTEXT',
];
const DEFAULT_INACTIVITY_S = 120;

type Fields = Readonly<Record<string, unknown>>;

/** @returns `undefined` when it is nothing of the kind: a proxy's page, for example */
export function readAnswerSheet(body: unknown): AnswerSheet | undefined {
  const { flags, eventStreams } = fieldsOf(body);
  if (!Array.isArray(flags)) return undefined;
  const answers = new Map<string, Answer>();
  for (const item of flags) {
    const fields = fieldsOf(item);
    if (typeof fields['key'] === 'string') answers.set(fields['key'], readAnswer(fields));
  }
  const stream = (Array.isArray(eventStreams) ? eventStreams.map(fieldsOf) : []).find(
    ({ type }) => type === 'sse',
  );
  const { requestUri } = fieldsOf(stream?.['endpoint']);
  const seconds = stream?.['inactivityDelaySec'];
  return {
    answers,
    streamPath: typeof requestUri === 'string' ? requestUri.replace(/^\/+/, '') : undefined,
    inactivityMs: (typeof seconds === 'number' ? seconds : DEFAULT_INACTIVITY_S) * 1000,
  };
}

function readAnswer({ value, variant, reason, errorCode, metadata }: Fields): Answer {
  const { version } = fieldsOf(metadata);
  if (errorCode !== undefined) {
    const code = ERROR_CODES.includes(errorCode) ? (errorCode as ErrorCode) : 'GENERAL';
    return { value: undefined, variant: undefined, reason: 'ERROR', errorCode: code, flagVersion: undefined };
  }
  return {
    value: value as JsonValue | undefined,
    variant: typeof variant === 'string' ? variant : undefined,
    reason: REASONS[String(reason)] ?? 'DEFAULT',
    errorCode: undefined,
    flagVersion: typeof version === 'number' ? version : undefined,
  };
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** The keys of flags whose answers differ, in any order. */
export function changedKeys(before: Answers, after: Answers): string[] {
  const keys = [...after.keys()].filter((key) => stableJson(before.get(key)) !== stableJson(after.get(key)));
  return [...keys, ...[...before.keys()].filter((key) => !after.has(key))];
}
