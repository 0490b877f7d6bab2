import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucket, BUCKETS, evaluate, murmur3 } from '../../src/core/index.js';
import { anyText } from '../support/arbitraries.js';
import { compiledFrom, flagWire, rolloutWire } from '../support/builders.js';

const golden = JSON.parse(readFileSync('test/conformance/bucketing.json', 'utf8')) as {
  specVersion: number;
  buckets: [unit: string, salt: string, bucket: number][];
};

it('has golden cases of the version this test speaks', () => {
  expect(golden.specVersion).toBe(1);
});

it.each(golden.buckets)('places unit %j with salt %j in bucket %i', (unit, salt, expected) => {
  expect(bucket(unit, salt)).toBe(expected);
});

it('is murmur3 of unit, colon, salt, modulo 10 000, for any two strings in any order of asking', () => {
  const pair = fc.tuple(anyText(), anyText());
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 8 }), (pairs) => {
      for (const [unit, salt] of [...pairs, ...pairs]) {
        expect(bucket(unit, salt)).toBe(murmur3(`${unit}:${salt}`) % BUCKETS);
      }
    }),
    { numRuns: 1_000 },
  );
});

/** Percent, as the code of the source systems computes it. */
const SOURCE_SYSTEMS: [
  flag: string,
  user: string,
  sha256: number,
  userFirst: number,
  md5of8: number,
  md5: number,
][] = [
  ['new-checkout', 'alice', 6, 31, 53, 16],
  ['new-checkout', 'user-123', 66, 67, 10, 92],
  ['new-checkout', 'user123', 11, 44, 80, 27],
  ['beta_search', 'alice123', 39, 75, 77, 33],
  ['beta_search', 'bob456', 32, 80, 8, 89],
  ['beta_search', 'user1', 96, 71, 80, 39],
  ['beta_search', 'user2', 36, 61, 68, 38],
  ['beta_search', 'user3', 87, 13, 10, 82],
  ['beta_search', 'user4', 90, 51, 87, 57],
  ['beta_search', 'user5', 51, 91, 90, 82],
  ['welcome-message', 'user123', 59, 28, 68, 70],
  ['dark-mode', 'user123', 1, 14, 48, 19],
  ['dark-mode', 'user_456', 48, 67, 20, 97],
];

it.each(SOURCE_SYSTEMS)('buckets %s for %s as the source systems do', (flag, user, ...percents) => {
  const versions = ['sha256', 'sha256-user-first', 'md5-8', 'md5'] as const;
  expect(versions.map((version) => bucket(user, flag, version))).toEqual(percents.map((each) => each * 100));
});

it.each(SOURCE_SYSTEMS)(
  'turns %s on for %s from the same percentage as the source systems',
  (salt, user, _, __, percent) => {
    const isOn = (coverage: number) =>
      evaluate(
        compiledFrom(
          flagWire('f', { default_serve: rolloutWire(salt, coverage, { hash_version: 'md5-8' }) }),
        ),
        'f',
        { targetingKey: user },
      ).value;
    expect([isOn(percent * 100), isOn((percent + 1) * 100)]).toEqual([false, true]);
  },
);

const COUNT = 100_000;
const populations: Record<string, (index: number) => string> = {
  'ids user-1…n': (index) => `user-${index + 1}`,
  integers: (index) => String(index),
  'mail addresses': (index) => `somebody.${index}@example.org`,
  'hexadecimal ids': (index) => (index * 2_654_435_761).toString(16).padStart(16, '0'),
};

describe.each(Object.entries(populations))('given 100,000 %s', (_, unitAt) => {
  const units = Array.from({ length: COUNT }, (__, index) => unitAt(index));
  const known = new Map<string, Uint16Array>();
  const bucketsOf = (salt: string) => {
    const buckets = known.get(salt) ?? Uint16Array.from(units, (unit) => bucket(unit, salt));
    known.set(salt, buckets);
    return buckets;
  };

  it.each([1, 100, 1_000, 2_500, 5_000, 9_900])('holds a share of %i basis points', (share) => {
    const within = bucketsOf('checkout').filter((at) => at < share).length;
    const expected = (COUNT * share) / BUCKETS;
    const deviation = Math.sqrt(expected * (1 - share / BUCKETS));
    expect(Math.abs(within - expected)).toBeLessThan(4.5 * deviation);
  });

  it('fills a hundred equal parts of the wheel evenly', () => {
    const counts = new Array<number>(100).fill(0);
    for (const at of bucketsOf('search')) counts[Math.floor(at / 100)]! += 1;
    // 99 degrees of freedom: 170 is exceeded once in 100,000 times.
    expect(chiSquare(counts, COUNT / 100)).toBeLessThan(170);
  });

  it.each([
    ['two flags', 'checkout', 'search'],
    ['two flags whose keys differ in one digit', 'flag-1', 'flag-2'],
    ['the two questions of one rollout', 'checkout', 'checkout:variant'],
  ])('is independent between %s', (_name, one, other) => {
    const cells = new Array<number>(100).fill(0);
    const others = bucketsOf(other);
    for (const [index, at] of bucketsOf(one).entries()) {
      cells[Math.floor(at / 1_000) * 10 + Math.floor(others[index]! / 1_000)]! += 1;
    }
    expect(chiSquare(cells, COUNT / 100)).toBeLessThan(170);
  });
});

it('never turns anybody off when a percentage is raised', () => {
  const percentage = fc.integer({ min: 0, max: BUCKETS });
  fc.assert(
    fc.property(anyText(), anyText(), percentage, percentage, (targetingKey, salt, one, other) => {
      const isOn = (coverage: number) =>
        evaluate(compiledFrom(flagWire('f', { default_serve: rolloutWire(salt, coverage) })), 'f', {
          targetingKey,
        }).value;
      if (isOn(Math.min(one, other)) === true) expect(isOn(Math.max(one, other))).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

function chiSquare(counts: readonly number[], expected: number): number {
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
