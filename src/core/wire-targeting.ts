/** Targets, rules, conditions, segments and prerequisites as the ruleset document spells them. An unknown field is a problem here. */
import { copyJson } from './json.js';
import { Fields, internalized } from './fields.js';
import { HASH_VERSIONS, type JsonValue, type Problem, TARGETING_KEY } from './model.js';
import {
  type Condition,
  type ConditionGroup,
  type ConditionNode,
  MAX_CONDITION_DEPTH,
  type OperatorName,
  OPERATORS,
  type Prerequisite,
  type Rule,
  type Scalar,
  type Segment,
  type Target,
} from './targeting.js';
import { readServe, serializeServe } from './wire-serve.js';

export function readTarget(input: unknown, path: string, problems: Problem[]): Target {
  const fields = new Fields(input, path, problems);
  fields.only('variant', 'keys');
  return { variant: fields.name('variant'), keys: fields.names('keys') };
}

export function readPrerequisite(input: unknown, path: string, problems: Problem[]): Prerequisite {
  const fields = new Fields(input, path, problems);
  fields.only('flag_key', 'variants');
  return { flagKey: fields.name('flag_key'), variants: fields.names('variants') };
}

export function readRule(input: unknown, path: string, problems: Problem[]): Rule {
  const fields = new Fields(input, path, problems);
  fields.only('id', 'name', 'conditions', 'serve');
  return {
    id: fields.name('id'),
    name: (fields.get('name') ?? null) === null ? null : fields.text('name'),
    conditions: readGroup(fields.get('conditions'), fields.at('conditions'), problems),
    serve: readServe(fields.get('serve'), fields.at('serve'), problems),
  };
}

/** A segment on its own: other fields, such as its name, are the host's. */
export function readSegment(input: unknown, path: string, problems: Problem[]): Segment {
  const fields = new Fields(input, path, problems);
  const conditions = fields.get('conditions') ?? null;
  return {
    key: fields.name('key'),
    included: fields.optional('included', () => fields.names('included'), []),
    excluded: fields.optional('excluded', () => fields.names('excluded'), []),
    conditions: conditions === null ? null : readGroup(conditions, fields.at('conditions'), problems),
  };
}

export function readGroup(input: unknown, path: string, problems: Problem[], depth = 1): ConditionGroup {
  const fields = new Fields(input, path, problems);
  const nothing = { all: [] };
  if (!fields.isObject) return nothing;
  if (depth > MAX_CONDITION_DEPTH) {
    fields.problem('', `must be nested at most ${MAX_CONDITION_DEPTH} deep`);
    return nothing;
  }
  const names = (['all', 'any', 'not'] as const).filter((name) => fields.has(name));
  const [name] = names;
  if (name === undefined || names.length > 1) {
    fields.problem('', 'must have one of "all", "any" and "not"');
    return nothing;
  }
  fields.only(name);
  const read = (item: unknown, at: string): ConditionNode => readNode(item, at, problems, depth);
  if (name === 'not') return { not: read(fields.get('not'), fields.at('not')) };
  return name === 'all' ? { all: fields.each('all', read) } : { any: fields.each('any', read) };
}

function readNode(input: unknown, path: string, problems: Problem[], depth: number): ConditionNode {
  const fields = new Fields(input, path, []);
  const isGroup = ['all', 'any', 'not'].some((name) => fields.has(name));
  return isGroup && !fields.has('operator')
    ? readGroup(input, path, problems, depth + 1)
    : readCondition(input, path, problems);
}

/** Operators that ask about the unit unless an attribute is named. */
const OF_THE_UNIT: readonly OperatorName[] = ['in_segment', 'bucket'];

function readCondition(input: unknown, path: string, problems: Problem[]): Condition {
  const fields = new Fields(input, path, problems);
  fields.only(
    'attribute',
    'operator',
    'values',
    'negate',
    'case_insensitive',
    ...(fields.get('operator') === 'bucket' ? ['salt', 'hash_version'] : []),
  );
  const operator = fields.oneOf('operator', OPERATORS);
  const attribute = (): string => fields.word('attribute');
  const values = (): Scalar[] => readValues(fields);
  return {
    attribute: OF_THE_UNIT.includes(operator)
      ? fields.optional('attribute', attribute, TARGETING_KEY)
      : attribute(),
    operator,
    values: operator === 'is_set' ? fields.optional('values', values, []) : values(),
    negate: fields.optional('negate', () => fields.truth('negate'), false),
    caseInsensitive: fields.optional('case_insensitive', () => fields.truth('case_insensitive'), false),
    ...(fields.has('salt') && { salt: fields.text('salt') }),
    ...(fields.has('hash_version') && { hashVersion: fields.oneOf('hash_version', HASH_VERSIONS) }),
  };
}

function readValues(fields: Fields): Scalar[] {
  const values: Scalar[] = [];
  for (const [index, item] of fields.list('values').entries()) {
    const value = copyJson(item);
    if (typeof value === 'string') values.push(internalized(value));
    else if (typeof value === 'number' || typeof value === 'boolean') values.push(value);
    else fields.problem(`values[${index}]`, 'must be a text, a number, true or false');
  }
  return values;
}

export function serializeTarget({ variant, keys }: Target): JsonValue {
  return { variant, keys };
}

export function serializePrerequisite({ flagKey, variants }: Prerequisite): JsonValue {
  return { flag_key: flagKey, variants };
}

export function serializeRule({ id, name, conditions, serve }: Rule): JsonValue {
  return { id, name, conditions: serializeConditions(conditions), serve: serializeServe(serve) };
}

export function serializeSegment({ key, included, excluded, conditions }: Segment): JsonValue {
  return {
    key,
    included,
    excluded,
    conditions: conditions === null ? null : serializeConditions(conditions),
  };
}

/** Conditions, as the ruleset document spells them; `parseConditions` gives the same conditions back. */
export function serializeConditions(node: ConditionNode): JsonValue {
  if ('all' in node) return { all: node.all.map(serializeConditions) };
  if ('any' in node) return { any: node.any.map(serializeConditions) };
  if ('not' in node) return { not: serializeConditions(node.not) };
  const { attribute, operator, values, negate, caseInsensitive, salt, hashVersion } = node;
  return {
    attribute,
    operator,
    values,
    negate,
    ...(caseInsensitive && { case_insensitive: true }),
    ...(salt === undefined ? {} : { salt }),
    ...(hashVersion === undefined ? {} : { hash_version: hashVersion }),
  };
}
