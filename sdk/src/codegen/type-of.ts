/** TypeScript types, as text, for the values that flags serve. The same values give the same text, in whatever order they come. */
import type { JsonValue } from '../core.js';

/** How deep a type follows JSON; what is below is any JSON. */
const MOST_LEVELS = 8;
/** A union of more texts than this says less than `string`. */
const MOST_TEXTS = 50;

/** Any JSON, as the generated file calls it. */
export const ANY_JSON = 'JsonValue';

/** A union of exactly these texts. */
export function textType(values: readonly string[]): string {
  const texts = [...new Set(values)].sort();
  return texts.length === 0 || texts.length > MOST_TEXTS ? 'string' : texts.map(quoted).join(' | ');
}

/** What all of these values have in common: properties that only some have are optional. */
export function jsonType(values: readonly JsonValue[], level = 0): string {
  if (level > MOST_LEVELS || values.length === 0) return ANY_JSON;
  const lists = values.filter((value): value is readonly JsonValue[] => Array.isArray(value));
  const objects = values.filter(isObject);
  const plain = values.filter((value) => value === null || typeof value !== 'object');
  const types = new Set<string>(plain.map((value) => (value === null ? 'null' : typeof value)));
  if (lists.length > 0) types.add(listType(lists, level));
  if (objects.length > 0) types.add(objectType(objects, level));
  // `null` last, as people write it.
  return [...types].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1)).join(' | ');
}

function listType(lists: readonly (readonly JsonValue[])[], level: number): string {
  const items = lists.flat();
  if (items.length === 0) return `readonly ${ANY_JSON}[]`;
  const item = jsonType(items, level + 1);
  return /[|&{]/.test(item) || item.startsWith('readonly ') ? `readonly (${item})[]` : `readonly ${item}[]`;
}

type JsonObject = Readonly<Record<string, JsonValue>>;

function objectType(objects: readonly JsonObject[], level: number): string {
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))].sort();
  if (names.length === 0) return '{ readonly [name: string]: never }';
  const fields = names.map((name) => {
    const having = objects.filter((object) => Object.hasOwn(object, name));
    const type = jsonType(
      having.map((object) => object[name] as JsonValue),
      level + 1,
    );
    return `readonly ${propertyName(name)}${having.length < objects.length ? '?' : ''}: ${type}`;
  });
  return `{ ${fields.join('; ')} }`;
}

const rank = (type: string): number => (type === 'null' ? 1 : 0);

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As a property of an object or an interface. */
export function propertyName(name: string): string {
  // `__proto__: x` in an object literal would set its prototype.
  return /^[A-Za-z_$][\w$]*$/.test(name) && name !== '__proto__' ? name : quoted(name);
}

/** A text in single quotes, whatever is in it. */
export function quoted(text: string): string {
  // JSON leaves U+2028 and U+2029 as they are, which is right for JavaScript since 2019.
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}
