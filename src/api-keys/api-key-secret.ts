import { hash, randomBytes } from 'node:crypto';
import type { KeyKind } from '../platform/access/key-scope.js';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SECRET_BYTES = 32;
const SECRET_LENGTH = 43;
const ID_BYTES = 5;
const ID_LENGTH = 8;

/** A new secret: `vx_server_4kHq0TzB_…`, its last part 256 random bits. Scanners find leaked ones by their beginning. */
export function newSecret(kind: KeyKind): { readonly secret: string; readonly prefix: string } {
  const prefix = `vx_${kind}_${base62(randomBytes(ID_BYTES), ID_LENGTH)}`;
  return { secret: `${prefix}_${base62(randomBytes(SECRET_BYTES), SECRET_LENGTH)}`, prefix };
}

/** What is kept of a secret. It has 256 random bits, so a fast hash is as good as a slow one, and a look-up by it tells nothing. */
export const hashOfSecret = (secret: string): string => hash('sha256', secret);

function base62(bytes: Buffer, length: number): string {
  let rest = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  while (text.length < length) {
    text = (DIGITS[Number(rest % 62n)] ?? '') + text;
    rest /= 62n;
  }
  return text;
}
