import { Injectable, type OnModuleInit } from '@nestjs/common';
import { KeysNotLoaded } from '../api-keys/api-key.errors.js';
import { KeyRing } from '../auth/key-ring.js';
import { CrossOrigin } from '../platform/http/cross-origin.js';
import { STREAM_PATH, StreamAddresses } from './stream-addresses.js';

/** Lets pages read a stream where the key behind its address lets them read the rest. */
@Injectable()
export class StreamOrigins implements OnModuleInit {
  constructor(
    private readonly crossOrigin: CrossOrigin,
    private readonly addresses: StreamAddresses,
    private readonly keys: KeyRing,
  ) {}

  onModuleInit(): void {
    this.crossOrigin.register(({ method, path, query, origin }) => {
      const { token } = query;
      return method === 'GET' && path === STREAM_PATH && typeof token === 'string'
        ? this.allows(token, origin)
        : false;
    });
  }

  private allows(token: string, origin: string): boolean {
    const keyId = this.addresses.keyOf(token);
    if (keyId === undefined) return false;
    try {
      this.keys.scopeOf(keyId, origin);
      return true;
    } catch (error) {
      // All that it is told is to come again.
      return error instanceof KeysNotLoaded;
    }
  }
}
