import { Inject, Injectable } from '@nestjs/common';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { signingSecret } from '../platform/config/signing-secret.js';

export const STREAM_PATH = '/ofrep/v1/stream';

/** An address is the same for so long, and good for as long again. */
const PERIOD_MS = 12 * 60 * 60 * 1000;
const PURPOSE = 'vexil ofrep stream';
const MAC_BYTES = 16;
const TOKEN_BYTES = 16 + 4 + MAC_BYTES;

/**
 * Makes and reads the tokens in addresses of event streams. A browser's `EventSource` sends no header, so the address itself says
 * for which key it is, and nothing else can be done with it: it holds the key's id, never its secret.
 */
@Injectable()
export class StreamAddresses {
  private readonly secrets: readonly [string, ...string[]];
  private period = -1;
  private readonly made = new Map<string, string>();

  constructor(@Inject(CONFIG) config: Config) {
    const previous = config.jwtSecretKeyPrevious;
    this.secrets = [signingSecret(config), ...(previous === undefined ? [] : [previous])];
  }

  /** The same for all who ask with this key in the same period. */
  tokenFor(keyId: string, now = Date.now()): string {
    const period = Math.floor(now / PERIOD_MS);
    if (period !== this.period) {
      this.made.clear();
      this.period = period;
    }
    let token = this.made.get(keyId);
    if (token === undefined) {
      token = made(keyId, period, this.secrets[0]);
      this.made.set(keyId, token);
    }
    return token;
  }

  /** @param since the id of the state that the caller has */
  uriOf(token: string, since: string): string {
    return `${STREAM_PATH}?token=${token}&since=${since}`;
  }

  /** The id of the key that a token was made for; `undefined` when it is none of ours, or too old. */
  keyOf(token: string, now = Date.now()): string | undefined {
    const bytes = Buffer.from(token, 'base64url');
    if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== token) return undefined;
    const said = bytes.subarray(0, TOKEN_BYTES - MAC_BYTES);
    const mac = bytes.subarray(TOKEN_BYTES - MAC_BYTES);
    if (!this.secrets.some((secret) => timingSafeEqual(mac, macOf(said, secret)))) return undefined;
    const age = Math.floor(now / PERIOD_MS) - said.readUInt32BE(16);
    if (age < 0 || age > 1) return undefined;
    const id = said.toString('hex', 0, 16);
    return id.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }
}

function made(keyId: string, period: number, secret: string): string {
  const said = Buffer.alloc(TOKEN_BYTES - MAC_BYTES);
  said.write(keyId.replaceAll('-', ''), 0, 'hex');
  said.writeUInt32BE(period, 16);
  return Buffer.concat([said, macOf(said, secret)]).toString('base64url');
}

const macOf = (said: Buffer, secret: string): Buffer =>
  createHmac('sha256', secret).update(PURPOSE).update(said).digest().subarray(0, MAC_BYTES);
