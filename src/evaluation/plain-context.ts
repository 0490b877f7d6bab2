import { TARGETING_KEY, type JsonValue } from '../core/index.js';
import { FORBIDDEN_KEYS } from '../platform/http/body.js';
import { USER_ID } from '../segments/unit-name.js';
import { MAX_ATTRIBUTES, MAX_NAME, MAX_UNIT } from './context-limits.js';

/**
 * The context that the schemas make of attributes that have nothing unusual, in a twentieth of the time: one unit that is a text,
 * and attributes that are plain values or lists of them.
 * @param attributes JSON
 * @returns `undefined` for any other, whether it is wrong or not
 */
export function plainContext(attributes: unknown): Record<string, JsonValue> | undefined {
  if (!isRecord(attributes)) return undefined;
  const context = Object.create(null) as Record<string, JsonValue>;
  let count = 0;
  for (const name of Object.keys(attributes)) {
    count += 1;
    const value = attributes[name] as JsonValue;
    if (count > MAX_ATTRIBUTES || name.length > MAX_NAME || FORBIDDEN_KEYS.has(name) || !isPlain(value))
      return undefined;
    context[name] = value;
  }
  const [key, id] = [context[TARGETING_KEY], context[USER_ID]];
  if (key !== undefined && id !== undefined) return undefined;
  const unit = key ?? id;
  if (unit === undefined) return context;
  if (typeof unit !== 'string' || unit.length > MAX_UNIT) return undefined;
  context[TARGETING_KEY] = unit;
  return context;
}

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
