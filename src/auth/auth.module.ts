import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuditModule } from '../audit/audit.module.js';
import { AccessGuard } from './access.guard.js';
import { AccountDirectory } from './account-directory.js';
import { Admission } from './admission.js';
import { AttemptLimiter } from './attempt-limiter.js';
import { AuthController } from './auth.controller.js';
import { Authenticator } from './authenticator.js';
import { InvitesController } from './invites.controller.js';
import { InvitesRepository } from './invites.repository.js';
import { InvitesService } from './invites.service.js';
import { KeyRing } from './key-ring.js';
import { PasswordHasher } from './password-hasher.js';
import { RequestLimits } from './request-limits.js';
import { SessionWatch } from './session-watch.js';
import { SessionsService } from './sessions.service.js';
import { Tokens } from './tokens.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [AuditModule],
  controllers: [AuthController, UsersController, InvitesController],
  providers: [
    AccountDirectory,
    Admission,
    AttemptLimiter,
    Authenticator,
    InvitesRepository,
    InvitesService,
    KeyRing,
    PasswordHasher,
    RequestLimits,
    SessionWatch,
    SessionsService,
    Tokens,
    UsersRepository,
    UsersService,
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
  exports: [Admission, KeyRing, RequestLimits, SessionWatch, SessionsService, Tokens, UsersService],
})
export class AuthModule {}
