/**
 * MurmurHash3 x86_32 of bytes, written from SMHasher's MurmurHash3.cpp in the plainest way there is, in BigInt. It shares nothing with
 * src/core/hash.ts, and has SMHasher's own verification value.
 */
export function referenceMurmur3(bytes: Uint8Array, seed: number): number {
  const word = (at: number, size: number) => {
    let value = 0n;
    for (let index = size - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(bytes[at + index]!);
    return value;
  };
  const u32 = (value: bigint) => value & 0xffff_ffffn;
  const rotate = (value: bigint, by: bigint) => u32((value << by) | (value >> (32n - by)));
  const scramble = (k: bigint) => u32(rotate(u32(k * 0xcc9e2d51n), 15n) * 0x1b873593n);

  let hash = BigInt(seed);
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) {
    hash = u32(rotate(hash ^ scramble(word(at, 4)), 13n) * 5n + 0xe6546b64n);
  }
  hash ^= scramble(word(whole, bytes.length - whole)) ^ BigInt(bytes.length);
  hash = u32((hash ^ (hash >> 16n)) * 0x85ebca6bn);
  hash = u32((hash ^ (hash >> 13n)) * 0xc2b2ae35n);
  return Number(hash ^ (hash >> 16n));
}
