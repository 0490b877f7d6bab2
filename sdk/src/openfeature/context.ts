/** OpenFeature's context may hold dates; ours is JSON. */
import type { Context, JsonValue } from '../types.js';

/** The same object where it is JSON already; dates become RFC 3339 texts, which date operators read. */
export function contextOf(given: Readonly<Record<string, unknown>>): Context {
  for (const name in given) {
    const value = given[name];
    if (typeof value === 'object' && value !== null && holdsDate(value))
      return withoutDates(given, new Map(), 0) as Context;
  }
  return given as Context;
}

/** Deeper than any context may be. */
const MOST_LEVELS = 16;

/** Level by level, each object once: a context may hold a request, which turns in circles in a thousand ways. */
function holdsDate(value: object): boolean {
  const seen = new Set<unknown>([value]);
  let level: object[] = [value];
  for (let depth = 0; depth <= MOST_LEVELS && level.length > 0; depth += 1) {
    const next: object[] = [];
    for (const item of level) {
      if (item instanceof Date) return true;
      for (const inner of Object.values(item) as unknown[]) {
        if (typeof inner !== 'object' || inner === null || seen.has(inner)) continue;
        seen.add(inner);
        next.push(inner);
      }
    }
    level = next;
  }
  return false;
}

type Copies = Map<object, JsonValue>;

/** @param copies of what was met before, so that circles stay circles */
function withoutDates(value: unknown, copies: Copies, level: number): JsonValue | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (typeof value !== 'object' || value === null || level > MOST_LEVELS) return value as JsonValue;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (Array.isArray(value)) {
    const list: JsonValue[] = [];
    copies.set(value, list);
    for (const item of value) list.push(withoutDates(item, copies, level + 1) ?? null);
    return list;
  }
  const object: Record<string, JsonValue> = {};
  copies.set(value, object);
  for (const [name, item] of Object.entries(value)) {
    const plain = withoutDates(item, copies, level + 1);
    // Not by assignment, which would make a property called `__proto__` something else.
    if (plain !== undefined)
      Object.defineProperty(object, name, {
        value: plain,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return object;
}
