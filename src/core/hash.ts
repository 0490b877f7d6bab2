/**
 * MurmurHash3 x86_32 over UTF-8, encoded by hand so that hashing allocates nothing.
 *
 * A `HashState` can be continued: whoever hashes many texts that begin alike hashes the beginning once. A text may be
 * cut anywhere except inside a surrogate pair.
 */
export interface HashState {
  hash: number;
  /** The bytes that do not fill a block of four yet, the first one lowest. */
  tail: number;
  /** Bytes so far. */
  length: number;
}

// Bound once: where globals are looked up through a proxy (Jest, other sandboxes) they cost more than the hash.
const { imul } = Math;

function mixBlock(hash: number, block: number): number {
  let k = imul(block, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ imul(k, 0x1b873593);
  return (imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** The UTF-8 of the character at `at`, its first byte lowest. */
function utf8At(text: string, at: number): number {
  // codePointAt is undefined only beyond the end.
  const point = text.codePointAt(at) as number;
  if (point < 0x80) return point;
  if (point < 0x800) return 0xc0 | (point >> 6) | (continuation(point) << 8);
  if (point > 0xffff) {
    return (
      0xf0 |
      (point >> 18) |
      (continuation(point >> 12) << 8) |
      (continuation(point >> 6) << 16) |
      (continuation(point) << 24)
    );
  }
  // Half a surrogate pair has no UTF-8; it becomes U+FFFD, as in TextEncoder.
  const scalar = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
  return 0xe0 | (scalar >> 12) | (continuation(scalar >> 6) << 8) | (continuation(scalar) << 16);
}

function continuation(bits: number): number {
  return 0x80 | (bits & 0x3f);
}

/** How many bytes a character has, by its first one. */
function lengthOf(utf8: number): number {
  const first = utf8 & 0xff;
  if (first < 0x80) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** Continues `state` with the UTF-8 bytes of `text`. */
export function absorb(state: HashState, text: string): void {
  let { hash, tail, length } = state;
  const end = text.length;
  let at = 0;
  while (at < end) {
    const filled = (length & 3) << 3;
    // Four ASCII characters at a time make a whole block, and leave as many bytes over as there were.
    while (at + 4 <= end) {
      const a = text.charCodeAt(at);
      const b = text.charCodeAt(at + 1);
      const c = text.charCodeAt(at + 2);
      const d = text.charCodeAt(at + 3);
      if ((a | b | c | d) >= 0x80) break;
      const word = a | (b << 8) | (c << 16) | (d << 24);
      hash = mixBlock(hash, tail | (word << filled));
      tail = filled === 0 ? 0 : word >>> (32 - filled);
      length += 4;
      at += 4;
    }
    if (at === end) break;

    const character = utf8At(text, at);
    const bytes = lengthOf(character);
    tail |= character << filled;
    if (filled + (bytes << 3) >= 32) {
      hash = mixBlock(hash, tail);
      tail = filled === 0 ? 0 : character >>> (32 - filled);
    }
    length += bytes;
    at += bytes === 4 ? 2 : 1;
  }
  state.hash = hash;
  state.tail = tail;
  state.length = length;
}

/** UTF-8 in words of four bytes, the first byte lowest; the last word is filled up with zeros. */
export interface EncodedText {
  readonly words: Int32Array;
  readonly bytes: number;
}

/** Encodes a text that is to be hashed often; encoded salts made a rollout a fifth cheaper (bench/evaluate-in-process). */
export function encode(text: string): EncodedText {
  const words = new Int32Array(Math.ceil((text.length * 3) / 4) + 1);
  let bytes = 0;
  for (let at = 0; at < text.length;) {
    const character = utf8At(text, at);
    const size = lengthOf(character);
    const filled = (bytes & 3) << 3;
    const word = bytes >> 2;
    words[word] = (words[word] as number) | (character << filled);
    if (filled > 0) words[word + 1] = character >>> (32 - filled);
    bytes += size;
    at += size === 4 ? 2 : 1;
  }
  return { words: words.slice(0, (bytes + 3) >> 2), bytes };
}

/** UTF-8 as bytes. */
export function utf8(text: string): Uint8Array {
  const { words, bytes } = encode(text);
  return Uint8Array.from({ length: bytes }, (_, at) => (words[at >> 2] as number) >>> ((at & 3) << 3));
}

/**
 * The hash of everything absorbed and of a text that is encoded already; the state stays as it is.
 * @param words the text begins at `from`, as `encode` writes it
 * @returns an unsigned 32-bit integer
 */
export function digestWith(
  { hash, tail, length }: HashState,
  words: Int32Array,
  from: number,
  bytes: number,
): number {
  const filled = (length & 3) << 3;
  const end = from + (bytes >> 2);
  let [mixed, left] = [hash, tail];
  for (let at = from; at < end; at += 1) {
    const word = words[at] as number;
    mixed = mixBlock(mixed, left | (word << filled));
    left = filled === 0 ? 0 : word >>> (32 - filled);
  }
  const rest = bytes & 3;
  if (rest > 0) {
    const word = words[end] as number;
    left |= word << filled;
    if (filled + (rest << 3) >= 32) {
      mixed = mixBlock(mixed, left);
      left = filled === 0 ? 0 : word >>> (32 - filled);
    }
  }
  return finish(mixed, left, length + bytes);
}

function finish(hash: number, tail: number, length: number): number {
  let k = imul(tail, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  let h = hash ^ imul(k, 0x1b873593) ^ length;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * MurmurHash3 x86_32 of the UTF-8 bytes of a text.
 * @param text any string; half a surrogate pair hashes as U+FFFD, as TextEncoder would encode it
 * @param seed an unsigned 32-bit integer
 * @returns an unsigned 32-bit integer
 * Source: SMHasher, MurmurHash3.cpp (verification value 0xb0f57ee3); golden values in test/conformance/bucketing.json
 */
export function murmur3(text: string, seed = 0): number {
  const state = { hash: seed | 0, tail: 0, length: 0 };
  absorb(state, text);
  return finish(state.hash, state.tail, state.length);
}
