import type { INestApplication } from '@nestjs/common';
import type {
  CorsOptions,
  CorsOptionsDelegate,
} from '@nestjs/common/interfaces/external/cors-options.interface.js';
import { Reflector } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express, { type Request, type RequestHandler } from 'express';
import type { Server } from 'node:http';
import type { Logger as Pino } from 'pino';
import type { Config } from '../config/settings.js';
import { withinDeadline } from '../database/deadline.js';
import { QuietPaths } from '../logging/quiet-paths.js';
import { requestLog } from '../logging/request-log.js';
import { bodyErrors, bodyReader } from './body.js';
import { clientAddress, tellAddress } from './client-address.js';
import { CrossOrigin } from './cross-origin.js';
import { EXPOSED_HEADERS, readersOf } from './cross-origin-rules.js';
import { FailureShapes } from './failure-shapes.js';
import { endIdleConnections, sayKeepAlive } from './kept-connections.js';
import { ProblemFilter } from './problem.filter.js';
import { measureRequests, type RequestMetrics } from './request-metrics.js';
import { isDecision } from '../logging/decision-paths.js';
import { securityHeaders } from './security-headers.js';
import { UndeclaredInputGuard } from './undeclared-input.guard.js';
import { answerUnreadable } from './unreadable.js';
import { ValidationPipe } from './validation.pipe.js';

/** What Nest is to run on. `/Flags` is not `/flags`; the router asks for that setting once, when its first handler comes. */
export function httpAdapter(): ExpressAdapter {
  const application = express().set('case sensitive routing', true);
  compareTagsAlone(application.request);
  return new ExpressAdapter(application);
}

/**
 * Express takes `If-None-Match: *` for a match with an answer that has no tag, and would send 304 for one that was never sent. And it
 * takes `Cache-Control: no-cache` for a wish to have the whole again, which `fetch` adds by itself to whatever brings a tag: all
 * that is meant is that no cache answers without having asked.
 */
function compareTagsAlone(requests: Request): void {
  const usual = Object.getPrototypeOf(requests) as object;
  Object.defineProperty(requests, 'fresh', {
    configurable: true,
    get(this: Request): boolean {
      const { method, res, headers } = this;
      const asked = { method, res, headers: { 'if-none-match': headers['if-none-match'] } };
      return res?.get('ETag') !== undefined && Reflect.get(usual, 'fresh', asked) === true;
    },
  });
}

/** Everything that holds for every request, in the order in which a request meets it. `databaseMs`: what one may ask of the database. */
export function setUpHttp(
  app: NestExpressApplication,
  config: Config,
  logger: Pino,
  metrics: RequestMetrics,
  databaseMs: number,
): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustProxy);
  tellAddress(app, clientAddress(app, config));

  app.use(requestLog(logger, app.get(QuietPaths)));
  app.use(measureRequests(metrics));
  app.use(sayKeepAlive);
  app.use(securityHeaders());
  app.use(varyByOrigin);
  app.enableCors(crossOriginRules(config, app.get(CrossOrigin)));
  app.use(...bodyReader());
  app.use(bodyErrors);
  app.use(boundByDeadline(databaseMs));
  app.useGlobalGuards(new UndeclaredInputGuard(app.get(Reflector)));
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter(app.get(FailureShapes)));
}

/** Who keeps an answer must know that a page of another origin may get other headers. Decisions are not kept. */
const varyByOrigin: RequestHandler = ({ headers, path }, response, next) => {
  if (headers.origin === undefined && !isDecision(path)) response.setHeader('Vary', 'Origin');
  next();
};

/** Decisions ask nobody, and are too many for what this costs. */
const boundByDeadline =
  (limitMs: number): RequestHandler =>
  (request, response, next) => {
    if (isDecision(request.path)) next();
    else withinDeadline(limitMs, () => response.headersSent || response.destroyed, next);
  };

/** For each request, since a key may allow its own origins. Never with credentials: cookies mean nothing here. */
function crossOriginRules(config: Config, crossOrigin: CrossOrigin): CorsOptionsDelegate<Request> {
  const common: CorsOptions = {
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: [
      'Authorization',
      'Content-Type',
      'If-Match',
      'If-None-Match',
      'Last-Event-ID',
      'X-API-Key',
      'X-Request-Id',
    ],
    exposedHeaders: [...EXPOSED_HEADERS],
    maxAge: 600,
  };
  return ({ method, path, query, headers }, answer) => {
    const { origin } = headers;
    if (origin === undefined && method !== 'OPTIONS') {
      answer(null, { origin: false });
      return;
    }
    const readers = readersOf({ method, path, query, headers, origin }, config, crossOrigin);
    answer(null, { ...common, origin: readers === '*' ? '*' : [...readers] });
  };
}

/** Limits of the server itself, against clients that are slow on purpose, and what it says to those that speak no HTTP. */
export function limitServer(app: INestApplication): void {
  const server = app.getHttpServer() as Server;
  server.headersTimeout = 10_000;
  server.requestTimeout = 15_000;
  endIdleConnections(server);
  server.maxHeadersCount = 100;
  answerUnreadable(server);
}
