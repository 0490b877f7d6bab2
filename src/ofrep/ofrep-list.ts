import type { SendBuffers } from './send-buffers.js';
import type { KeptText } from './ofrep-text.js';

const BEFORE = Buffer.from('{"flags":[');

/**
 * Puts an answer about many flags together.
 * @param after what follows the list of flags: begins with `]`
 * @returns the JSON, in a buffer of `buffers` to be given back when it has gone
 */
export function joinTexts(
  texts: readonly KeptText[],
  after: Buffer,
  buffers: SendBuffers,
): { readonly body: Buffer; readonly buffer: Buffer } {
  let bytes = BEFORE.length + after.length;
  for (const { listed } of texts) bytes += listed.length;
  const buffer = buffers.take(bytes);
  buffer.set(BEFORE, 0);
  let end = BEFORE.length;
  for (const { listed } of texts) {
    buffer.set(listed, end);
    end += listed.length;
  }
  // The last one has a comma behind it too.
  if (texts.length > 0) end -= 1;
  buffer.set(after, end);
  return { body: buffer.subarray(0, end + after.length), buffer };
}

/**
 * Of 64 bits, from those of the texts in their order and of what follows them.
 * @param seed 64 bits in two halves
 */
export function digestOf(texts: readonly KeptText[], [one, two]: readonly [number, number]): string {
  let a = one;
  let b = two;
  for (const { digest } of texts) {
    a = Math.imul(a ^ digest[0], 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b ^ digest[1], 0x85ebca6b);
    b ^= b >>> 13;
  }
  return `${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}
