import { NOW, type ConditionNode, type Scalar } from '../core/index.js';
import { NotPortable, type Note } from './conversion.js';
import { condition, opposite } from './portable.js';

/** What flagd's questions may refer to, and how far they have been followed. */
export interface LogicContext {
  readonly evaluators: ReadonlyMap<string, unknown>;
  readonly note: Note;
  /** References that are being followed. */
  readonly path: readonly string[];
  /** Counts questions, so that references cannot multiply without end. */
  readonly count: { left: number };
}

const MOST_NESTED = 100;
const STRICT = 'compares by type here: an attribute that is missing, or of another type, matches nothing';

/** The only operator of a question, and what it is asked with. @throws NotPortable */
export function operation(logic: unknown): { name: string; operands: readonly unknown[] } {
  if (typeof logic !== 'object' || logic === null || Array.isArray(logic))
    throw new NotPortable(`asks ${excerpt(logic)}, which is no question`);
  const [entry, ...more] = Object.entries(logic as Readonly<Record<string, unknown>>);
  if (!entry || more.length > 0) throw new NotPortable(`asks ${excerpt(logic)}, which is not one question`);
  const [name, operands] = entry;
  return { name, operands: Array.isArray(operands) ? (operands as unknown[]) : [operands] };
}

/** What a reference stands for. @throws NotPortable for one to nowhere, in a circle, or without end */
export function follow(name: unknown, context: LogicContext): { logic: unknown; context: LogicContext } {
  if (typeof name !== 'string' || !context.evaluators.has(name))
    throw new NotPortable(`refers to ${excerpt(name)}, which is not among the $evaluators`);
  if (context.path.includes(name)) throw new NotPortable(`refers to '${name}', which refers to itself`);
  return { logic: context.evaluators.get(name), context: { ...context, path: [...context.path, name] } };
}

/** Counts one more step. @throws NotPortable where it is too much */
export function step(context: LogicContext, depth: number): void {
  context.count.left -= 1;
  if (context.count.left < 0 || depth > MOST_NESTED) throw new NotPortable('has targeting that is too large');
}

/** flagd's JsonLogic as conditions. @throws NotPortable, naming what has no words here */
export function conditionsOf(logic: unknown, context: LogicContext, depth = 0): ConditionNode {
  step(context, depth);
  if (typeof logic === 'boolean') return logic ? { all: [] } : { any: [] };
  const { name, operands } = operation(logic);
  const inner = (each: unknown): ConditionNode => conditionsOf(each, context, depth + 1);
  switch (name) {
    case '$ref': {
      const target = follow(operands[0], context);
      return conditionsOf(target.logic, target.context, depth + 1);
    }
    case 'and':
      return { all: operands.map(inner) };
    case 'or':
      return { any: operands.map(inner) };
    case '!':
      return opposite(inner(operands[0]));
    case '!!':
      return inner(operands[0]);
    case '==':
    case '===':
      return equality(operands, context);
    case '!=':
    case '!==':
      return opposite(equality(operands, context));
    case 'in':
      return membership(operands);
    case 'starts_with':
    case 'ends_with':
      return condition(attribute(operands[0]), name, [text(operands[1])]);
    case 'sem_ver':
      return version(operands, context);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return order(name, operands, context);
    default:
      throw new NotPortable(`asks for '${name}', for which there are no words here`);
  }
}

/** The attribute that is asked for. @throws NotPortable */
export function attribute(logic: unknown): string {
  const { name, operands } = operation(logic);
  const [path, fallback] = operands;
  if (name !== 'var' || typeof path !== 'string' || path === '')
    throw new NotPortable(`compares ${excerpt(logic)}, which is no attribute`);
  if ((fallback ?? null) !== null) throw new NotPortable(`has a value for when '${path}' is missing`);
  if (path.includes('.'))
    throw new NotPortable(`asks for '${path}'; attributes are not looked for within others here`);
  return path;
}

function equality([first, second]: readonly unknown[], { note }: LogicContext): ConditionNode {
  const [asked, wanted] = isQuestion(first) ? [first, second] : [second, first];
  if (wanted === null) return condition(attribute(asked), 'is_set', [], { negate: true });
  note(STRICT);
  return condition(attribute(asked), 'equals', [scalar(wanted)]);
}

function membership([needle, stack]: readonly unknown[]): ConditionNode {
  if (Array.isArray(stack)) return condition(attribute(needle), 'in', stack.map(scalar));
  const name = attribute(stack);
  const wanted = scalar(needle);
  // There it is a part of a text, or an item of a list.
  const inList = condition(name, 'contains_any', [wanted]);
  return typeof wanted === 'string' ? { any: [condition(name, 'contains', [wanted]), inList] } : inList;
}

const VERSIONS = {
  '=': 'semver_eq',
  '>': 'semver_gt',
  '>=': 'semver_gte',
  '<': 'semver_lt',
  '<=': 'semver_lte',
} as const;

function version([asked, operator, wanted]: readonly unknown[], { note }: LogicContext): ConditionNode {
  const name = attribute(asked);
  const value = text(wanted);
  note('compares whole versions, such as 1.2.0, and not 1.2');
  if (operator === '!=') return condition(name, 'semver_eq', [value], { negate: true });
  const [, major, minor] = /^v?(\d{1,9})\.(\d{1,9})\./.exec(value) ?? [];
  if ((operator === '^' || operator === '~') && major !== undefined && minor !== undefined) {
    // The same major version there, or the same major and minor one.
    const next = operator === '^' ? `${Number(major) + 1}.0.0-0` : `${major}.${Number(minor) + 1}.0-0`;
    const from = operator === '^' ? `${major}.0.0-0` : `${major}.${minor}.0-0`;
    return { all: [condition(name, 'semver_gte', [from]), condition(name, 'semver_lt', [next])] };
  }
  if (typeof operator === 'string' && Object.hasOwn(VERSIONS, operator))
    return condition(name, VERSIONS[operator as keyof typeof VERSIONS], [value]);
  throw new NotPortable(`compares versions by ${excerpt(operator)}, for which there are no words here`);
}

const ORDERS = { '<': 'lt', '<=': 'lte', '>': 'gt', '>=': 'gte' } as const;
const TURNED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;

function order(
  name: keyof typeof ORDERS,
  operands: readonly unknown[],
  context: LogicContext,
): ConditionNode {
  const [first, second, third] = operands;
  if (operands.length === 3)
    return { all: [order(name, [first, second], context), order(name, [second, third], context)] };
  const [asked, wanted, operator] = isQuestion(first) ? [first, second, name] : [second, first, TURNED[name]];
  if (typeof wanted !== 'number')
    throw new NotPortable(`compares with ${excerpt(wanted)}, which is no number`);
  if (isTime(asked)) {
    context.note('asks for the time, which is known to the millisecond here');
    const isBefore = operator === '<' || operator === '>=';
    return condition(NOW, isBefore ? 'before' : 'after', [wanted * 1000], { negate: operator.length === 2 });
  }
  context.note(STRICT);
  return condition(attribute(asked), ORDERS[operator], [wanted]);
}

const isQuestion = (logic: unknown): boolean => typeof logic === 'object' && logic !== null;

function isTime(logic: unknown): boolean {
  const { name, operands } = operation(logic);
  return name === 'var' && operands[0] === '$flagd.timestamp';
}

function scalar(value: unknown): Scalar {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new NotPortable(`compares with ${excerpt(value)}, which is no text, number or truth value`);
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new NotPortable(`compares with ${excerpt(value)}, which is no text`);
}

/** As much of a document as fits into a message. */
export function excerpt(value: unknown): string {
  const json = value === undefined ? 'nothing' : JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
