import { Injectable } from '@nestjs/common';
import { KeyRing } from '../auth/key-ring.js';
import { StreamsService, type AdmittedStream } from '../stream/streams.service.js';
import { StreamAddressEnded } from './ofrep.errors.js';
import { RefetchFeed } from './refetch-feed.js';
import { StreamAddresses } from './stream-addresses.js';

/** Who asks for a stream, and where they are. */
export interface StreamVisit {
  readonly token: string;
  /** The page that asks, as a browser says it. */
  readonly origin: string | undefined;
  readonly network: string;
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
  ) {}

  /** @throws StreamAddressEnded, what `KeyKeeper.scopeOf` throws, and what `StreamsService.admit` throws */
  async admit({ token, origin, network, since }: StreamVisit): Promise<AdmittedStream> {
    const keyId = this.addresses.keyOf(token);
    if (keyId === undefined) throw new StreamAddressEnded();
    const { environmentKey = '' } = this.keys.scopeOf(keyId, origin);
    return this.streams.admit({
      environmentKey,
      lastEventId: since,
      caller: { id: `key ${keyId}`, access: { isStillAllowed: () => this.keys.isValid(keyId) } },
      network,
      tell: (feed) => new RefetchFeed(feed),
    });
  }
}
