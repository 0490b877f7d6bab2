import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CacheModule } from '../platform/cache/cache.module.js';
import { ConfigModule } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import type { DatabaseSource } from '../platform/database/database-source.js';
import { EventsModule } from '../platform/events/events.module.js';
import { PatternsModule } from '../platform/patterns/pattern-engine.js';

/** What a command-line tool needs of the service: people, the database and the features it names, no port and no snapshots. */
@Module({})
export class CommandModule {
  static of(config: Config, database: DatabaseSource, features: readonly Type[] = []): DynamicModule {
    return {
      module: CommandModule,
      imports: [
        ConfigModule.of(config),
        EventsModule,
        DatabaseModule.of({ ...database, close: async () => {} }),
        CacheModule,
        PatternsModule,
        AuthModule,
        ...features,
      ],
    };
  }
}
