import { Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { readCredentials, type Credentials } from '../platform/access/credentials.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { TwoCredentials } from './auth.errors.js';
import { KeyRing } from './key-ring.js';
import { RequestLimits, type Allowance } from './request-limits.js';

/** The headers that say who calls, and from where. */
type CallHeaders = Pick<IncomingHttpHeaders, 'authorization' | 'origin'> & {
  readonly 'x-api-key'?: string | string[] | undefined;
};

/** What is looked at of a request before anything is done for it. */
export interface Arrival {
  readonly headers: CallHeaders;
  /** Of the client, with TRUST_PROXY taken into account. */
  readonly address: string | undefined;
}

/** Who calls, as far as that can be told without waiting. */
export interface Caller {
  readonly credentials: Exclude<Credentials, { type: 'ambiguous' }>;
  /** Of the key that calls. */
  readonly scope: KeyScope | undefined;
}

export interface Admitted extends Caller {
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
    let caller: Caller;
    try {
      caller = this.identify(headers);
    } catch (error) {
      // Guessing is limited as calling without a key is.
      this.limits.takeForNetwork(address);
      throw error;
    }
    return { ...caller, allowance: this.take(caller, address) };
  }

  /** Counts nothing. @throws TwoCredentials, and what `KeyKeeper.authenticate` throws */
  identify(headers: CallHeaders): Caller {
    const credentials = this.read(headers);
    if (credentials.type === 'ambiguous') throw new TwoCredentials();
    if (credentials.type !== 'key') return { credentials, scope: undefined };
    return { credentials, scope: this.keys.authenticate(credentials.secret, headers.origin) };
  }

  private read(headers: CallHeaders): Credentials {
    const credentials = readCredentials(headers);
    if (credentials.type !== 'token' || !this.keys.knows(credentials.token)) return credentials;
    return { type: 'key', secret: credentials.token };
  }

  /** Counts one request. @throws RateLimited; @returns what is left, `undefined` where there is no limit */
  take({ scope }: Caller, address: string | undefined): Allowance | undefined {
    return scope ? this.limits.takeForKey(scope, address) : this.limits.takeForNetwork(address);
  }
}
