/** What `/evaluate` answers, and what it means to who asks. */
import { NetworkError } from '../errors.js';
import type { ErrorCode, EvaluationResult, FlagTrace, JsonValue, Reason } from '../types.js';

export type RemoteAnswer = Omit<EvaluationResult, 'stale'>;

type Fields = Readonly<Record<string, unknown>>;

/** @throws NetworkError when it is nothing of the kind: a proxy's page, for example */
export function readAnswer(body: unknown): RemoteAnswer {
  const fields = fieldsOf(body);
  const { flag_key: flagKey, reason_code: reason, value, variant, enabled, reason: sentence, trace } = fields;
  if (typeof flagKey !== 'string' || typeof reason !== 'string') throw notAnswered();
  const number = (name: string): number | undefined => {
    const found = fields[name];
    return typeof found === 'number' ? found : undefined;
  };
  const isServed = typeof variant === 'string';
  return {
    flagKey,
    // A variant may serve null; without a variant null is nothing.
    value: isServed ? (value as JsonValue) : undefined,
    variant: isServed ? variant : undefined,
    reason: reason as Reason,
    errorCode: fields['error_code'] as ErrorCode | undefined,
    isEnabled: enabled === true,
    flagVersion: number('flag_version'),
    revision: number('revision'),
    ...(trace === undefined
      ? {}
      : { explanation: { sentence: String(sentence), trace: trace as FlagTrace } }),
  };
}

/** @throws NetworkError as `readAnswer` does */
export function readAnswers(body: unknown): RemoteAnswer[] {
  const { flags } = fieldsOf(body);
  if (!Array.isArray(flags)) throw notAnswered();
  return flags.map(readAnswer);
}

const notAnswered = (): NetworkError =>
  new NetworkError('The service answered something that is no answer about flags');

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
