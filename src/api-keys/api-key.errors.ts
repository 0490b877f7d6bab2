import { Conflict, Forbidden, NotFound, Unauthenticated, Unavailable } from '../platform/errors/errors.js';
import type { KeyKind } from '../platform/access/key-scope.js';

/** Says the same of one that never was, one that was revoked and one that has expired. */
export class InvalidApiKey extends Unauthenticated {
  readonly code = 'invalid_api_key';

  constructor() {
    super('Invalid, expired or revoked API key');
  }
}

export class KeyInBrowser extends Forbidden {
  readonly code = 'key_in_browser';

  constructor(kind: KeyKind) {
    super(
      `A page in a browser sent an API key of kind '${kind}'. Whoever visits the page can read it: revoke it, and use a client key there.`,
    );
  }
}

export class OriginNotAllowed extends Forbidden {
  readonly code = 'origin_not_allowed';

  constructor() {
    super('This API key may not be used by pages of this origin.');
  }
}

/** Since this instance started the database never answered, so no key is known yet. */
export class KeysNotLoaded extends Unavailable {
  override readonly code = 'not_ready';

  constructor() {
    super('The API keys are not loaded yet.');
  }
}

export class ApiKeyNotFound extends NotFound {
  readonly code = 'api_key_not_found';

  constructor() {
    super('API key not found');
  }
}

export class ApiKeyRevoked extends Conflict {
  readonly code = 'api_key_revoked';

  constructor() {
    super('The API key is revoked; it cannot be changed any more.');
  }
}
