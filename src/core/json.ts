import type { JsonValue } from './model.js';

/** Deeper values are refused: a walk through one must not exhaust the stack. */
export const MAX_JSON_DEPTH = 100;

/**
 * A frozen copy of a JSON value, safe to share between decisions, or `undefined` when it is none
 * (a function, NaN, a cycle, nested deeper than `MAX_JSON_DEPTH`).
 */
export function copyJson(value: unknown, depth = 0): JsonValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  // JSON has no NaN, no infinity, and no -0.
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : undefined;
  if (typeof value !== 'object' || depth === MAX_JSON_DEPTH) return undefined;
  return Array.isArray(value) ? copyArray(value, depth + 1) : copyObject(value, depth + 1);
}

function copyArray(values: readonly unknown[], depth: number): JsonValue | undefined {
  const copy: JsonValue[] = [];
  for (const value of values) {
    const item = copyJson(value, depth);
    if (item === undefined) return undefined;
    copy.push(item);
  }
  return Object.freeze(copy);
}

function copyObject(values: object, depth: number): JsonValue | undefined {
  const entries: [string, JsonValue][] = [];
  for (const [key, value] of Object.entries(values)) {
    const item = copyJson(value, depth);
    if (item === undefined) return undefined;
    entries.push([key, item]);
  }
  // fromEntries defines properties, so a key "__proto__" is data like any other.
  return Object.freeze(Object.fromEntries(entries));
}
