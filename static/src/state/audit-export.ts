import type { AuditEntry } from '../api/audit.js';

const COLUMNS: readonly (readonly [string, (entry: AuditEntry) => string | number | null])[] = [
  ['position', (entry) => entry.position],
  ['time', (entry) => entry.created_at],
  ['actor_type', (entry) => entry.actor.type],
  ['actor', (entry) => entry.actor.name],
  ['action', (entry) => entry.action],
  ['entity_type', (entry) => entry.entity_type],
  ['entity_key', (entry) => entry.entity_key],
  ['environment', (entry) => entry.environment_key],
  ['reason', (entry) => entry.reason],
  ['changes', (entry) => JSON.stringify(entry.changes)],
  ['request_id', (entry) => entry.request_id],
  ['hash', (entry) => entry.hash],
];

/** A cell of RFC 4180. What a spreadsheet would take for a formula begins with an apostrophe. */
export function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /["\n\r,]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function auditCsv(entries: readonly AuditEntry[]): string {
  const head = COLUMNS.map(([name]) => name).join(',');
  const rows = entries.map((entry) => COLUMNS.map(([, read]) => csvCell(read(entry))).join(','));
  return [head, ...rows].join('\r\n') + '\r\n';
}
