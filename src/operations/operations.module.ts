import { Module } from '@nestjs/common';
import { Drain } from '../platform/http/drain.js';
import { EvaluationModule } from '../evaluation/evaluation.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { Readiness } from './readiness.js';
import { ServiceController } from './service.controller.js';
import { Startup } from './startup.js';
import { StoreMetrics } from './store.metrics.js';

@Module({
  imports: [EvaluationModule],
  controllers: [HealthController, ServiceController],
  providers: [Drain, HealthService, Readiness, Startup, StoreMetrics],
  exports: [HealthService, Readiness],
})
export class OperationsModule {}
