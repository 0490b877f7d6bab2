import { saltKeeper } from './bucketing.js';
import { compileConditions } from './compile-conditions.js';
import { compileSegments, type SegmentMemory } from './compile-segments.js';
import { compileServe, type OutOfRollout } from './compile-serve.js';
import type {
  CompiledFlag,
  CompiledNode,
  CompiledPrerequisite,
  CompiledRule,
  CompiledSnapshot,
  CompiledTargeting,
} from './compiled.js';
import { failed } from './decision.js';
import { chainLengths } from './graph.js';
import { leaningOf, type LeaningOn, stillStands } from './leaning.js';
import type { Decision, Problem, Reason } from './model.js';
import type { Foundations, PatternEngine } from './operator.js';
import type { Flag, Snapshot, Unreadable } from './snapshot.js';
import { MAX_CHAIN } from './targeting.js';

export interface CompileOptions {
  /** Runs the patterns of `matches`; a flag that has some answers ERROR without it. */
  readonly patterns?: PatternEngine | undefined;
  /** Of earlier calls with the same `patterns`: what was compiled then, and leans on nothing that is different now, is taken over. */
  readonly memory?: CompileMemory | undefined;
}

/** What flags and segments became, for as long as they are kept. */
export interface CompileMemory {
  readonly flags: WeakMap<Flag | Unreadable, KnownFlag>;
  readonly segments: SegmentMemory;
}

interface KnownFlag {
  readonly compiled: CompiledFlag;
  readonly leansOn: LeaningOn;
}

export const compileMemory = (): CompileMemory => ({ flags: new WeakMap(), segments: new WeakMap() });

/**
 * Makes a snapshot ready for `evaluate`, in time proportional to its size. Decisions that are the same for everybody are made
 * here once, and frozen because they are shared. A flag that cannot be made ready answers ERROR / PARSE_ERROR and harms no other.
 * @param snapshot as `parseSnapshot` gives it; one put together by hand must pass the checks
 */
export function compile(snapshot: Snapshot, { patterns, memory }: CompileOptions = {}): CompiledSnapshot {
  const problems: Problem[] = [];
  const salts = saltKeeper();
  const nodes = new Map<string, CompiledNode>();
  const segments = compileSegments(snapshot, { patterns, salts, nodes }, problems, memory?.segments);
  const foundations = { patterns, segments, salts, nodes };
  const chains = chainLengths(
    new Map(
      snapshot.flags.map((flag) => [
        flag.key,
        'document' in flag ? [] : flag.prerequisites.map(({ flagKey }) => flagKey),
      ]),
    ),
  );
  const flags = new Map<string, CompiledFlag>();
  const unreadable: string[] = [];
  for (const [index, flag] of snapshot.flags.entries()) {
    const known = memory?.flags.get(flag);
    if (known && stillStands(known.leansOn, segments, chains)) {
      flags.set(flag.key, known.compiled);
      if ('document' in flag) unreadable.push(flag.key);
      continue;
    }
    const found: Problem[] = [];
    const compiled = compileFlag(flag, foundations, chains, `flags[${index}]`, found);
    if ('document' in flag || found.length > 0) {
      unreadable.push(flag.key);
      const flaws = 'document' in flag ? flag.flaws : found;
      flags.set(flag.key, { settled: Object.freeze(failed(flag.key, 'PARSE_ERROR')), flaws });
      problems.push(...found);
    } else if (compiled !== undefined) flags.set(flag.key, compiled);
    const made = flags.get(flag.key);
    // One with problems tells them each time.
    if (memory && made && found.length === 0) {
      memory.flags.set(flag, { compiled: made, leansOn: leaningOf(flag, segments, chains) });
    }
  }
  const { environmentKey, revision } = snapshot;
  const clientVisible = new Set(
    snapshot.flags.flatMap((flag) => ('document' in flag || !flag.clientVisible ? [] : [flag.key])),
  );
  const linked = new Set(
    snapshot.flags.flatMap((flag) =>
      'document' in flag || flag.prerequisites.length === 0
        ? []
        : [flag.key, ...flag.prerequisites.map(({ flagKey }) => flagKey)],
    ),
  );
  return { environmentKey, revision, flags, segments, clientVisible, linked, unreadable, problems };
}

/** @returns `undefined` for one that cannot be read */
export function compileFlag(
  flag: Flag | Unreadable,
  foundations: Foundations,
  chains: ReadonlyMap<string, number>,
  path: string,
  problems: Problem[],
): CompiledFlag | undefined {
  if ('document' in flag) return undefined;
  const decide = decider(flag);
  // Before anything that may fail: what is off stays off, whatever its rules have become.
  if (flag.isArchived || !flag.isEnabled) return { settled: decide(flag.offVariant, 'DISABLED') };
  const targeting = compileTargeting(flag, decide, foundations, chains, path, problems);
  const reason = flag.targets.length === 0 && flag.rules.length === 0 ? 'STATIC' : 'DEFAULT';
  const defaultServe = compileServe(flag.defaultServe, reason, {
    decide: (variant, why, out) => decide(variant, why, { out }),
    offVariant: flag.offVariant,
    salts: foundations.salts,
  });
  if (targeting !== undefined) return { settled: undefined, targeting, defaultServe };
  return defaultServe.fixed === undefined
    ? { settled: undefined, targeting: undefined, defaultServe }
    : { settled: defaultServe.fixed };
}

function compileTargeting(
  flag: Flag,
  decide: FlagDecide,
  foundations: Foundations,
  chains: ReadonlyMap<string, number>,
  path: string,
  problems: Problem[],
): CompiledTargeting | undefined {
  const { prerequisites, targets, rules } = flag;
  if (prerequisites.length === 0 && targets.length === 0 && rules.length === 0) return undefined;
  return {
    prerequisites: compilePrerequisites(flag, decide, chains),
    targets: targets.length === 0 ? undefined : compileTargets(flag, decide),
    rules: rules.map((rule, index): CompiledRule => {
      const at = `${path}.rules[${index}].conditions`;
      return {
        source: rule,
        conditions: compileConditions(rule.conditions, foundations, at, problems),
        serve: compileServe(rule.serve, 'TARGETING_MATCH', {
          decide: (variant, reason, out) => decide(variant, reason, { ruleId: rule.id, out }),
          offVariant: flag.offVariant,
          salts: foundations.salts,
        }),
      };
    }),
    askedBy: 0,
    answer: undefined,
  };
}

function compileTargets({ targets }: Flag, decide: FlagDecide): ReadonlyMap<string, Decision> {
  const byUnit = new Map<string, Decision>();
  for (const { variant, keys } of targets) {
    const decision = decide(variant, 'TARGETING_MATCH');
    for (const key of keys) if (!byUnit.has(key)) byUnit.set(key, decision);
  }
  return byUnit;
}

function compilePrerequisites(
  { key, offVariant, prerequisites }: Flag,
  decide: FlagDecide,
  chains: ReadonlyMap<string, number>,
): CompiledPrerequisite[] {
  const length = chains.get(key);
  const flaw =
    length === undefined
      ? 'the prerequisites run in a circle'
      : length > MAX_CHAIN
        ? `the chain of prerequisites is longer than ${MAX_CHAIN}`
        : undefined;
  return prerequisites.map(({ flagKey, variants }) => ({
    flagKey,
    variants: new Set(variants),
    flaw: flaw ?? (chains.has(flagKey) ? undefined : 'there is no such flag'),
    failed: decide(offVariant, 'PREREQUISITE_FAILED', { prerequisiteKey: flagKey }),
  }));
}

/** What a decision has beyond its variant and reason. */
interface Extras {
  readonly ruleId?: string;
  readonly prerequisiteKey?: string;
  readonly out?: OutOfRollout | undefined;
}
type FlagDecide = (variant: string | null, reason: Reason, extras?: Extras) => Decision;

/** Makes the decisions of one flag; `null` is no variant, and so no value. */
function decider({ key, variants, valueType, version, isArchived }: Flag): FlagDecide {
  const values = new Map(variants.map((variant) => [variant.key, variant.value]));
  return (variant, reason, { ruleId, prerequisiteKey, out } = {}) => {
    const value = variant === null ? undefined : values.get(variant);
    const isServed = reason !== 'DISABLED' && reason !== 'PREREQUISITE_FAILED' && out === undefined;
    return Object.freeze({
      flagKey: key,
      value,
      variant: variant ?? undefined,
      reason,
      errorCode: undefined,
      valueType,
      version,
      isArchived,
      ruleId,
      prerequisiteKey,
      isOn: valueType === 'boolean' ? value === true : isServed && value !== undefined,
      placement: out?.placement,
    });
  };
}
