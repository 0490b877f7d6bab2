import {
  Conflict,
  Forbidden,
  NotFound,
  Refused,
  TooMany,
  Unauthenticated,
  Unavailable,
} from '../platform/errors/errors.js';
import type { KeyKind } from '../platform/access/key-scope.js';
import { isAtLeast, ROLES, type Role } from '../platform/access/role.js';

export class NotAuthenticated extends Unauthenticated {
  readonly code = 'not_authenticated';

  constructor() {
    super('Send an access token, or an API key where one will do: Authorization: Bearer <token or key>.');
  }
}

export class TwoCredentials extends Unauthenticated {
  readonly code = 'two_credentials';

  constructor() {
    super('The request has two different credentials. Send either a token or an API key.');
  }
}

export class KeyNeeded extends Unauthenticated {
  readonly code = 'api_key_needed';

  constructor(kinds: readonly KeyKind[]) {
    super(`Send an API key of kind ${kinds.join(' or ')}: X-API-Key: <key>.`);
  }
}

/** Nothing here keeps API keys, so none can be checked. */
export class NoKeys extends Unavailable {
  override readonly code = 'not_ready';

  constructor() {
    super('API keys cannot be checked at the moment.');
  }
}

export class KeyNotEnough extends Forbidden {
  readonly code = 'api_key_kind';

  constructor(kind: KeyKind) {
    super(`An API key of kind '${kind}' may not do this.`);
  }
}

export class PeopleOnly extends Forbidden {
  readonly code = 'people_only';

  constructor() {
    super('Only people may do this, with an access token of their own; no API key may.');
  }
}

/** A page in a browser wants to use what is open to whoever can reach the service. */
export class PageNotAllowed extends Forbidden {
  readonly code = 'page_not_allowed';

  constructor() {
    super('Pages of this origin may not do this without a credential; ALLOWED_ORIGINS names those that may.');
  }
}

export class RateLimited extends TooMany {
  readonly headers: Readonly<Record<string, string>>;

  /** @param limit requests per minute */
  constructor(limit: number, resetSeconds: number) {
    super(`More than ${limit} requests in a minute. Try again in ${resetSeconds} s.`, resetSeconds);
    this.headers = {
      'X-RateLimit-Limit': String(limit),
      'X-RateLimit-Remaining': '0',
      'X-RateLimit-Reset': String(resetSeconds),
    };
  }
}

export class InvalidToken extends Unauthenticated {
  readonly code = 'invalid_token';

  constructor() {
    super('Invalid or expired token');
  }
}

export class AccountDisabled extends Unauthenticated {
  readonly code = 'account_disabled';

  constructor() {
    super('User account is disabled');
  }
}

/** Says the same for an unknown address, a wrong password and a disabled account. */
export class LoginFailed extends Unauthenticated {
  readonly code = 'login_failed';

  constructor() {
    super('Invalid email or password');
  }
}

export class RoleTooLow extends Forbidden {
  readonly code = 'role_too_low';

  constructor(wanted: Role) {
    const sufficient = ROLES.filter((role) => isAtLeast(role, wanted));
    super(`Access denied. Required role: [${sufficient.map((role) => `'${role}'`).join(', ')}]`);
  }
}

/** A route that says nothing of who may call it is closed to everyone. */
export class RouteClosed extends Forbidden {
  readonly code = 'route_closed';

  constructor() {
    super('This route is open to nobody.');
  }
}

export class UserNotFound extends NotFound {
  readonly code = 'user_not_found';

  constructor() {
    super('User not found');
  }
}

export class EmailTaken extends Conflict {
  readonly code = 'email_taken';

  constructor() {
    super('Email already registered');
  }
}

export class RegistrationClosed extends Forbidden {
  readonly code = 'registration_closed';

  constructor() {
    super('Registration is closed. Ask an admin.');
  }
}

/** Says the same of one that never was and one that expired, was used or was withdrawn. */
export class InviteNotFound extends NotFound {
  readonly code = 'invite_not_found';

  constructor() {
    super('There is no such invitation: it was used or withdrawn, has expired, or never was.');
  }
}

export class OwnAdminRole extends Refused {
  readonly code = 'own_admin_role';

  constructor() {
    super('Cannot remove your own admin role');
  }
}

export class OwnAccount extends Refused {
  readonly code = 'own_account';

  constructor() {
    super('Cannot disable your own account');
  }
}

export class LastAdmin extends Conflict {
  readonly code = 'last_admin';

  constructor() {
    super('This is the last active admin; make another one first.');
  }
}

export class SetupDone extends Conflict {
  readonly code = 'setup_done';

  constructor() {
    super('There is an admin already.');
  }
}

export class SetupTokenWrong extends Unauthenticated {
  readonly code = 'setup_token_wrong';

  constructor() {
    super('The setup token is not the one that the service printed when it started.');
  }
}

export class SessionTooOld extends Unauthenticated {
  readonly code = 'session_too_old';

  constructor() {
    super('The session is too old to be refreshed. Log in again.');
  }
}

export class TooManyAttempts extends TooMany {
  override readonly code = 'too_many_attempts';
  readonly headers: Readonly<Record<string, string>>;

  /** @param limit how many are allowed in the time, where there is such a number */
  constructor(retryAfterSeconds: number, limit?: number) {
    const seconds = String(Math.max(1, Math.ceil(retryAfterSeconds)));
    super(`Too many attempts. Try again in ${seconds} s.`, retryAfterSeconds);
    this.headers =
      limit === undefined
        ? {}
        : {
            'X-RateLimit-Limit': String(limit),
            'X-RateLimit-Remaining': '0',
            'X-RateLimit-Reset': seconds,
          };
  }
}
