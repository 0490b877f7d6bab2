import { Injectable } from '@nestjs/common';
import type { RequestInSession } from '../auth/current-session.js';
import { KeyRing } from '../auth/key-ring.js';
import { SessionWatch } from '../auth/session-watch.js';
import type { AuthenticatedRequest } from '../platform/access/access.decorators.js';

/** Whether a caller who was let in still would be. Asked several times a second, so it answers from memory. */
export interface StreamAccess {
  isStillAllowed(): boolean;
}

/** Who opens a stream. */
export interface StreamCaller {
  /** The same for all streams of one person or program. */
  readonly id: string;
  /** With a client key, which is everybody's. */
  readonly isClient: boolean;
  readonly access: StreamAccess;
}

const NOBODY: StreamCaller = { id: '', isClient: false, access: { isStillAllowed: () => false } };

/** Finds out on what credential a request was let in, and how to ask after it later. */
@Injectable()
export class StreamCallers {
  constructor(
    private readonly sessions: SessionWatch,
    private readonly keys: KeyRing,
  ) {}

  /** @param request after the guard has let it through */
  of({ session, scope }: RequestInSession & AuthenticatedRequest): StreamCaller {
    if (scope)
      return {
        id: `key ${scope.keyId}`,
        isClient: scope.clientOnly,
        access: { isStillAllowed: () => this.keys.isValid(scope.keyId) },
      };
    if (!session) return NOBODY;
    const isStillAllowed = this.sessions.watch(session, 'viewer');
    return { id: `user ${session.user.id}`, isClient: false, access: { isStillAllowed } };
  }
}
