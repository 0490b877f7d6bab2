import { z } from 'zod';
import { FAILURE_CODES, OFREP_REASONS } from '../ofrep-text.js';

const key = z.string().meta({ example: 'new-checkout' });
const errorDetails = z.string().meta({ description: 'What is wrong, for people.' });

const EXAMPLE = {
  key: 'new-checkout',
  value: true,
  reason: 'TARGETING_MATCH',
  variant: 'on',
  metadata: { version: 3 },
};
const NO_UNIT = {
  key: 'new-price',
  errorCode: 'TARGETING_KEY_MISSING',
  errorDetails: "Flag 'new-price' needs a targetingKey, and the context has none",
};

export const ofrepEvaluation = z
  .object({
    key,
    value: z.unknown().meta({ description: "Any JSON value; absent: the caller's default applies." }),
    reason: z.enum(OFREP_REASONS),
    variant: z.string().optional().meta({ example: 'on' }),
    metadata: z
      .object({ version: z.int().meta({ description: 'The version of the flag that decided.' }) })
      .optional()
      .meta({ description: 'Not for client keys.' }),
  })
  .partial({ value: true })
  .meta({ id: 'OfrepEvaluation', example: EXAMPLE });

const flagFailure = z
  .object({ key, errorCode: z.enum(FAILURE_CODES), errorDetails })
  .meta({ id: 'OfrepFlagFailure', example: NO_UNIT });

export const ofrepEvaluations = z
  .object({
    flags: z.array(z.union([ofrepEvaluation, flagFailure])),
    eventStreams: z.array(
      z.object({
        type: z.literal('sse'),
        endpoint: z.object({
          requestUri: z.string().meta({ description: 'On this service. A secret: do not log it.' }),
        }),
        inactivityDelaySec: z.int(),
      }),
    ),
  })
  .meta({
    id: 'OfrepEvaluations',
    example: {
      flags: [EXAMPLE, NO_UNIT],
      eventStreams: [
        {
          type: 'sse',
          endpoint: {
            requestUri:
              '/ofrep/v1/stream?token=gvT8Xx3sRZ2m7m0p3r4xjAAAr5GyqB3s8b0WJ9n2Uu3mQw5x&since=42-9f86d081884c',
          },
          inactivityDelaySec: 120,
        },
      ],
    },
  });

export const ofrepFailureResponse = z
  .object({
    key: key.optional().meta({ description: 'Where the path names a flag.' }),
    errorCode: z.enum(FAILURE_CODES),
    errorDetails,
  })
  .meta({
    id: 'OfrepFailure',
    example: {
      key: 'new-checkout',
      errorCode: 'FLAG_NOT_FOUND',
      errorDetails: "Flag 'new-checkout' was not found",
    },
  });

export const OFREP_STREAM_EXAMPLE = `retry: 1840

id: 43-3fdba35f04dc
data: {"type":"refetchEvaluation","etag":"43-3fdba35f04dc"}

:

`;
