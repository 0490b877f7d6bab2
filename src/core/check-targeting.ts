import { checkServe, checkVariantKey, checkVariants } from './check.js';
import { checkConditions } from './check-conditions.js';
import { segmentsUsedBy } from './conditions.js';
import { chainLengths, cycleFrom, type Uses } from './graph.js';
import type { Problem, Variant } from './model.js';
import type { Surroundings } from './operator.js';
import { under } from './problems.js';
import type { Flag } from './snapshot.js';
import { MAX_CHAIN, type Prerequisite, type Rule, type Segment, type Target } from './targeting.js';

/** Checks a flag by itself; what it says of other flags, of segments and of patterns needs the checks of the parts. */
export function checkFlag(flag: Flag): Problem[] {
  const { valueType, variants, offVariant, targets, rules, defaultServe } = flag;
  const known = new Set(variants.map(({ key }) => key));
  return [
    ...under('variants', checkVariants(valueType, variants)),
    ...(offVariant === null ? [] : checkVariantKey('off_variant', offVariant, known)),
    ...under('targets', checkTargets(targets, variants)),
    ...under('rules', checkRules(rules, variants)),
    ...under('default_serve', checkServe(defaultServe, variants)),
  ];
}

/**
 * Checks listed units: known variants, nobody listed twice.
 * @returns the problems, with paths such as `[0].keys[3]`; empty when there are none
 */
export function checkTargets(targets: readonly Target[], variants: readonly Variant[]): Problem[] {
  const problems: Problem[] = [];
  const known = new Set(variants.map(({ key }) => key));
  const listed = new Map<string, string>();
  for (const [index, { variant, keys }] of targets.entries()) {
    problems.push(...checkVariantKey(`[${index}].variant`, variant, known));
    for (const [at, key] of keys.entries()) {
      const before = listed.get(key);
      if (before !== undefined) {
        const path = `[${index}].keys[${at}]`;
        problems.push({ path, message: `'${key}' is listed for '${before}' already` });
      }
      listed.set(key, variant);
    }
  }
  return problems;
}

/**
 * Checks rules as they are to be saved: ids of their own, conditions, and what they serve.
 * @param surroundings patterns and segments are checked only where they are given
 * @returns the problems, with paths such as `[2].conditions.any[0].values`; empty when there are none
 */
export function checkRules(
  rules: readonly Rule[],
  variants: readonly Variant[],
  surroundings: Surroundings = {},
): Problem[] {
  const problems: Problem[] = [];
  const ids = new Set<string>();
  for (const [index, { id, conditions, serve }] of rules.entries()) {
    const found = [
      ...(ids.has(id) ? [{ path: 'id', message: `'${id}' is used twice` }] : []),
      ...under('conditions', checkConditions(conditions, surroundings)),
      ...under('serve', checkServe(serve, variants)),
    ];
    ids.add(id);
    for (const problem of under(`[${index}]`, found)) problems.push(problem);
  }
  return problems;
}

/**
 * Checks a segment as it is to be saved.
 * @param others when given: all segments as they are; one of the same key counts as replaced. A circle is told with its path
 * @returns the problems, with paths such as `conditions.all[1].values[0]`; empty when there are none
 */
export function checkSegment(
  segment: Segment,
  { patterns }: Pick<Surroundings, 'patterns'> = {},
  others?: readonly Segment[],
): Problem[] {
  if (segment.conditions === null) return [];
  const all = others && new Map([...others, segment].map((each) => [each.key, each]));
  const problems = under('conditions', checkConditions(segment.conditions, { patterns, segments: all }));
  if (all === undefined) return problems;
  const uses = new Map(
    [...all].map(([key, { conditions }]) => [key, conditions === null ? [] : segmentsUsedBy(conditions)]),
  );
  return [...problems, ...checkChain('conditions', segment.key, uses)];
}

/**
 * Checks what a flag needs of other flags: known ones, known variants, no circle, no chain beyond `MAX_CHAIN`.
 * @param flags all flags as they are; one of the same key counts as replaced
 * @returns the problems, with paths such as `[0].flag_key`; empty when there are none
 */
export function checkPrerequisites(
  flagKey: string,
  prerequisites: readonly Prerequisite[],
  flags: readonly Pick<Flag, 'key' | 'variants' | 'prerequisites'>[],
): Problem[] {
  const problems: Problem[] = [];
  const known = new Map(flags.map((flag) => [flag.key, flag]));
  for (const [index, prerequisite] of prerequisites.entries()) {
    const flag = known.get(prerequisite.flagKey);
    const path = `[${index}].flag_key`;
    if (prerequisite.flagKey === flagKey) problems.push({ path, message: 'must be another flag' });
    else if (!flag) problems.push({ path, message: `'${prerequisite.flagKey}' is not a flag` });
    else {
      const variants = new Set(flag.variants.map(({ key }) => key));
      for (const [at, variant] of prerequisite.variants.entries()) {
        if (variants.has(variant)) continue;
        const where = `[${index}].variants[${at}]`;
        problems.push({ path: where, message: `'${variant}' is not a variant of '${prerequisite.flagKey}'` });
      }
    }
  }
  if (problems.length > 0) return problems;
  const keysOf = (list: readonly Prerequisite[]): string[] => list.map((each) => each.flagKey);
  const uses = new Map(flags.map((flag) => [flag.key, keysOf(flag.prerequisites)]));
  return checkChain('', flagKey, uses.set(flagKey, keysOf(prerequisites)));
}

/** Also where others would come to a chain that is too long, or to a circle, by what this one uses now. */
function checkChain(path: string, name: string, uses: Uses): Problem[] {
  const cycle = cycleFrom(name, uses);
  if (cycle) return [{ path, message: `must not run in a circle: ${cycle.join(' → ')}` }];
  const users = usersOf(name, uses);
  for (const [each, length] of chainLengths(uses)) {
    if (length > MAX_CHAIN && users.has(each)) {
      return [{ path, message: `makes the chain below '${each}' ${length} long; ${MAX_CHAIN} are allowed` }];
    }
  }
  return [];
}

/** A name and all that use it, at whatever remove. */
function usersOf(name: string, uses: Uses): Set<string> {
  const direct = new Map<string, string[]>();
  for (const [user, used] of uses) {
    for (const each of used) direct.set(each, [...(direct.get(each) ?? []), user]);
  }
  const users = new Set([name]);
  // A set also visits what is added to it on the way.
  for (const each of users) for (const user of direct.get(each) ?? []) users.add(user);
  return users;
}
