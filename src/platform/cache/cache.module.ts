import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../config/config.module.js';
import type { Config } from '../config/settings.js';
import { Cache } from './cache.js';
import { RedisConnection } from './redis-connection.js';

/**
 * Gives `Cache` and `RedisConnection` to every module. The connection is undefined without a Redis, so inject it as
 * `@Inject(RedisConnection) redis: RedisConnection | undefined`. Starting never waits for Redis.
 */
@Global()
@Module({
  providers: [
    {
      provide: RedisConnection,
      inject: [CONFIG],
      useFactory: ({ redisUrl, redisTls }: Config): RedisConnection | undefined => {
        if (redisUrl === undefined) return undefined;
        const connection = new RedisConnection({
          url: redisUrl,
          trustsAnyCertificate: redisTls === 'unverified',
        });
        connection.open();
        return connection;
      },
    },
    {
      provide: Cache,
      inject: [RedisConnection],
      useFactory: (connection: RedisConnection | undefined): Cache =>
        connection === undefined ? Cache.inMemory() : Cache.inRedis(connection),
    },
  ],
  exports: [Cache, RedisConnection],
})
export class CacheModule implements OnApplicationShutdown {
  constructor(@Inject(RedisConnection) private readonly connection: RedisConnection | undefined) {}

  async onApplicationShutdown(): Promise<void> {
    await this.connection?.close();
  }
}
