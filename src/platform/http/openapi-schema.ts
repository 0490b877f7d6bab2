import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';

export type JsonSchema = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, JsonSchema>>;
type Direction = 'input' | 'output';

/** Formats that say all that the pattern Zod adds to them says. */
const FORMATS = new Set(['date-time', 'email', 'uuid']);

/**
 * Turns Zod schemas into those of OpenAPI 3.1. A schema with `.meta({id})` becomes a named component.
 * `.meta({override})` replaces what Zod would say, where the accepted text says more than the type behind it.
 * @throws Error when two schemas of one document have the same name and are not the same
 */
export function schemaConverter() {
  const known: Record<string, JsonSchema> = {};
  return (schema: unknown, { schemaType }: { schemaType: Direction }) => {
    const converted = toOpenApi(schema as z.ZodType, schemaType);
    for (const [name, component] of Object.entries(converted.components)) {
      if (known[name] && !isDeepStrictEqual(known[name], component))
        throw new Error(`Two schemas are called '${name}'.`);
      known[name] = component;
    }
    return converted;
  };
}

/** One schema, and the components it refers to. */
export function toOpenApi(
  schema: z.ZodType,
  direction: Direction,
): { schema: JsonSchema; components: Schemas } {
  const { $defs, $schema: _, ...root } = z.toJSONSchema(schema, { io: direction, unrepresentable: 'any' });
  const tidy = (node: unknown): JsonSchema => tidied(node as JsonSchema, direction);
  const components = mapped($defs, tidy);
  const main = tidy(root);
  return { schema: main, components: reachable(main, components) };
}

/** A schema without what only Zod means by it. */
function tidied(node: JsonSchema, direction: Direction): JsonSchema {
  const { id: _, override, ...rest } = node;
  const { description, example, deprecated } = rest;
  if (override) return defined({ description, example, deprecated, ...(override as JsonSchema) });

  const tidy = (child: unknown): unknown =>
    typeof child === 'object' && child !== null ? tidied(child as JsonSchema, direction) : child;
  const result: Record<string, unknown> = { ...rest };
  if (rest['properties']) result['properties'] = mapped(rest['properties'], tidy);
  for (const keyword of ['items', 'additionalProperties', 'not']) {
    if (keyword in rest) result[keyword] = tidy(rest[keyword]);
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf', 'prefixItems']) {
    if (keyword in rest) result[keyword] = (rest[keyword] as unknown[]).map(tidy);
  }
  if (typeof rest['$ref'] === 'string')
    result['$ref'] = rest['$ref'].replace('#/$defs/', '#/components/schemas/');
  // Every key of a JSON object is a text, and every number of ours is one that JavaScript has.
  if (isDeepStrictEqual(rest['propertyNames'], { type: 'string' })) delete result['propertyNames'];
  if (rest['minimum'] === Number.MIN_SAFE_INTEGER) delete result['minimum'];
  if (rest['maximum'] === Number.MAX_SAFE_INTEGER) delete result['maximum'];
  if (FORMATS.has(rest['format'] as string)) delete result['pattern'];
  // An answer may get more fields one day; clients must not break then.
  if (direction === 'output' && rest['additionalProperties'] === false) delete result['additionalProperties'];
  return nullableInOne(result);
}

/** `{anyOf: [{type: 'string'}, {type: 'null'}]}` → `{type: ['string', 'null']}` */
function nullableInOne(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema as { anyOf?: readonly JsonSchema[] };
  const [first, second] = anyOf ?? [];
  if (anyOf?.length !== 2 || !first || !isDeepStrictEqual(second, { type: 'null' })) return schema;
  if (typeof first['type'] !== 'string') return schema;
  const values = first['enum'] as unknown[] | undefined;
  return {
    ...first,
    ...rest,
    type: [first['type'], 'null'],
    ...(values ? { enum: [...values, null] } : {}),
  };
}

/** Those of `components` that `schema` refers to, also by way of others. */
function reachable(schema: JsonSchema, components: Schemas): Schemas {
  const found: Record<string, JsonSchema> = {};
  const queue: unknown[] = [schema];
  for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    const reference = (node as JsonSchema)['$ref'];
    const name = typeof reference === 'string' ? (reference.split('/').pop() ?? '') : '';
    if (components[name] && !found[name]) {
      found[name] = components[name];
      queue.push(components[name]);
    }
    queue.push(...(Object.values(node) as unknown[]));
  }
  return found;
}

function mapped<T>(map: unknown, change: (value: unknown) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(map ?? {}).map(([key, value]) => [key, change(value)]));
}

function defined(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
