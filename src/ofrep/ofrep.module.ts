import { Module, type OnModuleInit } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { EvaluationModule } from '../evaluation/evaluation.module.js';
import { FailureShapes } from '../platform/http/failure-shapes.js';
import { StreamModule } from '../stream/stream.module.js';
import { OFREP_PATHS, ofrepFailure } from './ofrep-failure.js';
import { OfrepController } from './ofrep.controller.js';
import { OfrepDoor } from './ofrep.door.js';
import { OfrepService } from './ofrep.service.js';
import { OfrepStreamsService } from './ofrep-streams.service.js';
import { StreamAddresses } from './stream-addresses.js';
import { StreamOrigins } from './stream-origins.js';

@Module({
  imports: [AuthModule, EvaluationModule, StreamModule],
  controllers: [OfrepController],
  providers: [OfrepService, OfrepDoor, OfrepStreamsService, StreamAddresses, StreamOrigins],
})
export class OfrepModule implements OnModuleInit {
  constructor(private readonly shapes: FailureShapes) {}

  onModuleInit(): void {
    this.shapes.register(OFREP_PATHS, ofrepFailure);
  }
}
