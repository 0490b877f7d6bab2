import { Module, type OnModuleInit } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { EvaluationModule } from '../evaluation/evaluation.module.js';
import { FlagsModule } from '../flags/flags.module.js';
import { OperationsModule } from '../operations/operations.module.js';
import { FailureShapes } from '../platform/http/failure-shapes.js';
import { QuietPaths } from '../platform/logging/quiet-paths.js';
import { CompatFlagsService } from './compat-flags.service.js';
import { DashboardController } from './dashboard.controller.js';
import { DOCUMENTS } from './documents.controller.js';
import { dashboardFailure } from './dto/dashboard.js';
import { edgeFailure } from './dto/edge.js';
import { mvpFailure } from './dto/mvp.js';
import { v1Failure } from './dto/v1.js';
import { EdgeCache } from './edge-cache.js';
import { EdgeController } from './edge.controller.js';
import { EdgeService } from './edge.service.js';
import { KnownFlags } from './known-flags.js';
import { MvpController } from './mvp.controller.js';
import { UserFlagsService } from './user-flags.service.js';
import { V1Environments } from './v1-environments.js';
import { V1Controller } from './v1.controller.js';
import { V1Service } from './v1.service.js';

/** Where programs ask what users get. */
const DECISIONS = [
  /^\/compat\/dashboard\/flags\/[^/]+\/evaluate\/?$/,
  /^\/compat\/mvp\/users\/[^/]+\/flags(\/[^/]*)?\/?$/,
  /^\/api\/v1\/flags\/[^/]+\/evaluate\/?$/,
  // There the flag itself says what a user gets.
  /^\/compat\/edge\/flags\/[^/]+(\/check)?\/?$/,
];

/** The service in the words of other systems, so that their clients need another address and nothing else. */
@Module({
  imports: [AuditModule, AuthModule, FlagsModule, EvaluationModule, OperationsModule],
  controllers: [DashboardController, MvpController, V1Controller, EdgeController, ...DOCUMENTS],
  providers: [
    CompatFlagsService,
    EdgeCache,
    EdgeService,
    KnownFlags,
    UserFlagsService,
    V1Environments,
    V1Service,
  ],
})
export class CompatModule implements OnModuleInit {
  constructor(
    private readonly shapes: FailureShapes,
    private readonly quiet: QuietPaths,
  ) {}

  onModuleInit(): void {
    this.shapes.register(/^\/compat\/dashboard(\/|$)/, dashboardFailure);
    this.shapes.register(/^\/compat\/mvp(\/|$)/, mvpFailure);
    this.shapes.register(/^\/compat\/edge(\/|$)/, edgeFailure);
    this.shapes.register(/^\/api\/v1(\/|$)/, v1Failure);
    this.quiet.register(...DECISIONS);
  }
}
