import { Module, type DynamicModule } from '@nestjs/common';
import { ActivityModule } from './activity/activity.module.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuditModule } from './audit/audit.module.js';
import { AuthModule } from './auth/auth.module.js';
import { CompatModule } from './compat/compat.module.js';
import { EnvironmentsModule } from './environments/environments.module.js';
import { EvaluationModule } from './evaluation/evaluation.module.js';
import { FlagsModule } from './flags/flags.module.js';
import { OfrepModule } from './ofrep/ofrep.module.js';
import { OperationsModule } from './operations/operations.module.js';
import { CacheModule } from './platform/cache/cache.module.js';
import { ConfigModule } from './platform/config/config.module.js';
import type { Config } from './platform/config/settings.js';
import { DatabaseModule } from './platform/database/database.module.js';
import type { DatabaseSource } from './platform/database/database-source.js';
import { EventsModule } from './platform/events/events.module.js';
import { CrossOriginModule } from './platform/http/cross-origin.js';
import { FailureShapesModule } from './platform/http/failure-shapes.js';
import { QuietPathsModule } from './platform/logging/quiet-paths.js';
import { PatternsModule } from './platform/patterns/pattern-engine.js';
import { MetricsModule } from './platform/metrics/metrics.module.js';
import { SegmentsModule } from './segments/segments.module.js';
import { StreamModule } from './stream/stream.module.js';
import { UsageModule } from './usage/usage.module.js';

/** The composition root: what the service consists of, and nothing else. */
@Module({})
export class AppModule {
  static of(config: Config, database: DatabaseSource): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.of(config),
        EventsModule,
        CrossOriginModule,
        FailureShapesModule,
        QuietPathsModule,
        MetricsModule,
        DatabaseModule.of(database),
        CacheModule,
        PatternsModule,
        AuditModule,
        AuthModule,
        EnvironmentsModule,
        ApiKeysModule,
        SegmentsModule,
        FlagsModule,
        EvaluationModule,
        StreamModule,
        OfrepModule,
        UsageModule,
        ActivityModule,
        OperationsModule,
        ...(config.compatEnabled ? [CompatModule] : []),
      ],
    };
  }
}
