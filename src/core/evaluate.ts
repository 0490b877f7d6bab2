import { unitOf } from './bucketing.js';
import type {
  CompiledFlag,
  CompiledNode,
  CompiledPrerequisite,
  CompiledServe,
  CompiledSnapshot,
  CompiledTargeting,
  Evaluation,
  Time,
} from './compiled.js';
import { flagNotFound } from './decision.js';
import { begin } from './evaluation.js';
import { holds } from './holds.js';
import { holdsAndTells } from './holds-and-tells.js';
import { type Context, type Decision, TARGETING_KEY } from './model.js';
import { rolloutTrace, serve } from './serve.js';
import type { Rule } from './targeting.js';
import { type FlagTrace, type PrerequisiteTrace, TOLD_ABOVE } from './trace.js';

/**
 * Decides what a context gets from one flag. Synchronous, deterministic, never throws, whatever the key and the context hold.
 * @param flagKey any string; an unknown one is answered with ERROR / FLAG_NOT_FOUND
 * @param context plain JSON data; only its own properties are attributes
 * @param now epoch milliseconds, or what tells them: the attribute `now` of a context that has none of its own; the core has no clock
 * @param isPlaced whether a rollout's decision says where it placed the unit; without, nothing is allocated
 * @returns the answer, not to be changed: decisions that are the same for everybody are shared and frozen
 * Source: design.md section 4; golden cases in test/conformance
 */
export function evaluate(
  compiled: CompiledSnapshot,
  flagKey: string,
  context: Context,
  now?: Time,
  isPlaced = true,
): Decision {
  const flag = compiled.flags.get(flagKey);
  if (flag === undefined) return flagNotFound(flagKey);
  if (flag.settled !== undefined) return flag.settled;
  if (flag.targeting === undefined) return serve(flag.defaultServe, context, isPlaced);
  return decide(flag, begin(compiled.flags, context, now, { isTraced: false, isPlaced }));
}

/**
 * Decides every flag of the snapshot for one context, in the snapshot's order; each answer is what `evaluate` gives.
 * @param only the keys of the flags that are wanted, where not all are
 * @param isPlaced as in `evaluate`
 */
export function evaluateAll(
  compiled: CompiledSnapshot,
  context: Context,
  now?: Time,
  only?: ReadonlySet<string>,
  isPlaced = true,
): Decision[] {
  const evaluation = begin(compiled.flags, context, now, { isTraced: false, isPlaced });
  const decisions: Decision[] = [];
  for (const [key, flag] of compiled.flags)
    if (only === undefined || only.has(key)) decisions.push(decide(flag, evaluation));
  return decisions;
}

/** `evaluate`, by the very same steps, and the steps. */
export function explain(
  compiled: CompiledSnapshot,
  flagKey: string,
  context: Context,
  now?: Time,
): { readonly decision: Decision; readonly trace: FlagTrace } {
  const flag = compiled.flags.get(flagKey);
  const trace = noSteps(flagKey);
  const decision =
    flag === undefined
      ? flagNotFound(flagKey)
      : decide(flag, begin(compiled.flags, context, now, { isTraced: true, isPlaced: true }), trace);
  conclude(trace, decision);
  const flaws = flag?.settled === undefined ? undefined : flag.flaws;
  if (flaws) trace.note = flaws.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return { decision, trace };
}

/** Decides one flag within an evaluation. */
export function decide(flag: CompiledFlag, evaluation: Evaluation, trace?: FlagTrace): Decision {
  if (flag.settled !== undefined) return tellSettled(flag.settled, trace);
  const { targeting, defaultServe } = flag;
  if (targeting === undefined) return give(defaultServe, null, evaluation, trace);
  if (targeting.askedBy === evaluation.id && targeting.answer !== undefined) return targeting.answer;
  const decision = decideTargeted(targeting, defaultServe, evaluation, trace);
  targeting.askedBy = evaluation.id;
  targeting.answer = decision;
  return decision;
}

function decideTargeted(
  { prerequisites, targets, rules }: CompiledTargeting,
  defaultServe: CompiledServe,
  evaluation: Evaluation,
  trace?: FlagTrace,
): Decision {
  for (const prerequisite of prerequisites) {
    if (!isMet(prerequisite, evaluation, trace)) return prerequisite.failed;
  }
  if (targets !== undefined) {
    const unit = unitOf(evaluation.context, TARGETING_KEY);
    const decision = unit === undefined ? undefined : targets.get(unit);
    if (trace) {
      const variant = decision?.variant ?? null;
      trace.target = { unit: unit ?? null, variant, matched: decision !== undefined };
    }
    if (decision !== undefined) return decision;
  }
  for (const { source, conditions, serve: served } of rules) {
    const matched =
      trace === undefined ? holds(conditions, evaluation) : askRule(source, conditions, evaluation, trace);
    if (matched) return give(served, source.id, evaluation, trace);
  }
  return give(defaultServe, null, evaluation, trace);
}

function askRule(
  { id, name }: Rule,
  conditions: CompiledNode,
  evaluation: Evaluation,
  trace: FlagTrace,
): boolean {
  const { matched, trace: asked } = holdsAndTells(conditions, evaluation);
  trace.rules.push({ rule: id, name, matched, conditions: asked });
  return matched;
}

/** The other flag must be on, its own prerequisites held, and serve one of the variants. */
function isMet(
  { flagKey, variants, flaw }: CompiledPrerequisite,
  evaluation: Evaluation,
  trace?: FlagTrace,
): boolean {
  const flag = flaw === undefined ? evaluation.flags.get(flagKey) : undefined;
  const isTold = flag?.settled === undefined && flag?.targeting?.askedBy === evaluation.id;
  const inner = trace && flag !== undefined && !isTold ? noSteps(flagKey) : undefined;
  const decision = flag === undefined ? undefined : decide(flag, evaluation, inner);
  const matched =
    decision?.variant !== undefined &&
    decision.reason !== 'DISABLED' &&
    decision.reason !== 'PREREQUISITE_FAILED' &&
    variants.has(decision.variant);
  if (inner && decision) conclude(inner, decision);
  const note = flaw ?? (isTold ? TOLD_ABOVE : undefined);
  trace?.prerequisites.push({
    flag: flagKey,
    wanted: [...variants],
    variant: decision?.variant ?? null,
    matched,
    ...(note === undefined ? {} : { note }),
    ...(inner && { trace: inner }),
  } satisfies PrerequisiteTrace);
  return matched;
}

function give(
  served: CompiledServe,
  rule: string | null,
  evaluation: Evaluation,
  trace?: FlagTrace,
): Decision {
  const decision = serve(served, evaluation.context, evaluation.isPlaced);
  if (trace) {
    trace.serve = {
      by: rule === null ? 'default' : 'rule',
      rule,
      variant: decision.variant ?? null,
      rollout: rolloutTrace(served, evaluation.context, decision),
    };
  }
  return decision;
}

function tellSettled(decision: Decision, trace?: FlagTrace): Decision {
  if (trace && decision.reason === 'STATIC') {
    trace.serve = { by: 'default', rule: null, variant: decision.variant ?? null, rollout: null };
  }
  return decision;
}

function noSteps(flag: string): FlagTrace {
  const outcome = { reason: 'ERROR', error: null, variant: null } as const;
  return { flag, prerequisites: [], target: null, rules: [], serve: null, outcome };
}

function conclude(trace: FlagTrace, { reason, errorCode, variant }: Decision): void {
  trace.outcome = { reason, error: errorCode ?? null, variant: variant ?? null };
}
