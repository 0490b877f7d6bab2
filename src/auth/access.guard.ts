import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type {} from 'pino-http';
import { ACCESS, type Access, type AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { anonymousActor } from '../platform/access/actor.js';
import { isAtLeast, type Role } from '../platform/access/role.js';
import { NotAuthenticated, RoleTooLow, RouteClosed } from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import { bearerToken } from './bearer-token.js';
import type { RequestInSession } from './current-session.js';

/** The one guard in front of every route. What a route does not declare it does not allow. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request & AuthenticatedRequest & RequestInSession>();
    const requestId = typeof request.id === 'string' ? request.id : null;
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!access) throw new RouteClosed();
    const role = roleFor(access, request);
    if (role === undefined) {
      request.actor = anonymousActor(requestId);
      return true;
    }
    const token = bearerToken(request.headers.authorization);
    if (token === undefined) throw new NotAuthenticated();
    const session = await this.authenticator.authenticate(token);
    const { user } = session;
    if (!isAtLeast(user.role, role)) throw new RoleTooLow(role);
    request.session = session;
    request.actor = { type: 'user', id: user.id, name: user.email, role: user.role, requestId };
    return true;
  }
}

/** The role that a request needs; `undefined` when anybody may send it. */
function roleFor(access: Access, request: Request): Role | undefined {
  if (access.kind === 'role') return access.role;
  return access.unless?.asks(request) ? access.unless.role : undefined;
}
