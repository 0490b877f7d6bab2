import { Controller, Get, Ip, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { RequestInSession } from '../auth/current-session.js';
import { networkOf } from '../auth/network.js';
import { AtLeast, type AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { LastEventId } from '../stream/last-event-id.js';
import { StreamCallers } from '../stream/stream-access.js';
import { sendStream } from '../stream/stream-response.js';
import { ActivityService } from './activity.service.js';
import { ACTIVITY_EXAMPLE } from './dto/activity.responses.js';

@ApiTags('audit')
@Controller('activity')
export class ActivityController {
  constructor(
    private readonly activity: ActivityService,
    private readonly callers: StreamCallers,
  ) {}

  @Get()
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'followActivity',
    summary: 'Follow what is done, in every environment',
    description:
      'Server-sent events: `change` for each new entry of the audit log, in their order; first a message with the position where the log ends. `resync` says that what you had cannot be continued: read anew what you show. `closed` says why the stream ends: `access_ended` or `shutting_down`. Lines that begin with a colon are heartbeats.',
  })
  @ApiProduces('text/event-stream')
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The id of the last event you had: you get what came after it, or a `resync`.',
    schema: { type: 'string', example: '42-9f86d081884c' },
  })
  @Answers('The events, until either side ends.', z.string(), { example: ACTIVITY_EXAMPLE })
  @Fails(429, 503)
  async follow(
    @LastEventId() lastEventId: string | undefined,
    @Ip() address: string,
    @Req() request: Request & RequestInSession & AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    const caller = this.callers.of(request);
    sendStream(request, response, await this.activity.admit(caller, networkOf(address), lastEventId));
  }
}
