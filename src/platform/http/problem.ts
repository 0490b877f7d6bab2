import { z } from 'zod';

/** One mistake in the input. */
const inputProblem = z
  .object({
    path: z.string().meta({ description: 'Where it is.', example: 'variants[1].value' }),
    message: z.string().meta({ description: 'What is wrong there.', example: 'is required' }),
  })
  .meta({ id: 'InputProblem' });

/** RFC 9457: how every failure looks. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Always about:blank: the code says it.', example: 'about:blank' }),
    title: z.string().meta({ description: 'The HTTP status in words.', example: 'Not Found' }),
    status: z.int().meta({ description: 'The HTTP status.', example: 404 }),
    code: z.string().meta({ description: 'Stable and machine-readable.', example: 'flag_not_found' }),
    detail: z.string().meta({
      description: 'What is wrong, for people.',
      example: "Flag 'dark-mode' not found in environment 'staging'",
    }),
    request_id: z.string().nullable().meta({
      description: 'Also in the X-Request-Id header and in the log.',
      example: '4fb1e0a3-6f7e-4c0e-9f0d-2a4f7f8d9c11',
    }),
    errors: z
      .array(inputProblem)
      .optional()
      .meta({ description: 'Every mistake in the input, with its place. Only with 422.' }),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;

/** The body of a failure, as the document says it. */
export const PROBLEM_CONTENT = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};
