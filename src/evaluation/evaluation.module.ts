import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { FlagsModule } from '../flags/flags.module.js';
import { CacheController } from './cache.controller.js';
import { CachesService } from './caches.service.js';
import { ConditionTrialService } from './condition-trial.service.js';
import { ConditionsController } from './conditions.controller.js';
import { EvaluateDoor } from './evaluate.door.js';
import { EvaluationController } from './evaluation.controller.js';
import { EvaluationMetrics } from './evaluation.metrics.js';
import { EvaluationService } from './evaluation.service.js';
import { SnapshotArchive } from './snapshot-archive.js';
import { SnapshotStore } from './snapshot-store.js';
import { SnapshotsService } from './snapshots.service.js';

@Module({
  imports: [AuthModule, EnvironmentsModule, FlagsModule],
  controllers: [EvaluationController, ConditionsController, CacheController],
  providers: [
    EvaluationService,
    ConditionTrialService,
    EvaluateDoor,
    EvaluationMetrics,
    SnapshotStore,
    SnapshotsService,
    SnapshotArchive,
    CachesService,
  ],
  exports: [CachesService, EvaluationService, EvaluationMetrics, SnapshotStore, SnapshotsService],
})
export class EvaluationModule {}
