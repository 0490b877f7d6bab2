import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SegmentsModule } from '../segments/segments.module.js';
import { FlagChanges } from './flag-changes.js';
import { FlagDependents } from './flag-dependents.js';
import { FlagRelationsRepository } from './flag-relations.repository.js';
import { FlagRevertService } from './flag-revert.service.js';
import { FlagSegments } from './flag-segments.js';
import { FlagSnapshotReader } from './flag-snapshot.reader.js';
import { FlagTableController } from './flag-table.controller.js';
import { FlagTableReader } from './flag-table.reader.js';
import { FlagTableRepository } from './flag-table.repository.js';
import { FlagsContent } from './flags-content.js';
import { FlagsController } from './flags.controller.js';
import { FlagsReader } from './flags.reader.js';
import { FlagsRepository } from './flags.repository.js';
import { FlagsService } from './flags.service.js';
import { ReRandomiseService } from './re-randomise.service.js';
import { TargetingCheck } from './targeting-check.js';

@Module({
  imports: [AuditModule, EnvironmentsModule, SegmentsModule],
  controllers: [FlagsController, FlagTableController],
  providers: [
    FlagsService,
    ReRandomiseService,
    FlagRevertService,
    FlagsReader,
    FlagSnapshotReader,
    FlagTableReader,
    FlagTableRepository,
    FlagsRepository,
    FlagRelationsRepository,
    FlagChanges,
    FlagDependents,
    TargetingCheck,
    FlagSegments,
    FlagsContent,
  ],
  exports: [FlagsService, FlagsReader, FlagSnapshotReader],
})
export class FlagsModule {}
