/** What a ruleset says about types: of its flags, and of the attributes that its rules ask for. */
import { parseSnapshot, type ConditionNode, type JsonValue, type Serve, type Snapshot } from '../core.js';
import { ANY_JSON, jsonType, textType } from './type-of.js';

export interface FlagType {
  readonly key: string;
  readonly valueType: 'boolean' | 'string' | 'number' | 'json';
  /** TypeScript. */
  readonly type: string;
  /** The keys of its variants, in their order. */
  readonly variants: readonly string[];
}

export interface AttributeType {
  readonly name: string;
  /** TypeScript. */
  readonly type: string;
}

export interface FlagTypes {
  readonly environment: string;
  /** In the order of their keys. */
  readonly flags: readonly FlagType[];
  /** In the order of their names; without those that every context has. */
  readonly attributes: readonly AttributeType[];
}

/** Every context has them. */
const GIVEN = new Set(['targetingKey', 'user_id', 'now']);

/**
 * Reads a ruleset, as `GET /ruleset` answers it. Archived flags are gone: nobody should ask for them.
 * @returns the types, or why there are none
 */
export function flagTypesOf(ruleset: unknown): FlagTypes | { readonly flaw: string } {
  const parsed = parseSnapshot(ruleset);
  if (!parsed.ok) {
    const [problem] = parsed.problems;
    return { flaw: problem ? `${problem.path} ${problem.message}`.trim() : 'is no ruleset' };
  }
  const { snapshot } = parsed;
  const flags = snapshot.flags.flatMap((flag): FlagType[] => {
    if ('document' in flag) return unreadableFlag(flag.key, flag.document);
    if (flag.isArchived) return [];
    const values = flag.variants.map(({ value }) => value);
    const variants = flag.variants.map(({ key }) => key);
    return [{ key: flag.key, valueType: flag.valueType, type: typeOf(flag.valueType, values), variants }];
  });
  return {
    environment: snapshot.environmentKey,
    flags: flags.sort((a, b) => (a.key < b.key ? -1 : 1)),
    attributes: attributesOf(snapshot),
  };
}

/** Written by a newer version: clients that are newer can serve it, so it is there, as whatever it is. */
function unreadableFlag(key: string, document: JsonValue): FlagType[] {
  const {
    is_archived: isArchived,
    value_type: given,
    variants,
  } = document as Readonly<Record<string, unknown>>;
  if (isArchived === true) return [];
  const valueType = given === 'boolean' || given === 'string' || given === 'number' ? given : 'json';
  const type = valueType === 'json' ? ANY_JSON : valueType;
  const keys = Array.isArray(variants)
    ? variants.flatMap((variant: unknown) => {
        const name = (variant as { readonly key?: unknown } | null)?.key;
        return typeof name === 'string' ? [name] : [];
      })
    : [];
  return [{ key, valueType, type, variants: keys }];
}

function typeOf(valueType: FlagType['valueType'], values: readonly JsonValue[]): string {
  if (valueType === 'string') {
    return textType(values.filter((value): value is string => typeof value === 'string'));
  }
  return valueType === 'json' ? jsonType(values) : valueType;
}

function attributesOf({ flags, segments }: Snapshot): AttributeType[] {
  const types = new Map<string, Set<string>>();
  const add = (name: string, ...found: string[]): void => {
    if (GIVEN.has(name)) return;
    const known = types.get(name) ?? new Set();
    for (const type of found) known.add(type);
    types.set(name, known);
  };
  const addServe = (serve: Serve): void => {
    if ('rollout' in serve) add(serve.rollout.bucketBy, 'number', 'string');
  };
  const addConditions = (node: ConditionNode): void => {
    if ('all' in node) node.all.forEach(addConditions);
    else if ('any' in node) node.any.forEach(addConditions);
    else if ('not' in node) addConditions(node.not);
    else add(node.attribute, ...typesFor(node.operator, node.values));
  };
  for (const flag of flags) {
    if ('document' in flag || flag.isArchived) continue;
    addServe(flag.defaultServe);
    for (const { conditions, serve } of flag.rules) {
      addConditions(conditions);
      addServe(serve);
    }
  }
  for (const segment of segments) {
    if (!('document' in segment) && segment.conditions) addConditions(segment.conditions);
  }
  return [...types.keys()].sort().map((name) => {
    const union = [...(types.get(name) ?? [])];
    const type = union.includes(ANY_JSON) && union.length === 1 ? ANY_JSON : unionOf(union);
    return { name, type };
  });
}

/** `is_set` takes anything, so it says nothing where others say more. */
const unionOf = (types: readonly string[]): string =>
  types
    .filter((type) => type !== ANY_JSON)
    .sort()
    .join(' | ');

function typesFor(operator: string, values: readonly (string | number | boolean)[]): string[] {
  const ofValues = [...new Set(values.map((value) => typeof value as string))].sort();
  switch (operator) {
    case 'equals':
    case 'in':
      return ofValues.length === 0 ? [ANY_JSON] : ofValues;
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'between':
      return ['number'];
    case 'before':
    case 'after':
    case 'in_segment':
    case 'bucket':
      return ['number', 'string'];
    case 'contains_any':
    case 'contains_all':
      return [ofValues.length === 1 ? `readonly ${ofValues.join('')}[]` : `readonly ${ANY_JSON}[]`];
    case 'is_set':
      return [ANY_JSON];
    default:
      return ['string'];
  }
}
