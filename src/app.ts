import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { EvaluateDoor } from './evaluation/evaluate.door.js';
import { assets } from './operations/pages.js';
import type { Config } from './platform/config/settings.js';
import type { DatabaseSource } from './platform/database/database-source.js';
import { clientAddress } from './platform/http/client-address.js';
import { Drain } from './platform/http/drain.js';
import { FrontDoor } from './platform/http/front-door.js';
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
  setUpHttp(app, config, logger, metrics);
  app.use('/assets', assets());
  serveOpenApi(app);
  await app.init();
  limitServer(app);
  const drain = app.get(Drain);
  drain.watch(app.getHttpServer());
  new FrontDoor(clientAddress(app, config), metrics, drain, logger)
    .add(app.get(EvaluateDoor))
    .open(app.getHttpServer());
  return app;
}
