import {
  BadRequestException,
  Catch,
  HttpException,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { STATUS_CODES } from 'node:http';
import { DatabaseUnavailable, isDatabaseFault } from '../database/faults.js';
import {
  Conflict,
  DomainError,
  Forbidden,
  Invalid,
  NotFound,
  Refused,
  Stale,
  TooMany,
  Unauthenticated,
  Unavailable,
} from '../errors/errors.js';
import { FailureShapes } from './failure-shapes.js';
import { HttpFault } from './http.errors.js';
import type {} from 'pino-http'; // gives requests their `id`, and answers their `err`
import type { Problem } from './problem.js';
import { unknownRoute } from './unknown-routes.js';

/** Turns whatever was thrown into a problem document, or what its path has instead. The one place that knows which kind of failure is which status. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly shapes = new FailureShapes()) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    sendProblem(thrown, http.getRequest<Request>(), http.getResponse<Response>(), this.shapes);
  }
}

function sendProblem(thrown: unknown, request: Request, response: Response, shapes: FailureShapes): void {
  if (response.headersSent || response.destroyed) {
    response.err = asError(thrown);
    response.destroy();
    return;
  }
  const error = translated(thrown, request);
  const status = statusOf(error);
  // The log tells it in the line of the request, which has the id that the caller gets.
  if (status >= 500) response.err = asError(thrown);
  for (const [name, value] of Object.entries(headersOf(error, status))) response.setHeader(name, value);
  const id = typeof request.id === 'string' ? request.id : null;
  if (id !== null) response.setHeader('X-Request-Id', id);
  const problem = problemOf(error, status, id);
  const shaped = shapes.of(request.path)?.({
    path: request.path,
    ...problem,
    problems: problem.errors ?? [],
    thrown: error,
  });
  for (const [name, value] of Object.entries(shaped?.headers ?? {})) {
    if (value === undefined) response.removeHeader(name);
    else response.setHeader(name, value);
  }
  if (shaped) response.status(shaped.status).type('application/json').send(shaped.body);
  else response.status(status).type('application/problem+json').send(JSON.stringify(problem));
}

const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function translated(thrown: unknown, request: Request): unknown {
  if (thrown instanceof DomainError) return thrown;
  if (isDatabaseFault(thrown)) return new DatabaseUnavailable({ cause: thrown });
  // Express cannot decode a key in the path; Nest has a word of its own for that.
  if (thrown instanceof URIError || thrown instanceof BadRequestException)
    return new HttpFault(400, 'malformed_path', 'The path is not percent-encoded UTF-8.');
  // Nest's own word for a request that no route took; our services have others.
  return thrown instanceof NotFoundException ? unknownRoute(request) : thrown;
}

function statusOf(error: unknown): number {
  if (error instanceof Invalid) return 422;
  if (error instanceof NotFound) return 404;
  if (error instanceof Conflict) return 409;
  if (error instanceof Stale) return 412;
  if (error instanceof Forbidden) return 403;
  if (error instanceof Unauthenticated) return 401;
  if (error instanceof Refused) return 400;
  if (error instanceof TooMany) return 429;
  if (error instanceof Unavailable) return 503;
  if (error instanceof HttpException) return error.getStatus();
  if (error instanceof DomainError && 'status' in error && typeof error.status === 'number')
    return error.status;
  // Express's own: a path that cannot be decoded, for example.
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

function headersOf(error: unknown, status: number): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  if (status === 401) headers['WWW-Authenticate'] = 'Bearer realm="vexil"';
  if (error instanceof DomainError) {
    if (error.retryAfterSeconds !== undefined)
      headers['Retry-After'] = String(Math.max(1, Math.ceil(error.retryAfterSeconds)));
    if ('headers' in error) Object.assign(headers, error.headers);
  }
  return headers;
}

function problemOf(error: unknown, status: number, requestId: string | null): Problem {
  const title = STATUS_CODES[status] ?? 'Error';
  const known = error instanceof DomainError ? error : undefined;
  const code =
    known?.code ?? (status >= 500 ? 'internal_error' : title.toLowerCase().replace(/[^a-z]+/g, '_'));
  return {
    type: 'about:blank',
    title,
    status,
    code,
    detail:
      known?.message ??
      (status >= 500 ? 'Something went wrong on our side. The request id finds it in the log.' : `${title}.`),
    request_id: requestId,
    ...(error instanceof Invalid ? { errors: [...error.problems] } : {}),
  };
}
