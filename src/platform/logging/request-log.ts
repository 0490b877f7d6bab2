import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { pinoHttp, type HttpLogger } from 'pino-http';
import { isDecision } from './decision-paths.js';
import { describeBriefly } from './logger.js';
import type { QuietPaths } from './quiet-paths.js';

/** How a request that went well is logged: one that machines send all the time, and any other. */
export const REQUEST_LOG_LEVEL = { quiet: 'debug', normal: 'info' } as const;

/** The `X-Request-Id` of a caller, when it is a reasonable one. */
export function reasonableRequestId(given: string | string[] | undefined): string | undefined {
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : undefined;
}

/**
 * Gives every request an id (the caller's `X-Request-Id` when it is a reasonable one) and writes one line when it is done.
 * The line holds the path without its query: user ids stand there.
 */
export function requestLog(logger: Logger, quiet: QuietPaths): HttpLogger {
  return pinoHttp({
    logger,
    genReqId: (request, response) => {
      const given = reasonableRequestId(request.headers['x-request-id']);
      const id = given ?? randomUUID();
      // A decision leaves no line in the log that an id would find. A failure has one in any case.
      if (given !== undefined || !isDecision(pathOf(request))) response.setHeader('X-Request-Id', id);
      return id;
    },
    customLogLevel: (request, response, error) => {
      // Something does not answer and will again: that is one outage, not a fault of each request.
      if (response.statusCode === 503) return 'warn';
      if (error !== undefined || response.err !== undefined || response.statusCode >= 500) return 'error';
      return REQUEST_LOG_LEVEL[quiet.has(pathOf(request)) ? 'quiet' : 'normal'];
    },
    customSuccessMessage: (request) => `${request.method ?? ''} ${pathOf(request)}`,
    customErrorMessage: (request) => `${request.method ?? ''} ${pathOf(request)} failed`,
    customAttributeKeys: { responseTime: 'duration_ms', req: 'request', res: 'response', err: 'error' },
    // What was thrown, where the filter left it; pino-http would make up an error where there is none.
    customErrorObject: (_request, { err, statusCode }, _error, line: object) => ({
      ...line,
      error: statusCode === 503 ? describeBriefly(err) : err,
    }),
    wrapSerializers: false,
    serializers: {
      request: ({ id, method, url }: { id: unknown; method: string; url: string }) => ({
        id,
        method,
        path: url.split('?', 1)[0],
      }),
      response: ({ statusCode }: { statusCode: number }) => ({ status_code: statusCode }),
    },
  });
}

function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
}
