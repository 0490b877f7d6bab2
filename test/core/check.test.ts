import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  checkServe,
  checkVariants,
  FLAG_KEY_PATTERN,
  type HashVersion,
  type Rollout,
  under,
} from '../../src/core/index.js';
import { flag } from '../support/arbitraries.js';

const paths = (problems: readonly { path: string }[]) => problems.map(({ path }) => path);
const on = [{ key: 'on', value: true }];
const rollout = (changes: Partial<Rollout>) => ({
  rollout: {
    bucketBy: 'targetingKey',
    salt: 's',
    hashVersion: 'murmur3' as HashVersion,
    coverage: 1,
    ranges: [{ variant: 'on', from: 0, to: 10_000 }],
    ...changes,
  },
});

it('finds nothing wrong with any flag that is right', () => {
  fc.assert(
    fc.property(flag(), ({ valueType, variants, defaultServe }) => {
      expect(checkVariants(valueType, variants)).toEqual([]);
      expect(checkServe(defaultServe, variants)).toEqual([]);
    }),
  );
});

it.each([
  [checkServe({ variant: 'off' }, on), ['variant']],
  [checkServe(rollout({ hashVersion: 'md6' as HashVersion }), on), ['rollout.hash_version']],
  [checkServe(rollout({ coverage: NaN, bucketBy: '' }), on), ['rollout.bucket_by', 'rollout.coverage']],
  [
    checkServe(rollout({ ranges: [{ variant: 'x', from: 0, to: 5 }] }), on),
    ['rollout.ranges[0].variant', 'rollout.ranges'],
  ],
  [checkVariants('number', [{ key: 'a', value: NaN }]), ['[0].value']],
  [checkVariants('json', [{ key: 'a', value: [Infinity] }]), ['[0].value']],
  [checkVariants('boolean', []), ['']],
])('says in the spelling of the wire where a problem is (%#)', (problems, expected) => {
  expect(paths(problems)).toEqual(expected);
});

it('tells the path of a part from the whole', () => {
  const problem = (path: string) => ({ path, message: 'm' });
  expect(under('a', ['', '[0].b', 'c'].map(problem))).toEqual(['a', 'a[0].b', 'a.c'].map(problem));
});

it.each([
  ['checkout', true],
  ['0.a_b-c', true],
  ['a'.repeat(100), true],
  ['a'.repeat(101), false],
  ['Checkout', false],
  ['-a', false],
  ['a\n', false],
  ['', false],
])('knows whether %j may be the key of a new flag', (key, expected) => {
  expect(FLAG_KEY_PATTERN.test(key)).toBe(expected);
});
