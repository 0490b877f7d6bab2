import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { readCredentials, type Credentials } from '../platform/access/credentials.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { TwoCredentials } from './auth.errors.js';
import { KeyRing } from './key-ring.js';
import { RequestLimits, type Allowance } from './request-limits.js';

/** What is looked at of a request before anything is done for it. */
export interface Arrival {
  readonly headers: IncomingHttpHeaders;
  /** Of the client, with TRUST_PROXY taken into account. */
  readonly address: string | undefined;
}

export interface Admitted {
  readonly credentials: Exclude<Credentials, { type: 'ambiguous' }>;
  /** Of the key that calls. */
  readonly scope: KeyScope | undefined;
  /** What is left of the limit; `undefined` where there is none. */
  readonly allowance: Allowance | undefined;
}

/**
 * The first step of every door: which credential, whose key, and is there anything left of its limit. Waits for nothing,
 * and knows no framework. A token of a person is not verified here.
 */
@Injectable()
export class Admission {
  constructor(
    private readonly keys: KeyRing,
    private readonly limits: RequestLimits,
  ) {}

  /** @throws TwoCredentials, RateLimited, and what `KeyKeeper.authenticate` throws */
  admit({ headers, address }: Arrival): Admitted {
    const credentials = readCredentials(headers);
    if (credentials.type === 'key') {
      const scope = this.authenticate(credentials.secret, headers.origin, address);
      return { credentials, scope, allowance: this.limits.takeForKey(scope) };
    }
    const allowance = this.limits.takeForNetwork(address);
    if (credentials.type === 'ambiguous') throw new TwoCredentials();
    return { credentials, scope: undefined, allowance };
  }

  private authenticate(secret: string, origin: string | undefined, address: string | undefined): KeyScope {
    try {
      return this.keys.authenticate(secret, origin);
    } catch (error) {
      // Guessing is limited as calling without a key is.
      this.limits.takeForNetwork(address);
      throw error;
    }
  }
}
