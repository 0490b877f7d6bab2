import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { OpenSession } from './authenticator.js';

/** A request that the guard has let through on a token. */
export interface RequestInSession {
  session?: OpenSession;
}

/** Who is calling and by which token, as the guard established it; for routes that ask for a role. */
export const CurrentSession = createParamDecorator(
  (_: unknown, context: ExecutionContext): OpenSession | undefined => {
    return context.switchToHttp().getRequest<RequestInSession>().session;
  },
);
