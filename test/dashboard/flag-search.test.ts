import { describe, expect, it } from '@jest/globals';
import { parseFlagSearch, toggleTerm } from '../../static/src/state/flag-search.js';

describe('the search of the flag table', () => {
  it.each([
    ['checkout new', { text: 'checkout new' }],
    ['checkout #payments #"two words"', { text: 'checkout', tags: ['payments', 'two words'] }],
    ['owner:me', { owner: 'dana@example.com' }],
    ['owner:"team checkout" x', { owner: 'team checkout', text: 'x' }],
    ['type:JSON', { valueType: 'json' }],
    ['is:stale', { isStale: true }],
    ['-is:stale', { isStale: false }],
    ['is:archived', { archived: 'true' }],
    ['is:on@production is:off@staging', { on: ['production'], off: ['staging'] }],
    ['-is:on@production', { on: [], off: ['production'] }],
    ['#', { text: '', tags: [] }],
    ['"in quotes" #', { text: 'in quotes' }],
  ])('reads %j', (typed, wanted) => {
    expect(parseFlagSearch(typed, 'dana@example.com')).toMatchObject({ ...wanted, problems: [] });
  });

  it.each([
    ['is:on', /is:on@production/],
    ['is:new', /not known/],
    ['type:date', /boolean, string, number, json/],
  ])('says what it does not understand of %j', (typed, sentence) => {
    expect(parseFlagSearch(typed).problems.join()).toMatch(sentence);
  });

  it('adds a term, and takes it away again', () => {
    expect(toggleTerm('new', '#mobile')).toBe('new #mobile');
    expect(toggleTerm('new #mobile', '#mobile')).toBe('new');
  });
});
