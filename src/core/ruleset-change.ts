/** How one ruleset becomes the next: what a stream of changes carries, and what it does to a ruleset. */
import type { JsonValue } from './model.js';
import type { Ruleset } from './parse.js';

/** Things with keys: those that are new or different, whole, and the keys of those that are gone. */
export interface KeyedChange {
  readonly put: readonly JsonValue[];
  readonly removed: readonly string[];
}

/** What leads from the ruleset of one revision to that of a later one. Revisions between the two are in it. */
export interface RulesetChange {
  readonly environment_key: string;
  readonly prev_revision: number;
  readonly revision: number;
  readonly flags: KeyedChange;
  readonly segments: KeyedChange;
}

/**
 * The ruleset after a change; nothing is altered in the one before, which may be in use. Flags and segments are in the order of their keys.
 * @returns `undefined` when the change does not follow this ruleset: then the whole is to be fetched anew
 */
export function applyChange(ruleset: Ruleset, change: RulesetChange): Ruleset | undefined {
  if (change.environment_key !== ruleset.environment_key || change.prev_revision !== ruleset.revision) {
    return undefined;
  }
  return {
    ...ruleset,
    revision: change.revision,
    flags: changed(ruleset.flags, change.flags),
    segments: changed(ruleset.segments, change.segments),
  };
}

/**
 * A ruleset with the flags and segments of the one before in place of those that are equal to them, so that what was made
 * of them then still counts.
 */
export function adoptEqual(ruleset: Ruleset, before: Ruleset): Ruleset {
  return {
    ...ruleset,
    flags: adopted(ruleset.flags, before.flags),
    segments: adopted(ruleset.segments, before.segments),
  };
}

function adopted(things: readonly JsonValue[], before: readonly JsonValue[]): readonly JsonValue[] {
  const known = new Map(before.map((thing) => [keyOf(thing), thing]));
  return things.map((thing) => {
    const same = known.get(keyOf(thing));
    return same !== undefined && JSON.stringify(same) === JSON.stringify(thing) ? same : thing;
  });
}

function changed(things: readonly JsonValue[], { put, removed }: KeyedChange): readonly JsonValue[] {
  if (put.length === 0 && removed.length === 0) return things;
  const byKey = new Map(things.map((thing) => [keyOf(thing), thing]));
  for (const key of removed) byKey.delete(key);
  for (const thing of put) byKey.set(keyOf(thing), thing);
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, thing]) => thing);
}

function keyOf(thing: JsonValue): string {
  const isObject = typeof thing === 'object' && thing !== null && !Array.isArray(thing);
  return isObject ? String((thing as { readonly key?: unknown }).key) : '';
}
