import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { utf8 } from '../../src/core/hash.js';
import { murmur3 } from '../../src/core/index.js';
import { md5 } from '../../src/core/md5.js';
import { sha256 } from '../../src/core/sha256.js';
import { anyText } from '../support/arbitraries.js';
import { referenceMurmur3 } from '../support/reference-murmur3.js';

const golden = JSON.parse(readFileSync('test/conformance/bucketing.json', 'utf8')) as {
  specVersion: number;
  murmur3: [text: string, seed: number, hash: number][];
};

it.each(golden.murmur3)('hashes %j with seed %i to %i', (text, seed, hash) => {
  expect(murmur3(text, seed)).toBe(hash);
});

it('is compared with a reference that has the verification value of SMHasher', () => {
  const hashes = new DataView(new ArrayBuffer(1_024));
  for (let length = 0; length < 256; length += 1) {
    const key = Uint8Array.from({ length }, (_, index) => index);
    hashes.setUint32(length * 4, referenceMurmur3(key, 256 - length), true);
  }
  expect(referenceMurmur3(new Uint8Array(hashes.buffer), 0)).toBe(0xb0f57ee3);
});

it('hashes any string as the reference hashes what TextEncoder makes of it', () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(anyText(), fc.integer({ min: 0, max: 0xffff_ffff }), (text, seed) => {
      expect(murmur3(text, seed)).toBe(referenceMurmur3(encoder.encode(text), seed));
    }),
    { numRuns: 2_000 },
  );
});

it('tells apart texts that differ in one character above U+00FF', () => {
  expect(murmur3('\u0161')).not.toBe(murmur3('a'));
});

it.each([
  ['sha256', sha256],
  ['md5', md5],
] as const)(
  'computes %s as node:crypto does, at every length up to three blocks and for any text',
  (name, hash) => {
    const hex = (bytes: Uint8Array) =>
      hash(bytes)
        .map((word) => word.toString(16).padStart(8, '0'))
        .join('');
    const expected = (bytes: Uint8Array) => createHash(name).update(bytes).digest('hex');
    for (let length = 0; length < 200; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
      expect(hex(bytes)).toBe(expected(bytes));
    }
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(utf8(text)).toEqual(new TextEncoder().encode(text));
        expect(hex(utf8(text))).toBe(expected(new TextEncoder().encode(text)));
      }),
    );
  },
);
