import { z } from 'zod';
import type { ConditionNode, JsonValue, Rule, Serve, ValueType, Variant } from '../core/index.js';
import { Conversion, keyFrom, nameIn, NotPortable, readDocument, titleOf } from './conversion.js';
import {
  attribute,
  conditionsOf,
  excerpt,
  follow,
  operation,
  step,
  type LogicContext,
} from './flagd-logic.js';
import {
  allOf,
  nothing,
  opposite,
  rolloutOf,
  sharesOf,
  type Portable,
  type PortableFlag,
} from './portable.js';

const file = z.object({
  flags: z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]),
  $evaluators: z.record(z.string(), z.unknown()).default({}),
});

const flagSchema = z.object({
  state: z.enum(['ENABLED', 'DISABLED']),
  variants: z.record(z.string(), z.json()),
  defaultVariant: z.string().nullish(),
  targeting: z.unknown().optional(),
  metadata: z.record(z.string(), z.unknown()).default({}),
});
type FlagdFlag = z.output<typeof flagSchema>;

const MOST_QUESTIONS = 10_000;
const MOST_RULES = 1_000;

/** Reads a flagd file. What it asks that has no words here makes that flag refused, by name. @throws UnreadableDocument */
export function fromFlagd(document: unknown): Portable {
  const { flags, $evaluators } = readDocument(file, document, 'a flagd file');
  const evaluators = new Map(Object.entries($evaluators));
  const conversion = new Conversion();
  const named: [string, unknown][] = Array.isArray(flags)
    ? flags.map((item, index) => [nameIn(item, ['key'], index), item])
    : Object.entries(flags);
  for (const [name, item] of named) {
    conversion.flag(name, (note) => {
      const context = { evaluators, note, path: [], count: { left: MOST_QUESTIONS } };
      return flagOf(name, flagSchema.parse(item), context);
    });
  }
  return conversion;
}

function flagOf(name: string, flag: FlagdFlag, context: LogicContext): PortableFlag {
  const key = keyFrom(name, context.note);
  const { valueType, variants } = variantsOf(flag.variants);
  const { defaultVariant, targeting, metadata } = flag;
  if (typeof defaultVariant === 'string' && !Object.hasOwn(flag.variants, defaultVariant))
    throw new NotPortable(`has the default variant '${defaultVariant}', which is not among its variants`);
  const defaultServe =
    typeof defaultVariant === 'string' ? { variant: defaultVariant } : nothing(key, variants[0]?.key ?? '');
  const hasTargeting =
    typeof targeting === 'object' && targeting !== null && Object.keys(targeting).length > 0;
  const rules = hasTargeting ? rulesOf(targeting, { key, flag, defaultServe, context }) : [];
  const { description } = metadata;
  return {
    key,
    name: titleOf(name),
    description: typeof description === 'string' ? description : null,
    environmentKey: undefined,
    valueType,
    variants,
    isEnabled: flag.state === 'ENABLED',
    // Off is the caller's default there.
    offVariant: null,
    prerequisites: [],
    targets: [],
    ...withoutRest(rules, defaultServe),
  };
}

/** A last rule that everybody matches is the default. */
function withoutRest(
  rules: readonly Rule[],
  otherwise: Serve,
): { rules: readonly Rule[]; defaultServe: Serve } {
  const last = rules.at(-1);
  const isForAll = last && 'all' in last.conditions && last.conditions.all.length === 0;
  return isForAll
    ? { rules: rules.slice(0, -1), defaultServe: last.serve }
    : { rules, defaultServe: otherwise };
}

function variantsOf(given: Readonly<Record<string, unknown>>): { valueType: ValueType; variants: Variant[] } {
  const variants = Object.entries(given).map(([key, value]) => ({ key, value: value as JsonValue }));
  const types = new Set(variants.map(({ value }) => typeof value));
  const [type] = types;
  const isOfOne = types.size === 1 && (type === 'boolean' || type === 'string' || type === 'number');
  return { valueType: isOfOne ? type : 'json', variants };
}

interface Of {
  readonly key: string;
  readonly flag: FlagdFlag;
  readonly defaultServe: Serve;
  readonly context: LogicContext;
}

/** Targeting as rules in order: each way through its questions is one. */
function rulesOf(targeting: unknown, of: Of): Rule[] {
  const rules: Rule[] = [];
  const add = (conditions: readonly ConditionNode[], serve: Serve): void => {
    if (rules.length >= MOST_RULES)
      throw new NotPortable(`has more than ${MOST_RULES} ways through its targeting`);
    rules.push({ id: `flagd-${rules.length + 1}`, name: null, conditions: allOf(conditions), serve });
  };
  const walk = (
    logic: unknown,
    given: readonly ConditionNode[],
    context: LogicContext,
    depth: number,
  ): void => {
    step(context, depth);
    if (logic === null || logic === undefined) {
      add(given, of.defaultServe);
      return;
    }
    if (typeof logic !== 'object') {
      add(given, { variant: variantNamed(logic, of.flag) });
      return;
    }
    const { name, operands } = operation(logic);
    if (name === '$ref') {
      const target = follow(operands[0], context);
      walk(target.logic, given, target.context, depth + 1);
    } else if (name === 'fractional') {
      add(given, fractional(operands, of));
    } else if (name === 'if' || name === '?:') {
      let at = 0;
      for (; at + 1 < operands.length; at += 2)
        walk(
          operands[at + 1],
          [...given, conditionsOf(operands[at], context, depth + 1)],
          context,
          depth + 1,
        );
      walk(operands[at], given, context, depth + 1);
    } else {
      // A question by itself answers true or false, and variants may have these names.
      const asked = conditionsOf(logic, context, depth + 1);
      add([...given, asked], { variant: variantNamed(true, of.flag) });
      add([...given, opposite(asked)], { variant: variantNamed(false, of.flag) });
    }
  };
  walk(targeting, [], of.context, 0);
  return rules;
}

function variantNamed(outcome: unknown, { variants }: FlagdFlag): string {
  const name = String(outcome);
  if (!Object.hasOwn(variants, name))
    throw new NotPortable(`serves ${excerpt(outcome)}, which is not among its variants`);
  return name;
}

function fractional(operands: readonly unknown[], { key, flag, context }: Of): Serve {
  const [first, ...others] = operands;
  const isList = Array.isArray(first);
  const bucketBy = isList ? undefined : bucketingAttribute(first);
  const weights = (isList ? operands : others).map((item) => {
    if (!Array.isArray(item) || item.length === 0 || item.length > 2)
      throw new NotPortable(`has the share ${excerpt(item)}, which cannot be read`);
    const [variant, weight = 1] = item as unknown[];
    if (typeof weight !== 'number' || !Number.isInteger(weight) || weight < 0)
      throw new NotPortable(`has the weight ${excerpt(weight)}, which is no whole number`);
    if (typeof variant === 'object')
      throw new NotPortable(`has the share ${excerpt(item)}, which names no variant`);
    return { variant: variantNamed(variant, flag), weight };
  });
  const shares = sharesOf(merged(weights));
  if (!shares) throw new NotPortable('has shares that sum to nothing');
  context.note('keeps the shares of its users, and gives them to other users than flagd did');
  return rolloutOf({ salt: key, ...(bucketBy === undefined ? {} : { bucketBy }) }, 10_000, shares);
}

/** `{"var": "email"}`, or joined to the key of the flag. */
function bucketingAttribute(logic: unknown): string {
  const { name, operands } = operation(logic);
  if (name !== 'cat') return attribute(logic);
  const asked = operands.filter(
    (each) => typeof each === 'object' && excerpt(each) !== '{"var":"$flagd.flagKey"}',
  );
  if (asked.length !== 1)
    throw new NotPortable(`places users by ${excerpt(logic)}, which is not one attribute`);
  return attribute(asked[0]);
}

function merged(
  weights: readonly { variant: string; weight: number }[],
): { variant: string; weight: number }[] {
  const sums = new Map<string, number>();
  for (const { variant, weight } of weights) sums.set(variant, (sums.get(variant) ?? 0) + weight);
  return [...sums].map(([variant, weight]) => ({ variant, weight }));
}
