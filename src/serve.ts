import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Logger } from 'pino';
import { ActivityService } from './activity/activity.service.js';
import { createApp } from './app.js';
import { announce } from './banner.js';
import { Readiness } from './operations/readiness.js';
import type { Config } from './platform/config/settings.js';
import { openDatabaseSource, type DatabaseSource } from './platform/database/database-source.js';
import { Drain } from './platform/http/drain.js';
import { createLogger } from './platform/logging/logger.js';
import { SCHEMA } from './schema.js';
import { StreamsService } from './stream/streams.service.js';
import type { StopSignal } from './stop-signal.js';

/** Answers under way may take so long after the last grace, and everything else after them. */
const LAST_ANSWERS_MS = 8_000;
const LAST_EXIT_MS = 10_000;
/** Even without a grace, connections in use are told that they end before they are ended. */
const SHORTEST_GRACE_MS = 250;
/** A start that is told to stop gives the data folder back, if that can be done quickly. */
const BOOT_CLOSE_MS = 2_000;

/**
 * Runs the service until it is told to stop.
 * @throws what keeps it from starting: a folder in use, a refused password, a port that is taken
 */
export async function serve(config: Config, stop: StopSignal): Promise<void> {
  const logger = createLogger(config.logLevel);
  const fatal = (message: string) => (error: unknown) => {
    logger.fatal({ error }, message);
    process.exit(1);
  };
  process.on('unhandledRejection', fatal('A rejection that nobody handled'));
  process.on('uncaughtException', fatal('An exception that nobody caught'));

  let database: DatabaseSource | undefined;
  const giveUp = async (): Promise<void> => {
    // What breaks because the start is being broken off is no news; why it is, the caller says.
    logger.level = 'silent';
    await Promise.race([database?.close(), sleep(BOOT_CLOSE_MS)]).catch(() => undefined);
  };
  // Until it listens: whatever it is doing in the database is a transaction that has not ended.
  stop.before(giveUp);

  try {
    database = await openDatabaseSource(config, SCHEMA, fatal('The embedded database broke'));
    const app = await createApp(config, database, logger);
    await listen(app, config);
    stop.before(async (signal) => {
      logger.info(`${signal}: finishing what is under way`);
      await shutDown(app, config, logger);
    });
    const { port } = app.getHttpServer().address() as AddressInfo;
    await announce(app, config, database, port, (text) => process.stdout.write(text));
  } catch (error) {
    if (stop.isGiven) return;
    await giveUp();
    throw error;
  }
}

async function listen(app: NestExpressApplication, { port, host }: Config): Promise<void> {
  try {
    // Nest's own `listen` would write the failure to the log as well.
    const server = app.getHttpServer().listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new Error(
        `Port ${port} on ${host} is in use by another program. Stop it, or set PORT to another one.`,
        { cause: error },
      );
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
      throw new Error(`Cannot listen on port ${port} of ${host} (${code}). Check PORT and HOST.`, {
        cause: error,
      });
    throw error;
  }
}

/** Not ready at once; open for `SHUTDOWN_GRACE_SECONDS`; then the streams end, no new connection, the last answers, and everything closed. */
async function shutDown(app: NestExpressApplication, config: Config, logger: Logger): Promise<void> {
  app.get(Readiness).close();
  const drain = app.get(Drain);
  drain.begin();
  await sleep(Math.max(SHORTEST_GRACE_MS, config.shutdownGraceSeconds * 1000));
  setTimeout(() => {
    logger.error('Closing takes too long; stopping as it is.');
    process.exit(1);
  }, LAST_EXIT_MS).unref();
  // Not before: until now the load balancer might have sent them here again. Nobody else ends a stream.
  app.get(StreamsService).close();
  app.get(ActivityService).close();
  const left = await drain.finish(LAST_ANSWERS_MS);
  if (left > 0) logger.warn(`${left} request(s) were not answered in time.`);
  await app.close();
}
