import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Post,
  Put,
  Query,
  Res,
  UseInterceptors,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { AtLeast, CurrentActor } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Answers, Fails, HonoursIfMatch, OptionalBody } from '../platform/http/api.decorators.js';
import { Tagged } from '../platform/http/etag.interceptor.js';
import { IfMatch } from '../platform/http/if-match.js';
import { ReadsLongLists } from '../platform/http/long-lists.interceptor.js';
import { revertRequest, storedText, type RevertRequest } from '../platform/http/schema.js';
import { warningResponse } from '../segments/warning-schema.js';
import { CachedReadsInterceptor } from './cached-reads.interceptor.js';
import {
  createFlagQuery,
  createFlagRequest,
  deleteFlagQuery,
  flagQuery,
  listFlagsQuery,
  listTargetsQuery,
  reRandomiseRequest,
  newFlagOf,
  updateFlagRequest,
  type CreateFlagQuery,
  type CreateFlagRequest,
  type DeleteFlagQuery,
  type FlagQuery,
  type ListFlagsQuery,
  type ListTargetsQuery,
  type ReRandomiseRequest,
  type UpdateFlagRequest,
} from './dto/flag.requests.js';
import { flagOverviewResponse, flagResponse, presentFlag, presentOverview } from './dto/flag.response.js';
import { FlagRevertService } from './flag-revert.service.js';
import { FlagsReader } from './flags.reader.js';
import { FlagsService } from './flags.service.js';
import { ReRandomiseService } from './re-randomise.service.js';

const variant = storedText(1, 100).meta({ description: 'The key of a variant.', example: 'on' });
const key = storedText(1, 200).meta({ description: 'The key of a flag.', example: 'new-checkout' });

@ApiTags('flags')
@Controller('flags')
export class FlagsController {
  constructor(
    private readonly flags: FlagsService,
    private readonly reader: FlagsReader,
    private readonly randomiser: ReRandomiseService,
    private readonly reverter: FlagRevertService,
  ) {}

  @Get()
  @AtLeast('viewer')
  @UseInterceptors(CachedReadsInterceptor)
  @ApiOperation({
    operationId: 'listFlags',
    summary: 'Flags',
    description:
      'Ordered by key, without their rules and listed users. `X-Total-Count` says how many there are in all.',
  })
  @Answers('A page of flags.', z.array(flagOverviewResponse), { headers: ['X-Cache', 'X-Total-Count'] })
  @Fails(404, 422, 503)
  async list(
    @Query({ schema: listFlagsQuery }) query: ListFlagsQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { flags, total } = await this.reader.list(query);
    response.setHeader('X-Total-Count', total);
    return flags.map(presentOverview);
  }

  @Get(':key')
  @AtLeast('viewer')
  // The lower one is the outer one: answers from the cache have an ETag too.
  @UseInterceptors(CachedReadsInterceptor)
  @Tagged()
  @ApiOperation({
    operationId: 'getFlag',
    summary: 'One flag, as one environment has it',
    description: 'With what it has in common with the other environments.',
  })
  @Answers('The flag.', flagResponse, { headers: ['X-Cache', 'ETag'] })
  @Fails(404, 422, 503)
  async find(@Param('key', { schema: key }) flagKey: string, @Query({ schema: flagQuery }) query: FlagQuery) {
    return presentFlag(await this.reader.find({ key: flagKey, ...query }));
  }

  @Get(':key/targets/:variant')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listFlagTargets',
    summary: 'The users that a flag lists for a variant',
    description: 'In order, page by page. `X-Total-Count` says how many there are in all.',
  })
  @Answers('A page of keys.', z.array(z.string().meta({ example: 'alice' })), { headers: ['X-Total-Count'] })
  @Fails(404, 422, 503)
  async targets(
    @Param('key', { schema: key }) flagKey: string,
    @Param('variant', { schema: variant }) variantKey: string,
    @Query({ schema: listTargetsQuery }) { environmentKey, ...filter }: ListTargetsQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { keys, total } = await this.reader.targets({ key: flagKey, environmentKey }, variantKey, filter);
    response.setHeader('X-Total-Count', total);
    return keys;
  }

  @Get(':key/lint')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'lintFlag',
    summary: 'What looks wrong with a flag',
    description: 'Warnings do not keep it from being saved or evaluated. They come with the flag too.',
  })
  @Answers('The warnings; none when all is well.', z.array(warningResponse))
  @Fails(404, 422, 503)
  async lint(@Param('key', { schema: key }) flagKey: string, @Query({ schema: flagQuery }) query: FlagQuery) {
    return (await this.reader.find({ key: flagKey, ...query })).warnings;
  }

  @Post()
  @AtLeast('developer')
  @ReadsLongLists()
  @Tagged()
  @ApiOperation({
    operationId: 'createFlag',
    summary: 'Make a flag',
    description:
      'In one environment, or in every one when none is named. A flag that another environment has keeps its definition: ' +
      'what the request says of it must be the same. A protected environment asks for an admin.',
  })
  @Answers('The new flag.', flagResponse, { status: 201, headers: ['ETag'] })
  @Fails(404, 409, 503)
  async create(
    @CurrentActor() actor: Actor,
    @Query({ schema: createFlagQuery }) query: CreateFlagQuery,
    @Body({ schema: createFlagRequest }) body: CreateFlagRequest,
  ) {
    return presentFlag(await this.reader.linted(await this.flags.create(actor, newFlagOf(body, query))));
  }

  @Put(':key')
  @AtLeast('developer')
  @ReadsLongLists()
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'updateFlag',
    summary: 'Change a flag',
    description:
      'Fields that are absent stay as they are. Name, description, tags, owner, variants and archived belong to the flag in every environment; ' +
      'the others to this one. A protected environment asks for an admin.',
  })
  @Answers('The flag as it is now.', flagResponse, { headers: ['ETag'] })
  @Fails(404, 409, 503)
  async update(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) flagKey: string,
    @Query({ schema: flagQuery }) query: FlagQuery,
    @Body({ schema: updateFlagRequest }) body: UpdateFlagRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    const flag = await this.flags.update(actor, { key: flagKey, ...query }, body, ifMatch);
    return presentFlag(await this.reader.linted(flag));
  }

  @Post(':key/re-randomise')
  @OptionalBody()
  @AtLeast('developer')
  @HttpCode(200)
  @ReadsLongLists()
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'reRandomiseFlag',
    summary: 'Place everybody of a rollout anew',
    description:
      'Draws a new salt, so that the same share falls on other users. Nothing else does that. A protected environment asks for an admin.',
  })
  @Answers('The flag as it is now.', flagResponse, { headers: ['ETag'] })
  @Fails(404, 409, 503)
  async reRandomise(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) flagKey: string,
    @Query({ schema: flagQuery }) query: FlagQuery,
    @Body({ schema: reRandomiseRequest }) body: ReRandomiseRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    const flag = await this.randomiser.reRandomise(actor, { key: flagKey, ...query }, body, ifMatch);
    return presentFlag(await this.reader.linted(flag));
  }

  @Post(':key/revert')
  @AtLeast('developer')
  @HttpCode(200)
  @ReadsLongLists()
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'revertFlagChange',
    summary: 'Take a change back',
    description:
      'Makes another change: what the one of `position` changed becomes what it was. Refused with 409 when the same fields were changed again since.',
  })
  @Answers('The flag as it is now.', flagResponse, { headers: ['ETag'] })
  @Fails(404, 409, 503)
  async revert(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) flagKey: string,
    @Query({ schema: flagQuery }) query: FlagQuery,
    @Body({ schema: revertRequest }) body: RevertRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    const flag = await this.reverter.revert(actor, { key: flagKey, ...query }, body, ifMatch);
    return presentFlag(await this.reader.linted(flag));
  }

  @Delete(':key')
  @AtLeast('admin')
  @HttpCode(204)
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'deleteFlag',
    summary: 'Delete a flag from an environment',
    description:
      'And altogether when no other environment has it. Refused while other flags need it. Its history stays.',
  })
  @Answers('It is gone.')
  @Fails(404, 409, 422, 503)
  async delete(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) flagKey: string,
    @Query({ schema: deleteFlagQuery }) query: DeleteFlagQuery,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ): Promise<void> {
    await this.flags.delete(actor, { key: flagKey, environmentKey: query.environmentKey }, query, ifMatch);
  }
}
