import { randomUUID } from 'node:crypto';
import {
  under,
  type ConditionGroup,
  type Prerequisite,
  type Rule,
  type Target,
  type Variant,
} from '../core/index.js';
import type { InputProblem } from '../platform/errors/errors.js';
import type { Draft, FlagTargeting } from './flag.js';
import { notAVariant, resolveServe, type ServeContext, type ServeInput } from './flag-serve.js';

/** Many keys may be wrong in the same way. */
const PROBLEMS_SHOWN = 50;

/** How many units one variant may list. */
export const MAX_TARGET_KEYS = 100_000;

/** As an editor writes it. A part that is absent stays as it is. */
export interface TargetingInput {
  readonly prerequisites?: readonly Prerequisite[] | undefined;
  readonly targets?: readonly TargetInput[] | undefined;
  readonly rules?: readonly RuleInput[] | undefined;
}

/**
 * The units of one variant: the whole list, or changes of the one there is. Where no entry says what a whole list is, variants
 * without an entry stay as they are; else they list nobody.
 */
export interface TargetInput {
  readonly variant: string;
  /** `null`, or `undefined`: those that are listed already. */
  readonly keys?: readonly string[] | null | undefined;
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

export interface RuleInput {
  /** Of a rule that there is: it keeps its salt, its hash version, and as many of its people as can be. New when absent. */
  readonly id?: string | undefined;
  readonly name?: string | null | undefined;
  readonly conditions: ConditionGroup;
  readonly serve: ServeInput;
}

/** Targeting with an input laid over it. What conditions and prerequisites lean on is checked by `TargetingCheck`. */
export function editTargeting(
  current: FlagTargeting,
  input: TargetingInput,
  flag: ServeContext,
): Draft<FlagTargeting> {
  const targets = input.targets ? editTargets(current.targets, input.targets, flag.variants) : undefined;
  const rules = input.rules ? editRules(current, input.rules, flag) : undefined;
  return {
    value: {
      prerequisites: input.prerequisites ?? current.prerequisites,
      targets: targets?.value ?? current.targets,
      rules: rules?.value.rules ?? current.rules,
      ruleRollouts: rules?.value.ruleRollouts ?? current.ruleRollouts,
    },
    problems: [...(targets?.problems ?? []), ...(rules?.problems ?? [])],
  };
}

function editTargets(
  current: readonly Target[],
  input: readonly TargetInput[],
  variants: readonly Variant[],
): Draft<readonly Target[]> {
  const listed = new Map(current.map(({ variant, keys }) => [variant, keys]));
  const isWhole = input.some(({ keys }) => keys !== undefined);
  const edited = new Map<string, Set<string>>(
    isWhole ? [] : current.map(({ variant, keys }) => [variant, new Set(keys)]),
  );
  for (const { variant, keys, add = [], remove = [] } of input) {
    const set = new Set(keys ?? listed.get(variant) ?? []);
    for (const key of remove) set.delete(key);
    for (const key of add) set.add(key);
    edited.set(variant, set);
  }
  const value = variants.flatMap(({ key: variant }) => {
    const keys = [...(edited.get(variant) ?? [])];
    return keys.length > 0 ? [{ variant, keys: keys.sort() }] : [];
  });
  const problems = input.flatMap((target, index) =>
    under(`[${index}]`, targetProblems(target, index, input, edited, variants)),
  );
  return { value, problems: under('targets', problems.slice(0, PROBLEMS_SHOWN)) };
}

function targetProblems(
  { variant, keys, add }: TargetInput,
  index: number,
  input: readonly TargetInput[],
  edited: ReadonlyMap<string, ReadonlySet<string>>,
  variants: readonly Variant[],
): InputProblem[] {
  const [before, after] = [input.slice(0, index), input.slice(index + 1)].map((some) =>
    some.map((target) => target.variant),
  ) as [string[], string[]];
  if (!variants.some(({ key }) => key === variant))
    return [{ path: 'variant', message: notAVariant(variant) }];
  if (before.includes(variant)) return [{ path: 'variant', message: `'${variant}' has a list already` }];
  const count = edited.get(variant)?.size ?? 0;
  const tooMany = `would have ${count} items; ${MAX_TARGET_KEYS} are allowed`;
  // Of two lists that are both given, the later one is told.
  const others = [...edited].filter(([other]) => other !== variant && !after.includes(other));
  const twice = (field: 'keys' | 'add', list: readonly string[]): InputProblem[] =>
    list.flatMap((key, at) => {
      const [other] = others.find(([, set]) => set.has(key)) ?? [];
      return other === undefined
        ? []
        : [{ path: `${field}[${at}]`, message: `'${key}' is listed for '${other}' already` }];
    });
  return [
    ...(count > MAX_TARGET_KEYS ? [{ path: keys ? 'keys' : 'add', message: tooMany }] : []),
    ...twice('keys', keys ?? []),
    ...twice('add', add ?? []),
  ];
}

function editRules(
  current: FlagTargeting,
  input: readonly RuleInput[],
  flag: ServeContext,
): Draft<Pick<FlagTargeting, 'rules' | 'ruleRollouts'>> {
  const problems: InputProblem[] = [];
  const rollouts = new Map(Object.entries(current.ruleRollouts));
  const ids = new Set<string>();
  const rules = input.map(({ id = randomUUID(), name = null, conditions, serve }, index): Rule => {
    if (ids.has(id)) problems.push({ path: `rules[${index}].id`, message: `'${id}' is used twice` });
    ids.add(id);
    const resolved = resolveServe(serve, { ...flag, lastRollout: rollouts.get(id) });
    if ('serve' in resolved) return { id, name, conditions, serve: resolved.serve };
    problems.push(...under(`rules[${index}].serve`, resolved.problems));
    return { id, name, conditions, serve: { variant: '' } };
  });
  for (const { id, serve } of rules) if ('rollout' in serve) rollouts.set(id, serve.rollout);
  const ruleRollouts = Object.fromEntries([...rollouts].filter(([id]) => ids.has(id)));
  return { value: { rules, ruleRollouts }, problems };
}
