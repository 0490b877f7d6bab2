import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import type {} from 'pino-http';
import { ACCESS, type Access, type AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { anonymousActor, type Actor } from '../platform/access/actor.js';
import { withoutForeignKey } from '../platform/access/credentials.js';
import type { KeyKind, KeyScope } from '../platform/access/key-scope.js';
import { isAtLeast, type Role } from '../platform/access/role.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { Admission, type Admitted } from './admission.js';
import {
  KeyNeeded,
  KeyNotEnough,
  NotAuthenticated,
  PageNotAllowed,
  PeopleOnly,
  RoleTooLow,
  RouteClosed,
} from './auth.errors.js';
import { Authenticator } from './authenticator.js';
import { KeyRing } from './key-ring.js';
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
  /** Whether whoever brings no credential acts as an admin. */
  readonly isOpened: boolean;
}

/** The one guard in front of every route. What a route does not declare it does not allow. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly admission: Admission,
    private readonly keys: KeyRing,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  private readonly isKnown = (secret: string): boolean => this.keys.knows(secret);

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<GuardedRequest>();
    const requestId = typeof request.id === 'string' ? request.id : null;
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (!access) throw new RouteClosed();
    if (access.kind === 'public' && !this.isClosed(access)) {
      request.actor = anonymousActor(requestId);
      return true;
    }
    const wanted = this.wantedBy(access, request);
    const isPassedOver = wanted.isOpened || (access.kind === 'open' && access.passesForeignKeys === true);
    const headers = isPassedOver ? withoutForeignKey(request.headers, this.isKnown) : request.headers;
    const admitted = this.admission.admit({ headers, address: request.ip });
    if (admitted.allowance) http.getResponse<Response>().set(allowanceHeaders(admitted.allowance));
    if (admitted.scope) {
      requireKey(admitted.scope, wanted);
      request.scope = admitted.scope;
      request.actor = keyActor(admitted.scope, requestId);
    } else {
      request.actor = await this.person(request, admitted, wanted, requestId);
    }
    return true;
  }

  private isClosed({ isClosedWithNames }: Access & { kind: 'public' }): boolean {
    return isClosedWithNames === true && this.config.evaluateAccess === 'key';
  }

  private wantedBy(access: Access, request: Request): Wanted {
    switch (access.kind) {
      case 'public':
        return { role: 'viewer', keys: [], ...CLOSED };
      case 'role':
        return {
          ...access,
          isOpen: false,
          isOpened: access.mayBeOpened === true && this.config.compatOpenWrites,
        };
      case 'key':
        return { role: undefined, keys: access.keys, ...CLOSED };
      case 'open':
        return access.unless?.asks(request)
          ? { ...access.unless, ...CLOSED }
          : {
              role: 'viewer',
              keys: access.keys,
              ...CLOSED,
              isOpen: this.config.evaluateAccess === 'public',
            };
    }
  }

  private async person(
    request: GuardedRequest,
    { credentials }: Admitted,
    { role, keys, isOpen, isOpened }: Wanted,
    requestId: string | null,
  ): Promise<Actor> {
    // A token is not looked at where nobody needs one.
    if (isOpen) return anonymousActor(requestId);
    if (isOpened && credentials.type === 'none') {
      this.refuseForeignPages(request);
      return { ...anonymousActor(requestId), role: 'admin' };
    }
    if (role === undefined) throw new KeyNeeded(keys);
    if (credentials.type !== 'token') throw new NotAuthenticated();
    const session = await this.authenticator.authenticate(credentials.token);
    const { user } = session;
    if (!isAtLeast(user.role, role)) throw new RoleTooLow(role);
    request.session = session;
    return { type: 'user', id: user.id, name: user.email, role: user.role, requestId };
  }

  /** What is open to anybody is not open to any page that somebody who can reach it happens to visit. @throws PageNotAllowed */
  private refuseForeignPages({ headers: { origin, host } }: GuardedRequest): void {
    const { allowedOrigins } = this.config;
    const isOwn = origin !== undefined && URL.canParse(origin) && new URL(origin).host === host;
    if (origin !== undefined && !isOwn && !allowedOrigins.includes('*') && !allowedOrigins.includes(origin))
      throw new PageNotAllowed();
  }
}

const CLOSED = { peopleOnly: false, isOpen: false, isOpened: false } as const;

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
