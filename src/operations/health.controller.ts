import { Controller, Get, Header, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Public } from '../platform/access/access.decorators.js';
import { Answers } from '../platform/http/api.decorators.js';
import { AnyQuery } from '../platform/http/undeclared-input.guard.js';
import {
  healthResponse,
  livenessResponse,
  presentHealth,
  presentReadiness,
  readinessResponse,
  readinessStatus,
} from './dto/operations.responses.js';
import { HealthService } from './health.service.js';

@ApiTags('operations')
@Controller('health')
@Public()
@AnyQuery()
export class HealthController {
  constructor(private readonly health: HealthService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getHealth',
    summary: 'How the service does',
    description: 'Always 200 while it answers; every part was just asked.',
  })
  @Answers('The state.', healthResponse)
  async check() {
    return presentHealth(await this.health.check());
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getLiveness',
    summary: 'Whether the process runs',
    description: 'Restart it when this does not answer.',
  })
  @Answers('It does.', livenessResponse)
  live() {
    return { status: 'alive' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getReadiness',
    summary: 'Whether to send it requests',
    description:
      'Ready means that flags are loaded, not that the database is there: evaluation goes on without it.',
  })
  @Answers('It is ready.', readinessResponse)
  @Answers('It is not: nothing is loaded yet, or it is shutting down.', readinessResponse, { status: 503 })
  async ready(@Res({ passthrough: true }) response: Response) {
    const state = await this.health.check();
    response.status(readinessStatus(state));
    return presentReadiness(state);
  }
}
