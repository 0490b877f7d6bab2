import { Body, Controller, Get, Header, HttpCode, Inject, Ip, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentActor, PersonAtLeast, Public } from '../platform/access/access.decorators.js';
import type { Actor } from '../platform/access/actor.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import type { OpenSession } from './authenticator.js';
import { CurrentSession } from './current-session.js';
import {
  loginRequest,
  registerRequest,
  setupRequest,
  type LoginRequest,
  type RegisterRequest,
  type SetupRequest,
} from './dto/auth.requests.js';
import {
  presentSession,
  presentUser,
  sessionResponse,
  setupStateResponse,
  userResponse,
} from './dto/auth.responses.js';
import { SessionsService } from './sessions.service.js';
import { UsersService } from './users.service.js';

@ApiTags('people')
@Controller('auth')
export class AuthController {
  constructor(
    private readonly sessions: SessionsService,
    private readonly users: UsersService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Post('register')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'register',
    summary: 'Make an account',
    description: 'The new account is a viewer; an admin can give it more.',
  })
  @Answers('The account and a token for it.', sessionResponse, { status: 201 })
  @Fails(403, 409, 429, 503)
  async register(
    @CurrentActor() actor: Actor,
    @Ip() address: string,
    @Body({ schema: registerRequest }) body: RegisterRequest,
  ) {
    return presentSession(await this.sessions.register(actor, address, body));
  }

  @Post('login')
  @Public()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'logIn',
    summary: 'Log in',
    description:
      'Says the same, after the same time, whether the address is unknown, the password wrong or the account disabled.',
  })
  @Answers('A token.', sessionResponse)
  @Fails(401, 429, 503)
  async logIn(@Ip() address: string, @Body({ schema: loginRequest }) body: LoginRequest) {
    return presentSession(await this.sessions.logIn(address, body.email, body.password));
  }

  @Post('refresh')
  @PersonAtLeast('viewer')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'refresh',
    summary: 'A new token for a valid one',
    description: 'Up to 12 hours after the password was given.',
  })
  @Answers('A token.', sessionResponse)
  @Fails(503)
  async refresh(@CurrentSession() session: OpenSession) {
    return presentSession(await this.sessions.refresh(session));
  }

  @Get('me')
  @PersonAtLeast('viewer')
  @ApiOperation({
    operationId: 'getMe',
    summary: 'Who I am',
    description: 'As the account is now, not as it was when the token was given.',
  })
  @Answers('The account behind the token.', userResponse)
  @Fails(503)
  me(@CurrentSession() session: OpenSession) {
    return presentUser(session.user);
  }

  @Get('setup')
  @Public()
  @ApiOperation({
    operationId: 'getSetup',
    summary: 'Whether a first admin is needed',
    description: 'And whether people may register by themselves.',
  })
  @Answers('The state of this installation.', setupStateResponse)
  @Fails(422, 503)
  async setupState() {
    return { needed: await this.users.needsAdmin(), registration_open: this.config.registrationOpen };
  }

  @Post('setup')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'setUp',
    summary: 'Make the first admin',
    description:
      'With the one-time token that the service printed when it started. Once there is an admin this answers 409, whatever the token.',
  })
  @Answers('The admin and a token.', sessionResponse, { status: 201 })
  @Fails(401, 409, 429, 503)
  async setUp(
    @CurrentActor() actor: Actor,
    @Ip() address: string,
    @Body({ schema: setupRequest }) body: SetupRequest,
  ) {
    return presentSession(await this.sessions.setUp(actor, address, body));
  }
}
