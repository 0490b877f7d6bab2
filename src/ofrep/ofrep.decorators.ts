import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';

/** Said by its name, since a route may produce something else than JSON. */
const FAILURE_CONTENT = { 'application/json': { schema: { $ref: '#/components/schemas/OfrepFailure' } } };
const RETRY_AFTER = {
  'Retry-After': {
    description: 'Seconds after which trying again makes sense.',
    schema: { type: 'integer', example: 2 },
  },
} as const;

/** The failures that a route can give, each as OFREP tells them. Above what declares problem documents. */
export const OfrepFails = (...statuses: readonly number[]) =>
  applyDecorators(
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: STATUS_CODES[status] ?? '',
        content: FAILURE_CONTENT,
        ...(status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}),
      }),
    ),
  );
