/** OpenFeature's context may hold dates; ours is JSON. */
import type { Context, JsonValue } from '../types.js';

/** The same object where it is JSON already; dates become RFC 3339 texts, which date operators read. */
export function contextOf(given: Readonly<Record<string, unknown>>): Context {
  for (const name in given) {
    const value = given[name];
    if (typeof value === 'object' && value !== null && holdsDate(value, 0))
      return withoutDates(given) as Context;
  }
  return given as Context;
}

/** Deeper than any context may be. */
const MOST_LEVELS = 16;

function holdsDate(value: object, level: number): boolean {
  if (value instanceof Date) return true;
  if (level > MOST_LEVELS) return false;
  return Object.values(value).some(
    (item: unknown) => typeof item === 'object' && item !== null && holdsDate(item, level + 1),
  );
}

function withoutDates(value: unknown): JsonValue | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  if (Array.isArray(value)) return value.map((item) => withoutDates(item) ?? null);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const entries = Object.entries(value).flatMap(([name, item]): [string, JsonValue][] => {
    const plain = withoutDates(item);
    return plain === undefined ? [] : [[name, plain]];
  });
  return Object.fromEntries(entries);
}
