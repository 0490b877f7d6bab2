import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import { Fails } from '../http/api.decorators.js';
import type { Actor } from './actor.js';
import type { Role } from './role.js';

/** What a route asks of its caller. A route that declares nothing is refused to everyone. */
export type Access =
  { readonly kind: 'public'; readonly unless?: Reservation } | { readonly kind: 'role'; readonly role: Role };

/** Requests to a public route that are for people with a role only. */
export interface Reservation {
  readonly role: Role;
  readonly asks: (request: { readonly body?: unknown }) => boolean;
}

export const ACCESS = 'vexil:access';

/** Anybody may call this route; a credential, when given, is not looked at. */
export const Public = () => SetMetadata(ACCESS, { kind: 'public' } satisfies Access);

/** Anybody may call this route, but what `asks` finds asks for is for people with this role or a higher one. */
export const PublicUnless = (asks: Reservation['asks'], role: Role) =>
  applyDecorators(
    SetMetadata(ACCESS, { kind: 'public', unless: { role, asks } } satisfies Access),
    // Either nothing or a token, as OpenAPI says it.
    ApiSecurity({}),
    ApiBearerAuth('bearer'),
    Fails(401, ...(role === 'viewer' ? [] : [403])),
  );

/** Only people with this role or a higher one may call this route; the API document says so, too. */
export const AtLeast = (role: Role) =>
  applyDecorators(
    SetMetadata(ACCESS, { kind: 'role', role } satisfies Access),
    ApiBearerAuth('bearer'),
    // Everybody with a valid token is a viewer at least. What a route does not ask for it refuses.
    Fails(401, ...(role === 'viewer' ? [] : [403]), 422),
  );

/** A request after the guard has let it through. */
export interface AuthenticatedRequest {
  actor?: Actor;
  id?: unknown;
}

/** The acting person, as the guard established it. */
export const CurrentActor = createParamDecorator(
  (_: unknown, context: ExecutionContext): Actor | undefined => {
    return context.switchToHttp().getRequest<AuthenticatedRequest>().actor;
  },
);
