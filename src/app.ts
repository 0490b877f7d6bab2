import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { EvaluateDoor } from './evaluation/evaluate.door.js';
import { OfrepDoor } from './ofrep/ofrep.door.js';
import { dashboard, pageFiles } from './operations/pages.js';
import type { Config } from './platform/config/settings.js';
import type { DatabaseSource } from './platform/database/database-source.js';
import { clientAddress } from './platform/http/client-address.js';
import { CrossOrigin, type CrossOriginRequest } from './platform/http/cross-origin.js';
import { headersForPage } from './platform/http/cross-origin-rules.js';
import { Drain } from './platform/http/drain.js';
import { FrontDoor } from './platform/http/front-door.js';
import { pacePipelines } from './platform/http/pipelining.js';
import { RequestMetrics } from './platform/http/request-metrics.js';
import { httpAdapter, limitServer, setUpHttp } from './platform/http/setup.js';
import { NestLogger } from './platform/logging/logger.js';
import { Metrics } from './platform/metrics/metrics.js';
import { serveOpenApi } from './openapi.js';

/** The whole service, started but not yet listening. */
export async function createApp(
  config: Config,
  database: DatabaseSource,
  logger: Logger,
): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(
    AppModule.of(config, database),
    httpAdapter(),
    {
      logger: new NestLogger(logger),
      bodyParser: false,
      // Open streams and idle connections must not hold up a stop.
      forceCloseConnections: true,
      abortOnError: false,
    },
  );
  const metrics = new RequestMetrics(app.get(Metrics));
  setUpHttp(app, config, logger, metrics, database.patience.requestMs);
  app.use('/app', dashboard());
  for (const path of ['/assets', '/theme.js', '/favicon.svg']) app.use(path, pageFiles());
  serveOpenApi(app);
  await app.init();
  limitServer(app);
  const drain = app.get(Drain);
  drain.watch(app.getHttpServer());
  const crossOrigin = app.get(CrossOrigin);
  const forPage = (request: CrossOriginRequest) => headersForPage(request, config, crossOrigin);
  new FrontDoor(clientAddress(app, config), forPage, metrics, drain, logger)
    .add(...app.get(EvaluateDoor).routes, ...app.get(OfrepDoor).routes)
    .open(app.getHttpServer());
  pacePipelines(app.getHttpServer());
  return app;
}
