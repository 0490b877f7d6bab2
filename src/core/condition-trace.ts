import type { CompiledCondition, Outcome } from './compiled.js';
import type { JsonValue } from './model.js';
import type { ConditionDetail, ConditionTrace } from './trace.js';

const SHOWN = 20;
const SHOWN_CHARACTERS = 200;

/** Tells one condition and its answer. */
export function conditionTrace(
  { source, attribute, negate }: CompiledCondition,
  actual: JsonValue | undefined,
  outcome: Outcome,
  matched: boolean,
  detail: ConditionDetail | undefined,
): ConditionTrace {
  const note = noteOf(actual, outcome);
  return {
    attribute,
    operator: source.operator,
    negate,
    actual: shown(actual),
    wanted: source.values.slice(0, SHOWN),
    count: source.values.length,
    matched,
    ...(note === undefined ? {} : { note }),
    ...detail,
  };
}

function noteOf(actual: JsonValue | undefined, outcome: Outcome): string | undefined {
  if (typeof outcome !== 'string') return undefined;
  return actual === undefined ? 'the attribute is missing' : `${outcome}, got ${typeNameOf(actual)}`;
}

function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  return typeof value === 'boolean' ? 'true or false' : `a ${typeof value}`;
}

/** Enough of a value to recognise it, and JSON whatever the host put in. */
function shown(value: unknown): JsonValue {
  if (typeof value === 'string') {
    return value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}…` : value;
  }
  if (typeof value === 'boolean' || value === undefined) return value ?? null;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : String(value);
  if (Array.isArray(value)) {
    return value.slice(0, SHOWN).map((item: unknown) => (Array.isArray(item) ? '[…]' : shown(item)));
  }
  return '{…}';
}
