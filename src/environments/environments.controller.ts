import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AtLeast, CurrentActor } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Answers, Fails, HonoursIfMatch } from '../platform/http/api.decorators.js';
import { Tagged } from '../platform/http/etag.interceptor.js';
import { IfMatch } from '../platform/http/if-match.js';
import { storedText } from '../platform/http/schema.js';
import {
  createEnvironmentRequest,
  deleteEnvironmentQuery,
  updateEnvironmentRequest,
  type CreateEnvironmentRequest,
  type DeleteEnvironmentQuery,
  type UpdateEnvironmentRequest,
} from './dto/environment.requests.js';
import { environmentResponse, presentEnvironment } from './dto/environment.response.js';
import { EnvironmentsService } from './environments.service.js';

const key = storedText(1, 100).meta({ description: 'The key of an environment.', example: 'staging' });

@ApiTags('environments')
@Controller('environments')
export class EnvironmentsController {
  constructor(private readonly environments: EnvironmentsService) {}

  @Get()
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listEnvironments',
    summary: 'All environments',
    description: 'In the order that people gave them.',
  })
  @Answers('The environments.', z.array(environmentResponse))
  @Fails(503)
  async list() {
    return (await this.environments.list()).map(presentEnvironment);
  }

  @Get(':key')
  @AtLeast('viewer')
  @Tagged()
  @ApiOperation({
    operationId: 'getEnvironment',
    summary: 'One environment',
    description: 'By its key.',
  })
  @Answers('The environment.', environmentResponse, { headers: ['ETag'] })
  @Fails(404, 422, 503)
  async find(@Param('key', { schema: key }) environmentKey: string) {
    return presentEnvironment(await this.environments.find(environmentKey));
  }

  @Post()
  @AtLeast('admin')
  @Tagged()
  @ApiOperation({
    operationId: 'createEnvironment',
    summary: 'Make an environment',
    description: 'It begins without flags and segments.',
  })
  @Answers('The new environment.', environmentResponse, { status: 201, headers: ['ETag'] })
  @Fails(409, 503)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createEnvironmentRequest }) body: CreateEnvironmentRequest,
  ) {
    return presentEnvironment(await this.environments.create(actor, body));
  }

  @Put(':key')
  @AtLeast('admin')
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'updateEnvironment',
    summary: 'Change an environment',
    description: 'Fields that are absent stay as they are.',
  })
  @Answers('The environment as it is now.', environmentResponse, { headers: ['ETag'] })
  @Fails(404, 503)
  async update(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) environmentKey: string,
    @Body({ schema: updateEnvironmentRequest }) body: UpdateEnvironmentRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    return presentEnvironment(await this.environments.update(actor, environmentKey, body, ifMatch));
  }

  @Delete(':key')
  @AtLeast('admin')
  @HttpCode(204)
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'deleteEnvironment',
    summary: 'Delete an environment',
    description: 'Refused with 409 while it has flags or segments, unless `force=true`.',
  })
  @Answers('It is gone.')
  @Fails(404, 409, 422, 503)
  async delete(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) environmentKey: string,
    @Query({ schema: deleteEnvironmentQuery }) query: DeleteEnvironmentQuery,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ): Promise<void> {
    await this.environments.delete(actor, environmentKey, query, ifMatch);
  }
}
