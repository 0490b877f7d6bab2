import { TARGETING_KEY, type JsonValue } from '../core/index.js';
import { FORBIDDEN_KEYS } from '../platform/http/body.js';
import { USER_ID } from '../segments/unit-name.js';
import { MAX_ATTRIBUTES, MAX_NAME, MAX_UNIT } from './context-limits.js';

/**
 * The context that the schemas make of attributes that have nothing unusual, in a fraction of the time: one unit that is a text,
 * and attributes that are plain values or lists of them.
 * @param attributes JSON, just read: it becomes the context
 * @returns `undefined` for any other, whether it is wrong or not
 */
export function plainContext(attributes: unknown): Record<string, JsonValue> | undefined {
  if (!isRecord(attributes)) return undefined;
  const context = attributes as Record<string, JsonValue>;
  const names = Object.keys(context);
  if (names.length > MAX_ATTRIBUTES) return undefined;
  for (const name of names)
    if (name.length > MAX_NAME || FORBIDDEN_KEYS.has(name) || !isPlain(context[name] as JsonValue))
      return undefined;
  const key = own(context, TARGETING_KEY);
  const id = own(context, USER_ID);
  if (key !== undefined && id !== undefined) return undefined;
  const unit = key ?? id;
  if (unit === undefined) return context;
  if (typeof unit !== 'string' || unit.length > MAX_UNIT) return undefined;
  context[TARGETING_KEY] = unit;
  return context;
}

const own = (context: Record<string, JsonValue>, name: string): JsonValue | undefined =>
  Object.hasOwn(context, name) ? context[name] : undefined;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPlain = (value: JsonValue): boolean =>
  isScalar(value) || (Array.isArray(value) && value.every(isScalar));

/** JSON may have numbers that are none here, as `1e400`. */
const isScalar = (value: JsonValue): boolean =>
  typeof value === 'number' ? Number.isFinite(value) : typeof value !== 'object' || value === null;

/** What is asked with JSON, read; `undefined` for what is none. */
export function readPlainJson(body: Buffer | undefined): Record<string, unknown> | undefined {
  if (!body) return undefined;
  try {
    const read: unknown = JSON.parse(body.toString());
    return isRecord(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
