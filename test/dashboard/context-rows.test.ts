import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { contextText, rowsOf, type ContextRow } from '../../static/src/state/context-rows.js';

const parsed = (rows: readonly ContextRow[]): unknown => JSON.parse(contextText(rows));

describe('a context as rows', () => {
  it('keeps the type of every value', () => {
    const context = { user_id: '12', age: 12, is_staff: false, plans: ['pro', 'team'] };
    const rows = rowsOf(context) ?? [];
    expect(rows.map(({ kind }) => kind)).toEqual(['text', 'number', 'boolean', 'list']);
    expect(parsed(rows)).toEqual(context);
  });

  it.each([
    ['an object in it', { company: { plan: 'pro' } }],
    ['a list of numbers', { years: [2025, 2026] }],
    ['words with commas', { names: ['Reyes, Dana'] }],
    ['nothing for a value', { plan: null }],
  ])('has no rows with %s', (_, context) => {
    expect(rowsOf(context)).toBeUndefined();
  });

  it.each([
    ['a row without a name', { name: '', kind: 'text', text: 'pro' }],
    ['a number that is none yet', { name: 'age', kind: 'number', text: '1e' }],
    ['a number that is empty', { name: 'age', kind: 'number', text: ' ' }],
  ] as const)('leaves out %s', (_, row) => {
    expect(parsed([row])).toEqual({});
  });

  it('says what was read', () => {
    const value = fc.oneof(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), value, { noNullPrototype: true }), (context) => {
        const rows = rowsOf(context) ?? [];
        expect(contextText(rows)).toBe(JSON.stringify(context, null, 2));
      }),
    );
  });
});
