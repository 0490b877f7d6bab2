import { expect, it } from '@jest/globals';
import type { AuditEntry } from '../../static/src/api/audit.js';
import { changeSets, setWords } from '../../static/src/state/audit-sets.js';

const entry = (id: string, request: string | null, change: Partial<AuditEntry> = {}): AuditEntry =>
  ({
    id,
    request_id: request,
    action: 'created',
    entity_type: 'segment',
    entity_key: 'beta-users',
    actor: { type: 'user', id: 'dana', name: 'dana@example.com' },
    ...change,
  }) as AuditEntry;

const ids = (entries: readonly AuditEntry[]): string[][] =>
  changeSets(entries).map((set) => set.entries.map(({ id }) => id));

it('lays together what one request wrote, in the order of the log', () => {
  expect(ids([entry('4', 'b'), entry('3', 'b'), entry('2', 'a'), entry('1', 'b')])).toEqual([
    ['4', '3'],
    ['2'],
    ['1'],
  ]);
});

it('leaves alone what names no request, and what somebody else did under the same name', () => {
  const other = { type: 'user', id: 'sam', name: 'sam@example.com' } as const;
  expect(ids([entry('2', null), entry('1', null)])).toEqual([['2'], ['1']]);
  expect(ids([entry('2', 'a'), entry('1', 'a', { actor: other })])).toEqual([['2'], ['1']]);
});

it.each([
  ['created segment beta-users', [entry('2', 'a'), entry('1', 'a')]],
  ['created 2 segments', [entry('2', 'a'), entry('1', 'a', { entity_key: 'staff' })]],
  [
    'changed 2 things',
    [entry('2', 'a'), entry('1', 'a', { entity_type: 'flag', action: 'updated', entity_key: 'dark-mode' })],
  ],
])('says %s', (words, entries) => {
  expect(setWords(entries)).toBe(words);
});
