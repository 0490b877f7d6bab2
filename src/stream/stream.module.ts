import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EvaluationModule } from '../evaluation/evaluation.module.js';
import { FeedsService } from './feeds.service.js';
import { StreamController } from './stream.controller.js';
import { StreamMetrics } from './stream.metrics.js';
import { StreamCallers } from './stream-access.js';
import { StreamsService } from './streams.service.js';

@Module({
  imports: [AuthModule, EvaluationModule],
  controllers: [StreamController],
  providers: [FeedsService, StreamCallers, StreamMetrics, StreamsService],
  exports: [FeedsService, StreamsService],
})
export class StreamModule {}
