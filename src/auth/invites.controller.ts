import { Body, Controller, Delete, Get, Header, HttpCode, Ip, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { CurrentActor, PersonAtLeast, Public } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { presentSession, sessionResponse } from './dto/auth.responses.js';
import {
  acceptInviteRequest,
  createInviteRequest,
  listInvitesQuery,
  lookAtInviteRequest,
  withdrawInviteQuery,
  type AcceptInviteRequest,
  type CreateInviteRequest,
  type ListInvitesQuery,
  type LookAtInviteRequest,
  type WithdrawInviteQuery,
} from './dto/invite.requests.js';
import {
  inviteResponse,
  newInviteResponse,
  offerResponse,
  presentInvite,
  presentNewInvite,
  presentOffer,
} from './dto/invite.responses.js';
import { InvitesService } from './invites.service.js';
import { SessionsService } from './sessions.service.js';

const inviteId = z.uuid().meta({ description: 'The id of an invitation.' });

@ApiTags('people')
@Controller('auth/invites')
export class InvitesController {
  constructor(
    private readonly invites: InvitesService,
    private readonly sessions: SessionsService,
  ) {}

  @Get()
  @PersonAtLeast('admin')
  @ApiOperation({
    operationId: 'listInvites',
    summary: 'Open invitations',
    description:
      'Newest first. Those that were used or withdrawn, or have expired, are in the audit log only.',
  })
  @Answers('The invitations.', z.array(inviteResponse), { headers: ['X-Total-Count'] })
  @Fails(503)
  async list(
    @Query({ schema: listInvitesQuery }) query: ListInvitesQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { invites, total } = await this.invites.list(query.skip, query.limit);
    response.setHeader('X-Total-Count', total);
    return invites.map(presentInvite);
  }

  @Post()
  @PersonAtLeast('admin')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'createInvite',
    summary: 'Invite somebody',
    description:
      'The answer holds the token, this once: only a hash of it is kept. Whoever has it can make one account with this role, also where registration is closed. The invitation ends early when who made it is no longer an active admin.',
  })
  @Answers('The invitation, and the link for it.', newInviteResponse, { status: 201 })
  @Fails(409, 503)
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: createInviteRequest }) body: CreateInviteRequest,
  ) {
    return presentNewInvite(await this.invites.create(actor, body));
  }

  @Delete(':id')
  @PersonAtLeast('admin')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'withdrawInvite',
    summary: 'Withdraw an invitation',
    description: 'Its link is good for nothing from then on.',
  })
  @Answers('It is withdrawn.')
  @Fails(404, 503)
  async withdraw(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: inviteId }) id: string,
    @Query({ schema: withdrawInviteQuery }) query: WithdrawInviteQuery,
  ): Promise<void> {
    await this.invites.withdraw(actor, id, query.reason);
  }

  @Post('look')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'lookAtInvite',
    summary: 'What an invitation offers',
    description: 'Uses nothing up. The token is in the body, because addresses are logged.',
  })
  @Answers('What it offers.', offerResponse)
  @Fails(404, 429, 503)
  async look(@Ip() address: string, @Body({ schema: lookAtInviteRequest }) body: LookAtInviteRequest) {
    return presentOffer(await this.invites.look(address, body.token));
  }

  @Post('accept')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'acceptInvite',
    summary: 'Accept an invitation',
    description:
      'Makes the account and logs in. An invitation can be used once; whether it was, has expired, was withdrawn or never was, the answer is the same.',
  })
  @Answers('The account and a token for it.', sessionResponse, { status: 201 })
  @Fails(404, 409, 429, 503)
  async accept(
    @CurrentActor() actor: Actor,
    @Ip() address: string,
    @Body({ schema: acceptInviteRequest }) body: AcceptInviteRequest,
  ) {
    return presentSession(await this.sessions.accept(actor, address, body));
  }
}
