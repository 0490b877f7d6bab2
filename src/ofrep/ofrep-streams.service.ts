import { Injectable } from '@nestjs/common';
import { KeyRing } from '../auth/key-ring.js';
import { networkOf } from '../auth/network.js';
import { RequestLimits, type Allowance } from '../auth/request-limits.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { StreamsService } from '../stream/streams.service.js';
import { StreamAddressEnded } from './ofrep.errors.js';
import { RefetchFeed } from './refetch-feed.js';
import { StreamAddresses } from './stream-addresses.js';

/** Who asks for a stream, and where they are. */
export interface StreamVisit {
  readonly token: string;
  /** The page that asks, as a browser says it. */
  readonly origin: string | undefined;
  /** With TRUST_PROXY taken into account. */
  readonly address: string;
  /** The id of the state that the caller has. */
  readonly since: string | undefined;
}

/** Opens streams that say no more than that something has changed. */
@Injectable()
export class OfrepStreamsService {
  constructor(
    private readonly streams: StreamsService,
    private readonly addresses: StreamAddresses,
    private readonly keys: KeyRing,
    private readonly limits: RequestLimits,
  ) {}

  /**
   * Counts a visit as any other request of the key behind the address, or of the network that has none.
   * @throws RateLimited, StreamAddressEnded, and what `KeyKeeper.scopeOf` throws
   */
  enter({ token, origin, address }: StreamVisit): { scope: KeyScope; allowance: Allowance | undefined } {
    let scope: KeyScope;
    try {
      scope = this.scopeOf(token, origin);
    } catch (error) {
      this.limits.takeForNetwork(address);
      throw error;
    }
    return { scope, allowance: this.limits.takeForKey(scope, address) };
  }

  /** @throws what `StreamsService.admit` throws */
  async admit({ keyId, environmentKey = '', clientOnly }: KeyScope, { address, since, origin }: StreamVisit) {
    return this.streams.admit({
      environmentKey,
      lastEventId: since,
      caller: {
        id: `key ${keyId}`,
        isClient: clientOnly,
        access: { isStillAllowed: () => this.isStillAllowed(keyId, origin) },
      },
      network: networkOf(address),
      tell: (feed) => new RefetchFeed(feed),
    });
  }

  /** The key may have ended, or its origins may be others. */
  private isStillAllowed(keyId: string, origin: string | undefined): boolean {
    try {
      this.keys.scopeOf(keyId, origin);
      return true;
    } catch {
      return false;
    }
  }

  private scopeOf(token: string, origin: string | undefined): KeyScope {
    const keyId = this.addresses.keyOf(token);
    if (keyId === undefined) throw new StreamAddressEnded();
    return this.keys.scopeOf(keyId, origin);
  }
}
