import type { IncomingMessage } from 'node:http';
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express';
import { Invalid } from '../errors/errors.js';
import { HttpFault, MalformedJson } from './http.errors.js';

/** What a body may be at the most: its bytes, before anything is read of it, and the values in it. */
interface Limits {
  readonly bytes: number;
  readonly values: number;
}

/** Evaluations are many and small; changes are few and may be large; those that hold lists of users may be very large. */
const EVALUATION: Limits = { bytes: 64 * 1024, values: 50_000 };
const MANAGEMENT: Limits = { bytes: 1024 * 1024, values: 50_000 };
const LISTS: Limits = { bytes: 8 * 1024 * 1024, values: 500_000 };
/** Conditions may be 20 groups deep, and each takes two levels. */
const MAX_DEPTH = 64;

/** Paths that evaluate: with names of our own, and with those of OpenFeature. */
const SMALL = /^\/(evaluate|ofrep(\/|$))/;

/**
 * Paths whose bodies wait until it is known who calls, for `ReadsLongLists`: what nobody may send is not worth 8 MiB. That
 * a path is here gives nothing away: a route that does not read its body then has none.
 */
const READ_LATER = /^\/(flags|segments)(\/|$)/;

/** Keys that mean something to JavaScript itself. Nobody needs them as data, and much code is unsafe with them. */
export const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Methods whose bodies mean something. A body of any other is not looked at, as RFC 9110 has it. */
const METHODS = new Set(['POST', 'PUT', 'PATCH']);

const reader = ({ bytes, values }: Limits): RequestHandler => {
  const read = express.json({ limit: bytes, strict: false, type: isReadable });
  return (request, response, next) => {
    read(request, response, (error?: unknown) => {
      let flaw = error;
      try {
        if (flaw === undefined) checkShape(request.body, values);
      } catch (found) {
        flaw = found;
      }
      next(flaw);
    });
  };
};

/** Reads JSON bodies within limits of size, depth and shape. */
export function bodyReader(): RequestHandler[] {
  const [small, large] = [reader(EVALUATION), reader(MANAGEMENT)];
  return [
    (request, _response, next) => {
      const hasBody =
        METHODS.has(request.method) &&
        (request.headers['transfer-encoding'] !== undefined ||
          Number(request.headers['content-length'] ?? 0) > 0);
      if (hasBody && !isJson(request)) {
        throw new HttpFault(415, 'unsupported_media_type', 'Send the body as application/json.');
      }
      next();
    },
    (request, response, next) => {
      if (READ_LATER.test(request.path)) next();
      else (SMALL.test(request.path) ? small : large)(request, response, next);
    },
  ];
}

const lists = reader(LISTS);

/** Reads a body that was left for later. @throws what `bodyReader` and `bodyErrors` would answer */
export function readLongLists(request: Request, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    void lists(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(bodyFault(error as Error));
    });
  });
}

function isReadable(request: IncomingMessage): boolean {
  return METHODS.has(request.method ?? '') && isJson(request);
}

function isJson(request: IncomingMessage): boolean {
  return /^application\/([\w.-]+\+)?json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
}

/** Walks without recursion, so that depth itself cannot hurt. */
function checkShape(body: unknown, maxValues: number): void {
  const stack: { value: unknown; depth: number; path: string }[] = [{ value: body, depth: 0, path: '' }];
  let nodes = 0;
  for (let item = stack.pop(); item; item = stack.pop()) {
    const { value, depth, path } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_DEPTH)
      throw new Invalid([{ path: 'request', message: `must not be nested deeper than ${MAX_DEPTH} levels` }]);
    for (const key of Object.keys(value)) {
      nodes += 1;
      if (nodes > maxValues)
        throw new HttpFault(413, 'too_many_values', `The body has more than ${maxValues} values.`);
      const isForbidden = FORBIDDEN_KEYS.has(key) && !Array.isArray(value);
      const child = (value as Record<string, unknown>)[key];
      const isParent = typeof child === 'object' && child !== null;
      // A place is put together only where it is needed: most values are the last of their branch.
      if (!isForbidden && !isParent) continue;
      const place = `${path}${Array.isArray(value) ? `[${key}]` : path === '' ? key : `.${key}`}`;
      if (isForbidden)
        throw new Invalid([{ path: place.slice(0, 200), message: 'is a name that cannot be used' }]);
      stack.push({ value: child, depth: depth + 1, path: place });
    }
  }
}

interface BodyError {
  readonly type?: unknown;
  readonly status?: unknown;
}

/** Says in our words what Express's reader says in its own. */
export const bodyErrors: ErrorRequestHandler = (error: Error, _request, _response, next) => {
  next(bodyFault(error));
};

function bodyFault(error: Error): Error {
  const { type, status } = error as BodyError;
  switch (type) {
    case 'entity.parse.failed':
      return new MalformedJson('The body is not valid JSON.');
    case 'entity.too.large':
      return new HttpFault(413, 'body_too_large', 'The body is larger than this route accepts.');
    case 'encoding.unsupported':
    case 'charset.unsupported':
      return new HttpFault(
        415,
        'unsupported_media_type',
        'Send the body as UTF-8, not compressed or compressed with gzip.',
      );
    default:
      return status === 400
        ? new HttpFault(400, 'malformed_request', 'The request could not be read.')
        : error;
  }
}
