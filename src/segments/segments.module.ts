import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { SegmentRevertService } from './segment-revert.service.js';
import { SegmentUsers } from './segment-users.js';
import { SegmentsContent } from './segments-content.js';
import { SegmentsController } from './segments.controller.js';
import { SegmentsReader } from './segments.reader.js';
import { SegmentsRepository } from './segments.repository.js';
import { SegmentsService } from './segments.service.js';

@Module({
  imports: [AuditModule, EnvironmentsModule],
  controllers: [SegmentsController],
  providers: [
    SegmentsService,
    SegmentRevertService,
    SegmentsReader,
    SegmentUsers,
    SegmentsRepository,
    SegmentsContent,
  ],
  exports: [SegmentsService, SegmentsReader, SegmentUsers],
})
export class SegmentsModule {}
