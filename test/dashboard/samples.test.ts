import { describe, expect, it } from '@jest/globals';
import { MOST_SAMPLES, isWritten, readSamples, writeSamples } from '../../static/src/state/sample-text.js';
import type { Condition } from '../../static/src/state/conditions.js';

describe('samples', () => {
  it('are read as they are written, one a line', () => {
    const samples = [{ user_id: 'alice', plan: 'pro' }, { n: 1, list: ['a'] }, {}];
    expect(readSamples(writeSamples(samples))).toEqual({ samples });
    expect(readSamples(`\n${writeSamples(samples)}\n\n`)).toEqual({ samples });
  });

  it.each(['alice', '["alice"]', 'null', '{"a": 1', '3'])(
    'are objects, and the line that is none is named: %s',
    (line) => {
      expect(readSamples(`{}\n${line}`)).toEqual({ problem: expect.stringContaining('Line 2') });
    },
  );

  it('are few', () => {
    const text = writeSamples(Array.from({ length: MOST_SAMPLES + 1 }, () => ({})));
    expect(readSamples(text)).toEqual({ problem: expect.stringContaining(String(MOST_SAMPLES)) });
  });
});

describe('conditions', () => {
  const condition = (change: Partial<Condition>): Condition => ({
    attribute: 'plan',
    operator: 'in',
    values: ['pro'],
    negate: false,
    ...change,
  });

  it.each<[string, Condition, boolean]>([
    ['whole', condition({}), true],
    ['without an attribute', condition({ attribute: '' }), false],
    ['without values', condition({ values: [] }), false],
    ['about whether it is set', condition({ operator: 'is_set', values: [] }), true],
    ['about a segment', condition({ attribute: '', operator: 'in_segment', values: ['beta'] }), true],
    ['about no segment yet', condition({ operator: 'in_segment', values: [''] }), false],
  ])('are asked about once they are written: %s', (_, one, isWhole) => {
    expect(isWritten({ all: [one] })).toBe(isWhole);
    expect(isWritten({ all: [condition({}), { any: [one] }] })).toBe(isWhole);
  });
});
