import { Forbidden } from '../errors/errors.js';
import type { Role } from './role.js';

/** What programs call with. `server` and `client` keys belong to one environment, `admin` keys have a role. */
export const KEY_KINDS = ['server', 'client', 'admin'] as const;
export type KeyKind = (typeof KEY_KINDS)[number];

/** What the bearer of an API key may do. */
export interface KeyScope {
  readonly keyId: string;
  readonly name: string;
  readonly kind: KeyKind;
  /** The one environment of a server or client key. */
  readonly environmentKey: string | undefined;
  /** Of an admin key. */
  readonly role: Role | undefined;
  /** Requests per minute; 0: no limit. */
  readonly ratePerMinute: number;
  /** Whether only what is meant for clients may be told: visible flags, their values and variants. */
  readonly clientOnly: boolean;
}

export class WrongEnvironment extends Forbidden {
  readonly code = 'wrong_environment';

  constructor(own: string) {
    super(`This API key is for the environment '${own}' only.`);
  }
}

/** @throws WrongEnvironment when `scope` is that of a key for another environment */
export function requireEnvironment(scope: KeyScope | undefined, environmentKey: string): void {
  const own = scope?.environmentKey;
  if (own !== undefined && own !== environmentKey) throw new WrongEnvironment(own);
}
