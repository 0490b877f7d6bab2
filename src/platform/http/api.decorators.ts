import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiResponse } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import type { z } from 'zod';
import { PROBLEM_CONTENT } from './problem.js';

/** Headers of answers, by name: what they say, and one that could be. */
const HEADERS = {
  ETag: {
    description: 'The version, for If-Match; of a ruleset its id, for If-None-Match.',
    type: 'string',
    example: '"3"',
  },
  'X-Cache': { description: 'Whether the cache had it: HIT or MISS.', type: 'string', example: 'HIT' },
  'X-Snapshot': {
    description: 'Whether this was lately known to be what the database has: FRESH or STALE.',
    type: 'string',
    example: 'FRESH',
  },
  'X-Total-Count': { description: 'How many there are on all pages.', type: 'integer', example: 42 },
} as const;

interface AnswerOptions {
  readonly status?: number;
  readonly example?: unknown;
  readonly headers?: readonly (keyof typeof HEADERS)[];
}

/** The body and status of success. */
export function Answers(description: string, schema?: z.ZodType, options: AnswerOptions = {}) {
  const { status = schema ? 200 : 204, example, headers = [] } = options;
  return ApiResponse({
    status,
    description,
    ...(headers.length > 0 ? { headers: describedHeaders(headers) } : {}),
    ...(schema ? { standardSchema: schema } : {}),
    ...(example === undefined ? {} : { example }),
  });
}

function describedHeaders(names: readonly (keyof typeof HEADERS)[]) {
  return Object.fromEntries(
    names.map((name) => {
      const { description, type, example } = HEADERS[name];
      return [name, { description, schema: { type, example } }];
    }),
  );
}

/**
 * The failures a route can give beyond success, each a problem document. 500 is none of them, and those that every
 * route with a body, a path parameter or a credential can give are added by src/openapi.ts.
 */
export function Fails(...statuses: number[]) {
  return applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({ status, description: STATUS_CODES[status] ?? '', content: PROBLEM_CONTENT }),
    ),
  );
}

/** The route can be called without a body, too. */
export const OptionalBody = () => ApiBody({ required: false });

/** The route honours `If-Match` and says 412 to an editor whose copy is stale. */
export function HonoursIfMatch() {
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description:
        'The ETag you last saw. When the thing has changed since, nothing is written and the answer is 412.',
      schema: { type: 'string', example: '"3"' },
    }),
    Fails(400, 412),
  );
}
