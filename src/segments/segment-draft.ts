import { randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ConditionGroup } from '../core/index.js';
import type { Environment } from '../environments/environment.js';
import type { InputProblem } from '../platform/errors/errors.js';
import { KEY_LISTS, MAX_KEYS, type WholeSegment } from './segment.js';

/** A segment as an editor writes it. Absent fields stay as they are. */
export interface SegmentInput {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly included?: readonly string[] | undefined;
  readonly excluded?: readonly string[] | undefined;
  readonly conditions?: ConditionGroup | null | undefined;
}

/** Changes of long lists, without sending them again. */
export interface SegmentEdit extends SegmentInput {
  readonly includedAdd?: readonly string[] | undefined;
  readonly includedRemove?: readonly string[] | undefined;
  readonly excludedAdd?: readonly string[] | undefined;
  readonly excludedRemove?: readonly string[] | undefined;
}

export function newSegment(
  environment: Environment,
  input: SegmentInput & { readonly key: string; readonly name: string },
): WholeSegment {
  const now = new Date();
  return {
    id: randomUUID(),
    key: input.key,
    name: input.name,
    description: input.description ?? null,
    environmentId: environment.id,
    environmentKey: environment.key,
    included: keyList(input.included ?? []),
    excluded: keyList(input.excluded ?? []),
    conditions: input.conditions ?? null,
    areConditionsReadable: true,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** A segment with an edit laid over it, as its next version; the segment itself when nothing would change. */
export function editSegment(current: WholeSegment, edit: SegmentEdit): WholeSegment {
  // Conditions that cannot be read are read as null; who writes that back does not mean nobody. `{any: []}` does.
  const isKept =
    edit.conditions === undefined || (edit.conditions === null && !current.areConditionsReadable);
  const edited: WholeSegment = {
    ...current,
    name: edit.name ?? current.name,
    description: edit.description === undefined ? current.description : edit.description,
    included: editList(current.included, edit.included, edit.includedAdd, edit.includedRemove),
    excluded: editList(current.excluded, edit.excluded, edit.excludedAdd, edit.excludedRemove),
    conditions: isKept ? current.conditions : (edit.conditions ?? null),
    areConditionsReadable: !isKept || current.areConditionsReadable,
    version: current.version + 1,
    updatedAt: new Date(),
  };
  return isSame(current, edited) ? current : edited;
}

/** What only the edited lists can show: that they have become too long. */
export function listProblems(segment: WholeSegment): InputProblem[] {
  return KEY_LISTS.filter((list) => segment[list].length > MAX_KEYS).map((list) => ({
    path: list,
    message: `would have ${segment[list].length} items; ${MAX_KEYS} are allowed`,
  }));
}

/** A list is a set: each key once, in an order that says nothing, so that equal ones look equal. */
const keyList = (keys: Iterable<string>): readonly string[] => [...new Set(keys)].sort();

function editList(
  current: readonly string[],
  whole: readonly string[] | undefined,
  added: readonly string[] = [],
  removed: readonly string[] = [],
): readonly string[] {
  if (whole !== undefined) return keyList(whole);
  if (added.length === 0 && removed.length === 0) return current;
  const keys = new Set(current);
  for (const key of removed) keys.delete(key);
  for (const key of added) keys.add(key);
  return keyList(keys);
}

function isSame(a: WholeSegment, b: WholeSegment): boolean {
  return (
    a.name === b.name &&
    a.description === b.description &&
    a.areConditionsReadable === b.areConditionsReadable &&
    // As JSON: there is no -0 in the database.
    canonicalize(a.conditions) === canonicalize(b.conditions) &&
    KEY_LISTS.every((list) => isSameList(a[list], b[list]))
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((key, index) => key === b[index]));
}
