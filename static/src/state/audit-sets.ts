import type { AuditEntry } from '../api/audit.js';
import { spoken } from './audit-words.js';
import { plural } from './wording.js';

/** Entries that one request wrote, one after the other. */
export interface ChangeSet {
  readonly id: string;
  readonly entries: readonly AuditEntry[];
}

/** Entries in their order, those of one request together. What names no request stands alone. */
export function changeSets(entries: readonly AuditEntry[]): ChangeSet[] {
  const sets: { id: string; entries: AuditEntry[] }[] = [];
  for (const entry of entries) {
    const last = sets.at(-1);
    const isSame =
      entry.request_id !== null &&
      last?.entries[0]?.request_id === entry.request_id &&
      last.entries[0].actor.id === entry.actor.id;
    if (isSame) last.entries.push(entry);
    else sets.push({ id: entry.id, entries: [entry] });
  }
  return sets;
}

/** What happened in all of them: `created segment beta-users`, `updated 12 flags`. */
export function setWords(entries: readonly AuditEntry[]): string {
  const one = (words: readonly string[]): string | undefined =>
    new Set(words).size === 1 ? words[0] : undefined;
  const action = one(entries.map((entry) => spoken(entry.action))) ?? 'changed';
  const type = one(entries.map((entry) => spoken(entry.entity_type)));
  const key = one(entries.map((entry) => `${entry.entity_type} ${entry.entity_key}`));
  if (key !== undefined && type !== undefined) return `${action} ${type} ${entries[0]?.entity_key ?? ''}`;
  const count = new Set(entries.map((entry) => `${entry.entity_type} ${entry.entity_key}`)).size;
  return `${action} ${plural(count, type ?? 'thing')}`;
}
