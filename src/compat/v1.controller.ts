import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { AtLeast, CurrentActor, CurrentScope } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { AnyInput } from '../platform/http/undeclared-input.guard.js';
import {
  createBody,
  environmentQuery,
  evaluateQuery,
  presentAnswer,
  presentFlag,
  updateBody,
  type CreateBody,
  type EnvironmentQuery,
  type EvaluateQuery,
  type UpdateBody,
} from './dto/v1.js';
import { FastApiInput, keyIn } from './fastapi-input.js';
import { V1Service } from './v1.service.js';

/** The service for evaluating at high throughput. Every route wants a key. */
@ApiExcludeController()
@AnyInput()
@Controller('api/v1')
export class V1Controller {
  constructor(private readonly v1: V1Service) {}

  @Get('flags/:id/evaluate')
  @AtLeast('viewer', 'server', 'client')
  @Header('Cache-Control', 'no-store')
  evaluate(
    @Param('id') id: string,
    @Query(new FastApiInput('query', evaluateQuery)) { user_id: user, environment }: EvaluateQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    return presentAnswer(this.v1.evaluate(keyIn(id), user, environment, scope), user);
  }

  @Get('flags')
  @AtLeast('viewer', 'server')
  @Header('Cache-Control', 'no-store')
  async list(
    @Query(new FastApiInput('query', environmentQuery)) { environment }: EnvironmentQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const flags = (await this.v1.list(environment, scope)).map(({ flag, name }) => presentFlag(flag, name));
    return { flags, count: flags.length, environment: environment ?? null };
  }

  @Get('flags/:id')
  @AtLeast('viewer', 'server')
  @Header('Cache-Control', 'no-store')
  async find(
    @Param('id') id: string,
    @Query(new FastApiInput('query', environmentQuery)) { environment }: EnvironmentQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const { flag, name } = await this.v1.find(keyIn(id), environment, scope);
    return presentFlag(flag, name);
  }

  @Post('flags')
  @AtLeast('developer')
  @HttpCode(201)
  async create(@CurrentActor() actor: Actor, @Body(new FastApiInput('body', createBody)) body: CreateBody) {
    const { flag, name } = await this.v1.create(actor, body.environment, {
      ...body.flag_id,
      name: body.name,
      description: body.description,
      isEnabled: body.enabled,
      basisPoints: body.rollout_percentage,
    });
    return presentFlag(flag, name);
  }

  @Put('flags/:id')
  @AtLeast('developer')
  async update(
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Query(new FastApiInput('query', environmentQuery)) query: EnvironmentQuery,
    @Body(new FastApiInput('body', updateBody)) body: UpdateBody,
  ) {
    const environment = body.environment ?? query.environment;
    const { flag, name } = await this.v1.update(actor, keyIn(id), environment, {
      name: body.name ?? undefined,
      description: body.description ?? undefined,
      isEnabled: body.enabled ?? undefined,
      basisPoints: body.rollout_percentage ?? undefined,
    });
    return presentFlag(flag, name);
  }

  @Delete('flags/:id')
  @AtLeast('admin')
  @HttpCode(204)
  async delete(
    @CurrentActor() actor: Actor,
    @Param('id') id: string,
    @Query(new FastApiInput('query', environmentQuery)) { environment }: EnvironmentQuery,
  ): Promise<void> {
    await this.v1.delete(actor, keyIn(id), environment);
  }
}
