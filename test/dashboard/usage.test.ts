import { describe, expect, it } from '@jest/globals';
import type { AuditEntry } from '../../static/src/api/audit.js';
import {
  affectedWords,
  bucketAt,
  compact,
  markersOf,
  sparkPath,
  usageRows,
} from '../../static/src/state/usage.js';

const entry = (changes: object, action = 'updated', created_at = '2026-11-21T09:30:00.000Z'): AuditEntry =>
  ({ action, changes, created_at, position: 7, actor: { type: 'user', id: '1', name: 'dana' } }) as never;
const change = (old: unknown, now: unknown) => ({ old, new: now });

describe('the line of a table', () => {
  it('goes from the first count to the last, as high as the highest', () => {
    expect(sparkPath([0, 5, 10], 20)).toBe('M0 20L1 10L2 0');
  });

  it('is none where nothing was counted', () => {
    expect(sparkPath([0, 0], 20)).toBe('');
    expect(sparkPath([], 20)).toBe('');
  });

  it.each([
    [0, '0'],
    [999, '999'],
    [12_400, '12.4K'],
    [3_000_000, '3M'],
  ])('writes %d as %s', (value, text) => {
    expect(compact(value)).toBe(text);
  });
});

describe('the changes in a chart', () => {
  it.each([
    [{ rollout_percentage: change(0, 25) }, '0% → 25%'],
    [{ is_enabled: change(false, true), rollout_percentage: change(0, 12.5) }, 'on, 0% → 12.5%'],
    [{ is_enabled: change(true, false) }, 'off'],
    [{ flag_type: change('percentage', 'boolean'), rollout_percentage: change(25, null) }, 'other shares'],
    [{ rollout_percentage: change(25, null), default_serve: change(null, {}) }, 'other shares'],
    [{ rules: change([], [{}]), targets: change({}, {}) }, 'rules, listed users'],
    [{ salt: change('a', 'b'), hash_version: change('1', '2') }, 'placed anew'],
    [{ archived: change(false, true) }, 'archived'],
  ])('%j is told as %s', (changes, words) => {
    expect(markersOf([entry(changes)]).map((marker) => marker.words)).toEqual([words]);
  });

  it('are those that who evaluates may notice, oldest first', () => {
    const markers = markersOf([
      entry({ is_enabled: change(false, true) }, 'updated', '2026-11-21T09:31:00.000Z'),
      entry({ tags: change([], ['a']), name: change('a', 'b') }),
      entry({ key: change(null, 'a') }, 'created', '2026-11-21T09:29:00.000Z'),
    ]);
    expect(markers.map(({ words, by, at }) => [words, by, new Date(at).getUTCMinutes()])).toEqual([
      ['created', 'dana', 29],
      ['on', 'dana', 31],
    ]);
  });

  it.each([
    [-1, undefined],
    [0, 0],
    [59, 0],
    [60, 1],
    [119, 1],
    [120, undefined],
  ])('at %d s are in bucket %p of two', (seconds, bucket) => {
    expect(bucketAt([0, 60_000], 60_000, seconds * 1000)).toBe(bucket);
  });
});

it('the table begins with the newest and ends with the first that was counted', () => {
  const usage = {
    starts_at: ['a', 'b', 'c'],
    series: [
      { variant: 'on', total: 1, counts: [0, 1, 0] },
      { variant: 'off', total: 2, counts: [0, 0, 2] },
    ],
  };
  expect(usageRows(usage as never)).toEqual([
    { at: 'c', counts: [0, 2] },
    { at: 'b', counts: [1, 0] },
  ]);
});

describe('what a rollout is about', () => {
  it.each([
    [0, 25, false, undefined],
    [12_400, undefined, true, '≈ 12,400 evaluations an hour'],
    [12_400, 25, false, '≈ 3,100 of 12,400 evaluations an hour'],
    [12_400, 25, true, 'At most ≈ 3,100 of 12,400 evaluations an hour'],
  ])('%p an hour, %p %% of it moved, others before: %p', (total, share, isAtMost, words) => {
    expect(affectedWords(total, share, isAtMost)).toBe(words);
  });
});
