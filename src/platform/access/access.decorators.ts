import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiBearerAuth, ApiSecurity } from '@nestjs/swagger';
import { Fails } from '../http/api.decorators.js';
import type { Actor } from './actor.js';
import type { KeyKind, KeyScope } from './key-scope.js';
import type { Role } from './role.js';

/** What a route asks of its caller. A route that declares nothing is refused to everyone. */
export type Access =
  /** Nothing. Not counted, and a credential is not looked at; but where EVALUATE_ACCESS=key, what `isClosedWithNames` is for viewers. */
  | { readonly kind: 'public'; readonly isClosedWithNames?: true }
  /** People with the role, admin keys with it unless it is for `peopleOnly`, and keys of these kinds. */
  | {
      readonly kind: 'role';
      readonly role: Role;
      readonly keys: readonly KeyKind[];
      readonly peopleOnly: boolean;
      /** Whether whoever brings no credential is let in where COMPAT_OPEN_WRITES says so. */
      readonly mayBeOpened?: true;
    }
  /** A key of these kinds. */
  | { readonly kind: 'key'; readonly keys: readonly KeyKind[] }
  /** Nothing, unless this installation wants a credential; a key, when given, is checked and scoped. */
  | {
      readonly kind: 'open';
      readonly keys: readonly KeyKind[];
      readonly unless?: Reservation;
      /** Whether a key that can be none of ours is passed over. */
      readonly passesForeignKeys?: true;
    };

/** Requests to an open route that are not for everybody. */
export interface Reservation {
  /** People and admin keys need it. */
  readonly role: Role;
  readonly keys: readonly KeyKind[];
  readonly asks: (request: { readonly body?: unknown }) => boolean;
}

export const ACCESS = 'vexil:access';

const declares = (access: Access) => SetMetadata(ACCESS, access);
const takesKeys = () => ApiSecurity('apiKey');

/** Anybody may call this route; a credential, when given, is not looked at. */
export const Public = () => declares({ kind: 'public' });

/** As `Public`, and as `AtLeast('viewer')` where EVALUATE_ACCESS=key hides the names of flags: this route tells them. */
export const PublicUnlessNamesAreHidden = () =>
  applyDecorators(
    declares({ kind: 'public', isClosedWithNames: true }),
    ApiSecurity({}),
    ApiBearerAuth('bearer'),
    takesKeys(),
    Fails(401, 403, 429),
  );

/**
 * Anybody may call this route, unless EVALUATE_ACCESS asks for a credential. A key, when given, must be one of `keys` or
 * an admin key. What `unless` finds asks for is reserved in any case.
 */
export const Open = (keys: readonly KeyKind[], unless?: Reservation) =>
  applyDecorators(
    declares({ kind: 'open', keys, ...(unless ? { unless } : {}) }),
    // Either nothing, or a key, or a token, as OpenAPI says it.
    ApiSecurity({}),
    takesKeys(),
    ...(unless ? [ApiBearerAuth('bearer')] : []),
    Fails(401, 403, 429),
  );

/** As `Open`, for systems that looked at no key here: one that can be none of ours is passed over. */
export const OpenWhateverKey = (keys: readonly KeyKind[]) =>
  declares({ kind: 'open', keys, passesForeignKeys: true });

/** Only people and admin keys with this role or a higher one may call this route, and keys of the other kinds that are named. */
export const AtLeast = (role: Role, ...keys: readonly KeyKind[]) =>
  applyDecorators(
    declares({ kind: 'role', role, keys, peopleOnly: false }),
    ApiBearerAuth('bearer'),
    takesKeys(),
    // What a route does not ask for it refuses.
    Fails(401, 403, 422, 429),
  );

/** As `AtLeast`, and for anybody where COMPAT_OPEN_WRITES says so: who brings no credential then acts as an admin. */
export const AtLeastUnlessOpened = (role: Role) =>
  declares({ kind: 'role', role, keys: [], peopleOnly: false, mayBeOpened: true });

/** As `AtLeast`, but for no key whatever its role: who gets in is decided by people. */
export const PersonAtLeast = (role: Role) =>
  applyDecorators(
    declares({ kind: 'role', role, keys: [], peopleOnly: true }),
    ApiBearerAuth('bearer'),
    Fails(401, 403, 422, 429),
  );

/** Only keys of these kinds may call this route. */
export const NeedsKey = (...keys: readonly KeyKind[]) =>
  applyDecorators(declares({ kind: 'key', keys }), takesKeys(), Fails(401, 403, 429));

/** A request after the guard has let it through. */
export interface AuthenticatedRequest {
  actor?: Actor;
  scope?: KeyScope;
  id?: unknown;
}

/** The acting person or admin key, as the guard established it. */
export const CurrentActor = createParamDecorator(
  (_: unknown, context: ExecutionContext): Actor | undefined => {
    return context.switchToHttp().getRequest<AuthenticatedRequest>().actor;
  },
);

/** The scope of the key that calls; `undefined` for people and for nobody in particular. */
export const CurrentScope = createParamDecorator(
  (_: unknown, context: ExecutionContext): KeyScope | undefined => {
    return context.switchToHttp().getRequest<AuthenticatedRequest>().scope;
  },
);
