import { Controller, Get, Ip, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { RequestInSession } from '../auth/current-session.js';
import { networkOf } from '../auth/network.js';
import { AtLeast, CurrentScope, type AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { requireEnvironment, type KeyScope } from '../platform/access/key-scope.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { streamQuery, type StreamQuery } from './dto/stream.requests.js';
import { rulesetResponse, STREAM_EXAMPLE } from './dto/stream.responses.js';
import { FeedsService } from './feeds.service.js';
import { KnownId, LastEventId } from './last-event-id.js';
import { StreamCallers } from './stream-access.js';
import { sendRuleset, sendStream } from './stream-response.js';
import { StreamsService } from './streams.service.js';

const ID = '42-9f86d081884c';

@ApiTags('stream')
@Controller()
export class StreamController {
  constructor(
    private readonly streams: StreamsService,
    private readonly feeds: FeedsService,
    private readonly callers: StreamCallers,
  ) {}

  @Get('stream')
  @AtLeast('viewer', 'server')
  @ApiOperation({
    operationId: 'followEnvironment',
    summary: 'Follow the changes of an environment',
    description:
      'Server-sent events: `ruleset`, everything that is needed to evaluate; then a `change` for each revision, with the flags and segments that are new or different (`put`) and the keys of those that are gone (`removed`). `resync` says that a `ruleset` comes which may be of an earlier revision; `closed` why the stream ends: `access_ended`, `environment_deleted` or `shutting_down`. Lines that begin with a colon are heartbeats.',
  })
  @ApiProduces('text/event-stream')
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The id of the last event you had: you get what came after it, or a `resync`.',
    schema: { type: 'string', example: ID },
  })
  @Answers('The events, until either side ends.', z.string(), { example: STREAM_EXAMPLE })
  @Fails(404, 429, 503)
  async follow(
    @Query({ schema: streamQuery }) { environmentKey }: StreamQuery,
    @LastEventId() lastEventId: string | undefined,
    @Ip() address: string,
    @Req() request: Request & RequestInSession & AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    requireEnvironment(request.scope, environmentKey);
    const caller = this.callers.of(request);
    const network = networkOf(address);
    sendStream(request, response, await this.streams.admit({ environmentKey, lastEventId, caller, network }));
  }

  @Get('ruleset')
  @AtLeast('viewer', 'server')
  @ApiOperation({
    operationId: 'getRuleset',
    summary: 'Everything that is needed to evaluate in an environment',
    description:
      'For those who ask now and then instead of following the stream. The `ETag` without its quotes is an id for `Last-Event-ID`. Answered from memory, also while the database is away.',
  })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'The ETag you last saw: when nothing has changed since, the answer is 304 without a body.',
    schema: { type: 'string', example: `"${ID}"` },
  })
  @Answers('The ruleset.', rulesetResponse, { headers: ['ETag', 'X-Snapshot'] })
  @ApiResponse({ status: 304, description: 'You have it.' })
  @Fails(404, 503)
  async ruleset(
    @Query({ schema: streamQuery }) { environmentKey }: StreamQuery,
    @KnownId() knownId: string | undefined,
    @CurrentScope() scope: KeyScope | undefined,
    @Res() response: Response,
  ): Promise<void> {
    requireEnvironment(scope, environmentKey);
    sendRuleset(response, await this.feeds.ruleset(environmentKey, knownId));
  }
}
