import { randomUUID } from 'node:crypto';
import { checkVariants, under, type ValueType, type Variant } from '../core/index.js';
import { isDifferent } from './flag-comparison.js';
import type { Draft, FlagDefinition } from './flag.js';

/** What all environments share of a flag, as an editor writes it. Absent fields stay as they are. */
export interface DefinitionInput {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly variants?: readonly Variant[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly owner?: string | null | undefined;
  readonly archived?: boolean | undefined;
  readonly clientVisible?: boolean | undefined;
}

/** A definition that is new. */
export interface NewDefinition extends Omit<DefinitionInput, 'archived'> {
  readonly key: string;
  readonly name: string;
  /** `boolean` when absent. */
  readonly valueType?: ValueType | undefined;
}

const BOOLEAN_VARIANTS: readonly Variant[] = [
  { key: 'on', value: true },
  { key: 'off', value: false },
];

/** The definition of a flag that no environment has yet. */
export function newDefinition(input: NewDefinition): Draft<FlagDefinition> {
  const valueType = input.valueType ?? 'boolean';
  const { value: variants, problems } = newVariants(valueType, input.variants);
  const bare = {
    id: randomUUID(),
    key: input.key,
    name: input.name,
    description: null,
    valueType,
    variants,
    tags: [],
    owner: null,
    archivedAt: null,
    clientVisible: false,
  };
  return { value: editDefinition(bare, { ...input, variants: undefined }).value, problems };
}

/** The variants of a new flag: on and off for a boolean one that names none. */
function newVariants(
  valueType: ValueType,
  variants: readonly Variant[] | undefined,
): Draft<readonly Variant[]> {
  if (variants === undefined && valueType === 'boolean') return { value: BOOLEAN_VARIANTS, problems: [] };
  if (variants === undefined)
    return {
      value: [],
      problems: [{ path: 'variants', message: `are needed for a flag of type ${valueType}` }],
    };
  return { value: variants, problems: under('variants', checkVariants(valueType, variants)) };
}

/** A definition with an input laid over it. */
export function editDefinition(current: FlagDefinition, input: DefinitionInput): Draft<FlagDefinition> {
  const variants = input.variants ?? current.variants;
  const archivedAt = input.archived === true ? (current.archivedAt ?? new Date()) : null;
  // Field by field: `current` may be a whole view, and a definition must not carry settings along.
  const value: FlagDefinition = {
    id: current.id,
    key: current.key,
    valueType: current.valueType,
    name: input.name ?? current.name,
    description: input.description === undefined ? current.description : input.description,
    variants,
    tags: input.tags === undefined ? current.tags : [...new Set(input.tags)].sort(),
    owner: input.owner === undefined ? current.owner : input.owner,
    archivedAt: input.archived === undefined ? current.archivedAt : archivedAt,
    clientVisible: input.clientVisible ?? current.clientVisible,
  };
  return {
    value,
    problems: input.variants ? under('variants', checkVariants(current.valueType, variants)) : [],
  };
}

const FIELDS = [
  ['value_type', 'valueType'],
  ['variants', 'variants'],
  ['name', 'name'],
  ['description', 'description'],
  ['tags', 'tags'],
  ['owner', 'owner'],
  ['client_visible', 'clientVisible'],
] as const;

/** The fields, as the wire spells them, in which a new definition contradicts the one that is there. What is left out contradicts nothing. */
export function contradictedFields(existing: FlagDefinition, input: NewDefinition): string[] {
  const edited = editDefinition(existing, input).value;
  const asked = { ...edited, valueType: input.valueType ?? existing.valueType };
  return FIELDS.filter(([, field]) => isDifferent(existing[field], asked[field])).map(([name]) => name);
}
