import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AuditChanges, AuditEntry, JsonObject } from './audit-entry.js';

/**
 * The hash that seals an entry to the one before it: SHA-256, in hexadecimal, over the previous hash and the
 * entry's canonical JSON (RFC 8785), so that it does not depend on how a database orders the keys of an object.
 */
export function sealOf(entry: Omit<AuditEntry, 'hash'>): string {
  const { previousHash, createdAt, ...content } = entry;
  const text = canonicalize({ ...content, createdAt: createdAt.toISOString() }) ?? '';
  return createHash('sha256').update(previousHash).update('\n').update(text).digest('hex');
}

/** The fields that differ between two states of a thing; all of them when it is new or gone. */
export function changesBetween(before: JsonObject | undefined, after: JsonObject | undefined): AuditChanges {
  const changes: Record<string, { old: unknown; new: unknown }> = {};
  for (const field of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    const [from, to] = [before?.[field] ?? null, after?.[field] ?? null];
    if (canonicalize(from) !== canonicalize(to)) changes[field] = { old: from, new: to };
  }
  return changes;
}
