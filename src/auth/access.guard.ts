import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type {} from 'pino-http';
import { ACCESS, type Access, type AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { anonymousActor, type Actor } from '../platform/access/actor.js';
import type { KeyKind, KeyScope } from '../platform/access/key-scope.js';
import { isAtLeast, type Role } from '../platform/access/role.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { Admission, type Admitted } from './admission.js';
import {
  KeyNeeded,
  KeyNotEnough,
  NotAuthenticated,
  PeopleOnly,
  RoleTooLow,
  RouteClosed,
} from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import type { RequestInSession } from './current-session.js';
import { allowanceHeaders } from './request-limits.js';

type GuardedRequest = Request & AuthenticatedRequest & RequestInSession;

/** Who may pass: people and admin keys with the role, keys of these kinds, and whether nobody in particular may too. */
interface Wanted {
  /** `undefined`: no person and no admin key. */
  readonly role: Role | undefined;
  readonly keys: readonly KeyKind[];
  readonly peopleOnly: boolean;
  readonly isOpen: boolean;
}

/** The one guard in front of every route. What a route does not declare it does not allow. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly admission: Admission,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<GuardedRequest>();
    const requestId = typeof request.id === 'string' ? request.id : null;
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!access) throw new RouteClosed();
    if (access.kind === 'public') {
      request.actor = anonymousActor(requestId);
      return true;
    }
    const admitted = this.admission.admit({ headers: request.headers, address: request.ip });
    if (admitted.allowance) http.getResponse<Response>().set(allowanceHeaders(admitted.allowance));
    const wanted = this.wantedBy(access, request);
    if (admitted.scope) {
      requireKey(admitted.scope, wanted);
      request.scope = admitted.scope;
      request.actor = keyActor(admitted.scope, requestId);
    } else {
      request.actor = await this.person(request, admitted, wanted, requestId);
    }
    return true;
  }

  private wantedBy(access: Exclude<Access, { kind: 'public' }>, request: Request): Wanted {
    switch (access.kind) {
      case 'role':
        return { ...access, isOpen: false };
      case 'key':
        return { role: undefined, keys: access.keys, peopleOnly: false, isOpen: false };
      case 'open':
        return access.unless?.asks(request)
          ? { ...access.unless, peopleOnly: false, isOpen: false }
          : {
              role: 'viewer',
              keys: access.keys,
              peopleOnly: false,
              isOpen: this.config.evaluateAccess === 'public',
            };
    }
  }

  private async person(
    request: GuardedRequest,
    { credentials }: Admitted,
    { role, keys, isOpen }: Wanted,
    requestId: string | null,
  ): Promise<Actor> {
    // A token is not looked at where nobody needs one.
    if (isOpen) return anonymousActor(requestId);
    if (role === undefined) throw new KeyNeeded(keys);
    if (credentials.type !== 'token') throw new NotAuthenticated();
    const session = await this.authenticator.authenticate(credentials.token);
    const { user } = session;
    if (!isAtLeast(user.role, role)) throw new RoleTooLow(role);
    request.session = session;
    return { type: 'user', id: user.id, name: user.email, role: user.role, requestId };
  }
}

/** @throws PeopleOnly, RoleTooLow, KeyNotEnough */
function requireKey({ kind, role: own }: KeyScope, { role, keys, peopleOnly }: Wanted): void {
  if (keys.includes(kind)) return;
  if (peopleOnly) throw new PeopleOnly();
  if (own === undefined || role === undefined) throw new KeyNotEnough(kind);
  if (!isAtLeast(own, role)) throw new RoleTooLow(role);
}

const keyActor = ({ keyId, name, role }: KeyScope, requestId: string | null): Actor => ({
  type: 'api_key',
  id: keyId,
  name,
  role,
  requestId,
});
