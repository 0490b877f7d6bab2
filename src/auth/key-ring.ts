import { Injectable } from '@nestjs/common';
import type { KeyScope } from '../platform/access/key-scope.js';
import { NoKeys } from './auth.errors.js';

/** Knows the API keys. */
export interface KeyKeeper {
  /**
   * Whose secret it is, and what they may do. Waits for nothing.
   * @param origin the `Origin` header of the request: set by browsers
   * @throws InvalidApiKey, KeyInBrowser, OriginNotAllowed, KeysNotLoaded
   */
  authenticate(secret: string, origin: string | undefined): KeyScope;
  /**
   * What a key may do that was let in before, as `authenticate` says it of its secret. Not counted as a use.
   * @throws InvalidApiKey, KeyInBrowser, OriginNotAllowed, KeysNotLoaded
   */
  scopeOf(keyId: string, origin: string | undefined): KeyScope;
  /** Whether it is the secret of a key, though it does not look like one: its value was said by a setting. Waits for nothing. */
  knows(secret: string): boolean;
  /** Whether a key that was let in still would be: it is neither revoked nor expired. Waits for nothing. */
  isValid(keyId: string): boolean;
}

/** Where the feature that keeps the API keys registers itself, so that this one need not know it. */
@Injectable()
export class KeyRing implements KeyKeeper {
  private keeper: KeyKeeper | undefined;

  register(keeper: KeyKeeper): void {
    this.keeper = keeper;
  }

  authenticate(secret: string, origin: string | undefined): KeyScope {
    if (!this.keeper) throw new NoKeys();
    return this.keeper.authenticate(secret, origin);
  }

  scopeOf(keyId: string, origin: string | undefined): KeyScope {
    if (!this.keeper) throw new NoKeys();
    return this.keeper.scopeOf(keyId, origin);
  }

  knows(secret: string): boolean {
    return this.keeper?.knows(secret) === true;
  }

  isValid(keyId: string): boolean {
    return this.keeper?.isValid(keyId) === true;
  }
}
