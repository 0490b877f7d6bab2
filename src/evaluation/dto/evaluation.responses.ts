import { z } from 'zod';
import { ERROR_CODES, REASONS } from '../../core/index.js';
import type { Answer, BulkAnswer } from '../evaluation.service.js';
import { presentTrace, traceResponse } from './trace.response.js';

const shape = {
  enabled: z.boolean().meta({
    description:
      'For boolean flags the value itself; for others whether the flag is on, has an answer, and has the user in its rollout.',
  }),
  flag_key: z.string().meta({ example: 'new-checkout' }),
  value: z.unknown().meta({ description: "What the user gets; null: nothing, the caller's default." }),
  variant: z.string().nullable().meta({ example: 'on' }),
  reason: z
    .string()
    .meta({ description: 'A sentence for people.', example: 'User bucket 139 is within 25% rollout' }),
  reason_code: z.enum([...REASONS, 'UNKNOWN']).meta({
    description: 'A client key is told UNKNOWN, DISABLED or ERROR.',
    example: 'SPLIT',
  }),
  error_code: z.enum(ERROR_CODES).optional().meta({ description: 'Only with reason_code ERROR.' }),
  cached: z.boolean().meta({ description: 'Answered without reading Postgres; evaluations always are.' }),
  flag_version: z
    .int()
    .nullable()
    .meta({ description: 'The version of the flag that decided; null for a client key.' }),
  revision: z
    .int()
    .nullable()
    .meta({ description: "The environment's revision that decided; null for a client key." }),
  trace: traceResponse.optional().meta({ description: 'Every step; only with `explain: true`.' }),
};

const EXAMPLE = {
  enabled: true,
  flag_key: 'new-checkout',
  value: true,
  variant: 'on',
  reason: 'User bucket 139 is within 25% rollout',
  reason_code: 'SPLIT',
  cached: true,
  flag_version: 3,
  revision: 42,
};

export const evaluationResponse = z.object(shape).meta({ id: 'Evaluation', example: EXAMPLE });

export const evaluationsResponse = z
  .object({
    environment_key: z.string(),
    revision: z.int().nullable(),
    reason: z.string().optional().meta({ description: 'Only where nothing can be answered: why.' }),
    flags: z.array(evaluationResponse),
  })
  .meta({
    id: 'Evaluations',
    example: { environment_key: 'production', revision: 42, flags: [EXAMPLE] },
  });

export function presentAnswer({
  decision,
  reason,
  revision,
  trace,
}: Answer): z.infer<typeof evaluationResponse> {
  const { errorCode } = decision;
  return {
    enabled: decision.isOn,
    flag_key: decision.flagKey,
    value: decision.value ?? null,
    variant: decision.variant ?? null,
    reason,
    reason_code: decision.reason,
    ...(errorCode === undefined ? {} : { error_code: errorCode }),
    cached: true,
    flag_version: decision.version ?? null,
    revision: revision ?? null,
    ...(trace ? { trace: presentTrace(trace) } : {}),
  };
}

/** The JSON of `presentAnswer`, without steps, on both sides of the reason: the only part that differs between people. */
export function printAroundReason(answer: Answer): readonly [string, string] {
  const printed = JSON.stringify(presentAnswer({ ...answer, reason: MARK }));
  // What comes after the reason holds nothing that anybody wrote, so the last mark is ours.
  const at = printed.lastIndexOf(PRINTED_MARK);
  return [printed.slice(0, at), printed.slice(at + PRINTED_MARK.length)];
}

const MARK = '\u0000';
const PRINTED_MARK = JSON.stringify(MARK);

export function presentAnswers(
  environmentKey: string,
  { revision, reason, answers }: BulkAnswer,
): z.infer<typeof evaluationsResponse> {
  return {
    environment_key: environmentKey,
    revision: revision ?? null,
    ...(reason === undefined ? {} : { reason }),
    flags: answers.map(presentAnswer),
  };
}
