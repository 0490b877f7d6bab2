import type { INestApplication } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express from 'express';
import type { Server } from 'node:http';
import type { Logger as Pino } from 'pino';
import type { Config } from '../config/settings.js';
import { requestLog } from '../logging/request-log.js';
import { bodyErrors, bodyReader } from './body.js';
import { crossOrigin } from './common-headers.js';
import { ProblemFilter } from './problem.filter.js';
import { measureRequests, type RequestMetrics } from './request-metrics.js';
import { securityHeaders } from './security-headers.js';
import { UndeclaredInputGuard } from './undeclared-input.guard.js';
import { answerUnreadable } from './unreadable.js';
import { ValidationPipe } from './validation.pipe.js';

/** What Nest is to run on. `/Flags` is not `/flags`; the router asks for that setting once, when its first handler comes. */
export function httpAdapter(): ExpressAdapter {
  return new ExpressAdapter(express().set('case sensitive routing', true));
}

/** Everything that holds for every request, in the order in which a request meets it. */
export function setUpHttp(
  app: NestExpressApplication,
  config: Config,
  logger: Pino,
  metrics: RequestMetrics,
): void {
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('trust proxy', config.trustProxy);

  app.use(requestLog(logger));
  app.use(measureRequests(metrics));
  app.use(securityHeaders());
  app.use(crossOrigin(config));
  app.use(...bodyReader());
  app.use(bodyErrors);
  app.useGlobalGuards(new UndeclaredInputGuard(app.get(Reflector)));
  app.useGlobalPipes(new ValidationPipe());
  app.useGlobalFilters(new ProblemFilter());
}

/** Limits of the server itself, against clients that are slow on purpose, and what it says to those that speak no HTTP. */
export function limitServer(app: INestApplication): void {
  const server = app.getHttpServer() as Server;
  server.headersTimeout = 10_000;
  server.requestTimeout = 15_000;
  // Longer than the usual 60 s of a load balancer, so that it never reuses a connection that is just being closed.
  server.keepAliveTimeout = 65_000;
  server.maxHeadersCount = 100;
  answerUnreadable(server);
}
