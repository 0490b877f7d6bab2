import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { FlagsModule } from '../flags/flags.module.js';
import { CacheController } from './cache.controller.js';
import { CachesService } from './caches.service.js';
import { EvaluationController } from './evaluation.controller.js';
import { EvaluationMetrics } from './evaluation.metrics.js';
import { EvaluationService } from './evaluation.service.js';
import { SnapshotArchive } from './snapshot-archive.js';
import { SnapshotStore } from './snapshot-store.js';
import { SnapshotsService } from './snapshots.service.js';

@Module({
  imports: [EnvironmentsModule, FlagsModule],
  controllers: [EvaluationController, CacheController],
  providers: [
    EvaluationService,
    EvaluationMetrics,
    SnapshotStore,
    SnapshotsService,
    SnapshotArchive,
    CachesService,
  ],
  exports: [EvaluationService, EvaluationMetrics, SnapshotStore, SnapshotsService],
})
export class EvaluationModule {}
