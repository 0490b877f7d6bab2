import { Body, Controller, Get, Headers, HttpCode, Ip, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { allowanceHeaders } from '../auth/request-limits.js';
import type { Context } from '../core/index.js';
import { CurrentScope, NeedsKey, Public } from '../platform/access/access.decorators.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { Answers } from '../platform/http/api.decorators.js';
import { JSON_TYPE } from '../platform/http/front-door.js';
import { AnyQuery } from '../platform/http/undeclared-input.guard.js';
import { LastEventId } from '../stream/last-event-id.js';
import { sendStream } from '../stream/stream-response.js';
import {
  addressQuery,
  bulkQuery,
  ofrepRequest,
  type AddressQuery,
  type BulkQuery,
} from './dto/ofrep.requests.js';
import { OFREP_STREAM_EXAMPLE, ofrepEvaluation, ofrepEvaluations } from './dto/ofrep.responses.js';
import { OfrepFails } from './ofrep.decorators.js';
import { OfrepService, type OfrepAnswer } from './ofrep.service.js';
import { OfrepStreamsService } from './ofrep-streams.service.js';

const flagKey = z
  .string()
  .meta({ description: 'The key of a flag, percent-encoded.', example: 'new-checkout' });
const ENVIRONMENT = 'The environment is that of the key, which must be a server or a client key.';

/** The OpenFeature Remote Evaluation Protocol, version 0.3. */
@ApiTags('ofrep')
@Controller('ofrep/v1')
export class OfrepController {
  constructor(
    private readonly ofrep: OfrepService,
    private readonly streams: OfrepStreamsService,
  ) {}

  @Post('evaluate/flags/:key')
  @OfrepFails(400, 401, 403, 404, 413, 415, 429, 503)
  @NeedsKey('server', 'client')
  @AnyQuery()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'ofrepEvaluateFlag',
    summary: 'What a user gets, for OpenFeature providers on servers',
    description: `${ENVIRONMENT} Without \`value\` the caller's default applies.`,
  })
  @Answers('The answer.', ofrepEvaluation)
  evaluate(
    @Param('key', { schema: flagKey }) key: string,
    @Body({ schema: ofrepRequest }) context: Context,
    @CurrentScope() scope: KeyScope,
    @Res() response: Response,
  ): void {
    sendAnswer(response, this.ofrep.evaluate(key, context, scope));
  }

  @Post('evaluate/flags')
  @OfrepFails(400, 401, 403, 404, 413, 415, 429, 503)
  @NeedsKey('server', 'client')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'ofrepEvaluateFlags',
    summary: 'What a user gets of all flags, for OpenFeature providers in clients',
    description: `${ENVIRONMENT} \`eventStreams\` says where to hear of changes.`,
  })
  @ApiHeader({
    name: 'If-None-Match',
    required: false,
    description: 'The ETag you last saw: when all answers are the same, the answer is 304 without a body.',
    schema: { type: 'string', example: 'W/"1heond6-1edzzum"' },
  })
  @Answers('The answers.', ofrepEvaluations, { headers: ['ETag'] })
  @ApiResponse({ status: 304, description: 'You have it.' })
  async evaluateAll(
    @Query({ schema: bulkQuery }) { flagConfigEtag }: BulkQuery,
    @Body({ schema: ofrepRequest }) context: Context,
    @Headers('if-none-match') knownTags: string | undefined,
    @CurrentScope() scope: KeyScope,
    @Res() response: Response,
  ): Promise<void> {
    if (flagConfigEtag !== undefined) await this.ofrep.reach(scope, flagConfigEtag);
    sendAnswer(response, this.ofrep.evaluateAll(context, scope, knownTags));
  }

  @Get('stream')
  @OfrepFails(400, 401, 403, 404, 429, 503)
  @Public()
  @ApiOperation({
    operationId: 'ofrepFollow',
    summary: 'Hear that something has changed',
    description:
      'Server-sent events that say `refetchEvaluation`, and nothing of what has changed. The address is in `eventStreams` of the answer for all flags; it ends within a second of its key, and is good for 12 to 24 hours.',
  })
  @ApiProduces('text/event-stream')
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The id of the last event you had; browsers send it by themselves.',
    schema: { type: 'string', example: '43-3fdba35f04dc' },
  })
  @Answers('The events, until either side ends.', z.string(), { example: OFREP_STREAM_EXAMPLE })
  async follow(
    @Query({ schema: addressQuery }) { token, since }: AddressQuery,
    @LastEventId() lastEventId: string | undefined,
    @Ip() address: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { origin } = request.headers;
    const visit = { token, origin, address, since: lastEventId ?? since };
    const { scope, allowance } = this.streams.enter(visit);
    if (allowance) response.set(allowanceHeaders(allowance));
    sendStream(request, response, await this.streams.admit(scope, visit));
  }
}

function sendAnswer(response: Response, { status, headers, body, bytes, sent }: OfrepAnswer): void {
  response.status(status);
  for (let at = 0; at < headers.length; at += 2)
    response.setHeader(headers[at] as string, headers[at + 1] as string);
  if (status !== 304) {
    response.setHeader('Content-Type', JSON_TYPE);
    response.setHeader('Content-Length', bytes);
  }
  // As every failure has one, whoever found it.
  const { id } = response.req;
  if (status >= 400 && typeof id === 'string') response.setHeader('X-Request-Id', id);
  if (sent) response.once('finish', sent);
  response.end(body === '' ? undefined : body);
}
