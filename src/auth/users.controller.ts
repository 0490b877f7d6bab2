import { Body, Controller, Get, Param, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { CurrentActor, PersonAtLeast } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { Answers, Fails, OptionalBody } from '../platform/http/api.decorators.js';
import {
  changeRoleQuery,
  changeRoleRequest,
  listUsersQuery,
  setActiveRequest,
  type ChangeRoleQuery,
  type ChangeRoleRequest,
  type ListUsersQuery,
  type SetActiveRequest,
} from './dto/auth.requests.js';
import { presentUser, userResponse } from './dto/auth.responses.js';
import { chosenRole } from './chosen-role.js';
import { UsersService } from './users.service.js';

const userId = z.uuid().meta({ description: 'The id of an account.' });

@ApiTags('people')
@Controller('auth/users')
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get()
  @PersonAtLeast('admin')
  @ApiOperation({ operationId: 'listUsers', summary: 'All accounts', description: 'Oldest first.' })
  @Answers('The accounts.', z.array(userResponse), { headers: ['X-Total-Count'] })
  @Fails(422, 503)
  async list(
    @Query({ schema: listUsersQuery }) query: ListUsersQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { users, total } = await this.users.list(query.skip, query.limit);
    response.setHeader('X-Total-Count', total);
    return users.map(presentUser);
  }

  @Put(':id/role')
  @PersonAtLeast('admin')
  @OptionalBody()
  @ApiOperation({
    operationId: 'changeRole',
    summary: 'Change what an account may do',
    description: 'The role in the body, or as `new_role` in the query. Tokens of the account end at once.',
  })
  @Answers('The account.', userResponse)
  @Fails(404, 409, 503)
  async changeRole(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: userId }) id: string,
    @Query({ schema: changeRoleQuery }) query: ChangeRoleQuery,
    @Body({ schema: changeRoleRequest }) body: ChangeRoleRequest,
  ) {
    return presentUser(await this.users.changeRole(actor, id, chosenRole(query, body), body?.reason));
  }

  @Put(':id/active')
  @PersonAtLeast('admin')
  @ApiOperation({
    operationId: 'setActive',
    summary: 'Disable or enable an account',
    description: 'A disabled account is refused at once, with the tokens it has.',
  })
  @Answers('The account.', userResponse)
  @Fails(404, 409, 503)
  async setActive(
    @CurrentActor() actor: Actor,
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: setActiveRequest }) body: SetActiveRequest,
  ) {
    return presentUser(await this.users.setActive(actor, id, body.isActive, body.reason));
  }
}
