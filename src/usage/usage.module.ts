import { Module } from '@nestjs/common';
import { EnvironmentsModule } from '../environments/environments.module.js';
import { EvaluationModule } from '../evaluation/evaluation.module.js';
import { UsageAggregator } from './usage-aggregator.js';
import { UsageController } from './usage.controller.js';
import { UsageReader } from './usage.reader.js';
import { UsageRepository } from './usage.repository.js';

@Module({
  imports: [EnvironmentsModule, EvaluationModule],
  controllers: [UsageController],
  providers: [UsageAggregator, UsageReader, UsageRepository],
})
export class UsageModule {}
