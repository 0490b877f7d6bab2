import { Module, type DynamicModule } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CacheModule } from '../platform/cache/cache.module.js';
import { ConfigModule } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import type { DatabaseSource } from '../platform/database/database-source.js';
import { EventsModule } from '../platform/events/events.module.js';

/** What a command-line tool needs of the service: people and the database, no port and no snapshots. */
@Module({})
export class CommandModule {
  static of(config: Config, database: DatabaseSource): DynamicModule {
    return {
      module: CommandModule,
      imports: [
        ConfigModule.of(config),
        EventsModule,
        DatabaseModule.of({ ...database, close: async () => {} }),
        CacheModule,
        AuthModule,
      ],
    };
  }
}
