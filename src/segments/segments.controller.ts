import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { AtLeast, CurrentActor } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Invalid } from '../platform/errors/errors.js';
import { Answers, Fails, HonoursIfMatch } from '../platform/http/api.decorators.js';
import { Tagged } from '../platform/http/etag.interceptor.js';
import { IfMatch } from '../platform/http/if-match.js';
import { ReadsLongLists } from '../platform/http/long-lists.interceptor.js';
import { revertRequest, storedText, type RevertRequest } from '../platform/http/schema.js';
import {
  createSegmentQuery,
  createSegmentRequest,
  deleteSegmentQuery,
  listKeysQuery,
  listSegmentsQuery,
  segmentQuery,
  updateSegmentRequest,
  type CreateSegmentQuery,
  type CreateSegmentRequest,
  type DeleteSegmentQuery,
  type ListKeysQuery,
  type ListSegmentsQuery,
  type SegmentQuery,
  type UpdateSegmentRequest,
} from './dto/segment.requests.js';
import {
  keysResponse,
  presentSegment,
  presentSummary,
  segmentResponse,
  segmentSummaryResponse,
} from './dto/segment.response.js';
import { SegmentRevertService } from './segment-revert.service.js';
import { SegmentsReader } from './segments.reader.js';
import { SegmentsService } from './segments.service.js';

const key = storedText(1, 200).meta({ description: 'The key of a segment.', example: 'beta-users' });

@ApiTags('segments')
@Controller('segments')
export class SegmentsController {
  constructor(
    private readonly segments: SegmentsService,
    private readonly reader: SegmentsReader,
    private readonly reverter: SegmentRevertService,
  ) {}

  @Get()
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listSegments',
    summary: 'Segments',
    description:
      'Ordered by key, without the keys they list. `X-Total-Count` says how many there are in all.',
  })
  @Answers('A page of segments.', z.array(segmentSummaryResponse), { headers: ['X-Total-Count'] })
  @Fails(404, 422, 503)
  async list(
    @Query({ schema: listSegmentsQuery }) query: ListSegmentsQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { segments, total } = await this.reader.list(query);
    response.setHeader('X-Total-Count', total);
    return segments.map(presentSummary);
  }

  @Get(':key')
  @AtLeast('viewer')
  @Tagged()
  @ApiOperation({
    operationId: 'getSegment',
    summary: 'One segment of an environment',
    description: 'With who uses it, and its lists unless they are long.',
  })
  @Answers('The segment.', segmentResponse, { headers: ['ETag'] })
  @Fails(404, 422, 503)
  async find(
    @Param('key', { schema: key }) segmentKey: string,
    @Query({ schema: segmentQuery }) query: SegmentQuery,
  ) {
    return presentSegment(await this.reader.find({ key: segmentKey, ...query }));
  }

  @Get(':key/keys')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listSegmentKeys',
    summary: 'The keys that a segment lists',
    description: 'In order, page by page. `X-Total-Count` says how many there are in all.',
  })
  @Answers('A page of keys.', keysResponse, { headers: ['X-Total-Count'] })
  @Fails(404, 422, 503)
  async keys(
    @Param('key', { schema: key }) segmentKey: string,
    @Query({ schema: listKeysQuery }) { environmentKey, ...filter }: ListKeysQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { keys, total } = await this.reader.keys({ key: segmentKey, environmentKey }, filter);
    response.setHeader('X-Total-Count', total);
    return keys;
  }

  @Post()
  @AtLeast('developer')
  @ReadsLongLists()
  @Tagged()
  @ApiOperation({
    operationId: 'createSegment',
    summary: 'Make a segment',
    description:
      'In one environment, or one in every environment when none is named. A protected environment asks for an admin.',
  })
  @Answers('The new segment.', segmentResponse, { status: 201, headers: ['ETag'] })
  @Fails(404, 409, 503)
  async create(
    @CurrentActor() actor: Actor,
    @Query({ schema: createSegmentQuery }) query: CreateSegmentQuery,
    @Body({ schema: createSegmentRequest }) body: CreateSegmentRequest,
  ) {
    const environmentKey = body.environmentKey ?? query.environmentKey;
    if (query.environmentKey !== undefined && query.environmentKey !== environmentKey)
      throw new Invalid([{ path: 'environment_key', message: 'is another one in the query' }]);
    return presentSegment(await this.segments.create(actor, { ...body, environmentKey }));
  }

  @Put(':key')
  @AtLeast('developer')
  @ReadsLongLists()
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'updateSegment',
    summary: 'Change a segment',
    description:
      'Fields that are absent stay as they are. Long lists are changed key by key with `included_add` and its like. ' +
      'A protected environment asks for an admin.',
  })
  @Answers('The segment as it is now.', segmentResponse, { headers: ['ETag'] })
  @Fails(404, 503)
  async update(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) segmentKey: string,
    @Query({ schema: segmentQuery }) query: SegmentQuery,
    @Body({ schema: updateSegmentRequest }) body: UpdateSegmentRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    return presentSegment(await this.segments.update(actor, { key: segmentKey, ...query }, body, ifMatch));
  }

  @Post(':key/revert')
  @AtLeast('developer')
  @HttpCode(200)
  @ReadsLongLists()
  @Tagged()
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'revertSegmentChange',
    summary: 'Take a change of a segment back',
    description:
      'Makes another change: what the one of `position` changed becomes what it was. Refused with 409 when the same fields were changed again since, ' +
      'and when a list was changed by more users than the audit log names.',
  })
  @Answers('The segment as it is now.', segmentResponse, { headers: ['ETag'] })
  @Fails(404, 409, 503)
  async revert(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) segmentKey: string,
    @Query({ schema: segmentQuery }) query: SegmentQuery,
    @Body({ schema: revertRequest }) body: RevertRequest,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ) {
    return presentSegment(await this.reverter.revert(actor, { key: segmentKey, ...query }, body, ifMatch));
  }

  @Delete(':key')
  @AtLeast('admin')
  @HttpCode(204)
  @HonoursIfMatch()
  @ApiOperation({
    operationId: 'deleteSegment',
    summary: 'Delete a segment',
    description: 'Refused with 409 while flags or other segments use it. Its history stays.',
  })
  @Answers('It is gone.')
  @Fails(404, 409, 422, 503)
  async delete(
    @CurrentActor() actor: Actor,
    @Param('key', { schema: key }) segmentKey: string,
    @Query({ schema: deleteSegmentQuery }) { environmentKey, ...why }: DeleteSegmentQuery,
    @IfMatch() ifMatch: readonly number[] | undefined,
  ): Promise<void> {
    await this.segments.delete(actor, { key: segmentKey, environmentKey }, why, ifMatch);
  }
}
