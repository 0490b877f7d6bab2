import canonicalize from 'canonicalize';
import { ChangedSince, ChangeNotRevertible } from './audit.errors.js';
import type { AuditEntry, EntityType, JsonObject } from './audit-entry.js';

/** Of what the change was that is to be taken back. */
interface Subject {
  readonly type: EntityType;
  readonly key: string;
  readonly environmentKey: string;
}

/** A change, as far as it can be taken back. */
export interface RevertibleChange {
  /** What it changed. */
  readonly fields: readonly string[];
  readonly before: JsonObject;
  readonly after: JsonObject;
}

/**
 * @param entry what stands at `position` in the audit log
 * @param current the thing as it is now, described as the log describes it
 * @throws ChangeNotRevertible, and ChangedSince when the same fields are something else by now
 */
export function revertibleChange(
  entry: AuditEntry | undefined,
  position: number,
  { type, key, environmentKey }: Subject,
  current: JsonObject,
): RevertibleChange {
  const isHere =
    entry?.position === position &&
    entry.entityType === type &&
    entry.entityKey === key &&
    entry.environmentKey === environmentKey;
  if (!isHere) throw new ChangeNotRevertible(position, `it is no change of '${key}' in '${environmentKey}'`);
  const { before, after, changes } = entry;
  if (!before || !after)
    throw new ChangeNotRevertible(position, 'what is made is deleted, and what is deleted is made anew');
  const fields = Object.keys(changes);
  const later = fields.filter(
    (field) => !isListDigest(after[field]) && canonicalize(current[field]) !== canonicalize(after[field]),
  );
  if (later.length > 0) throw new ChangedSince(position, later);
  return { fields, before, after };
}

/** Whether a list is not told itself, for it is too long: see `describeKeys`; or there is one among several. */
export function isListDigest(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return 'sha256' in value || Object.values(value).some((each) => isListDigest(each));
}

/**
 * The edit of a list of keys that takes a change of it back: the list as it was where that was told, else what was added
 * and removed, the other way round.
 * @throws ChangeNotRevertible where that was too much to be told
 */
export function keysBefore(
  what: string,
  before: unknown,
  after: unknown,
):
  | { readonly keys: readonly string[] }
  | { readonly add: readonly string[]; readonly remove: readonly string[] } {
  if (Array.isArray(before)) return { keys: before as string[] };
  const digest = isListDigest(after) ? after : {};
  const [added, removed] = [digest['added_keys'], digest['removed_keys']] as (string[] | undefined)[];
  const isTold =
    Number(digest['added'] ?? 0) === (added?.length ?? 0) &&
    Number(digest['removed'] ?? 0) === (removed?.length ?? 0);
  if (!isTold || !isListDigest(after))
    throw new ChangeNotRevertible(undefined, `the users ${what} were too many to be told`);
  return { add: removed ?? [], remove: added ?? [] };
}
