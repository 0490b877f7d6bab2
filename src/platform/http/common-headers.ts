import type { IncomingMessage } from 'node:http';
import cors from 'cors';
import type { RequestHandler } from 'express';
import type { Config } from '../config/settings.js';
import { isDecision, securityHeaders } from './security-headers.js';

/** So many different origins are remembered; a caller who makes up more is answered as well, a little slower. */
const ORIGINS_REMEMBERED = 1_000;

/** Which pages of other origins may read answers: those of the setting, exactly; never with cookies. */
export function crossOrigin(config: Config): RequestHandler {
  const policy = cors({
    origin: config.allowedOrigins.includes('*') ? '*' : [...config.allowedOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'If-Match',
      'If-None-Match',
      'X-API-Key',
      'X-Request-Id',
    ],
    exposedHeaders: [
      'ETag',
      'Retry-After',
      'X-Cache',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'X-Request-Id',
      'X-Total-Count',
    ],
    maxAge: 600,
  });
  return (request, response, next) => {
    if (request.headers.origin !== undefined) policy(request, response, next);
    else {
      // Who keeps the answer must know that another origin may get other headers. Decisions are not kept.
      if (!isDecision(request.path)) response.setHeader('Vary', 'Origin');
      next();
    }
  };
}

/**
 * The headers that every answer to a path has, whatever it answers, as the middleware sets them: it is run against a recorder, once for
 * each origin.
 */
export class CommonHeaders {
  private readonly middleware: readonly RequestHandler[];
  private readonly byOrigin = new Map<string | undefined, readonly string[]>();

  /** @param path one of those that are answered */
  constructor(
    config: Config,
    private readonly path: string,
  ) {
    this.middleware = [securityHeaders(), crossOrigin(config)];
  }

  /** Names and values in turn, as `writeHead` takes them. */
  of({ headers: { origin } }: IncomingMessage): readonly string[] {
    const known = this.byOrigin.get(origin);
    if (known) return known;
    const recorded = this.record(origin);
    if (this.byOrigin.size < ORIGINS_REMEMBERED) this.byOrigin.set(origin, recorded);
    return recorded;
  }

  private record(origin: string | undefined): readonly string[] {
    const headers = new Map<string, string>();
    const response = {
      setHeader: (name: string, value: unknown) => headers.set(name, String(value)),
      getHeader: (name: string) => headers.get(name),
      removeHeader: (name: string) => headers.delete(name),
    };
    const request = { method: 'GET', path: this.path, headers: origin === undefined ? {} : { origin } };
    for (const handle of this.middleware)
      void handle(request as never, response as never, (error?: unknown) => {
        if (error) throw error as Error;
      });
    return [...headers].flat();
  }
}
