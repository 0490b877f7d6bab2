import type { Problem, Serve } from './model.js';
import type { ConditionGroup, Prerequisite, Rule, Segment, Target } from './targeting.js';
import { readServe } from './wire-serve.js';
import { readGroup, readPrerequisite, readRule, readSegment, readTarget } from './wire-targeting.js';

type Refused = { readonly ok: false; readonly problems: readonly Problem[] };

/*
 * Each reads one part of a flag or segment from its spelling in the ruleset document, for who edits parts. None throws on plain
 * JSON. Whether the part fits the rest is a question for the check of the same name.
 */

export function parseServe(input: unknown): { readonly ok: true; readonly serve: Serve } | Refused {
  const problems: Problem[] = [];
  const serve = readServe(input, '', problems);
  return problems.length === 0 ? { ok: true, serve } : { ok: false, problems };
}

export function parseConditions(
  input: unknown,
): { readonly ok: true; readonly conditions: ConditionGroup } | Refused {
  const problems: Problem[] = [];
  const conditions = readGroup(input, '', problems);
  return problems.length === 0 ? { ok: true, conditions } : { ok: false, problems };
}

export function parseRules(input: unknown): { readonly ok: true; readonly rules: readonly Rule[] } | Refused {
  const { items, problems } = readList(input, readRule);
  return problems.length === 0 ? { ok: true, rules: items } : { ok: false, problems };
}

export function parseTargets(
  input: unknown,
): { readonly ok: true; readonly targets: readonly Target[] } | Refused {
  const { items, problems } = readList(input, readTarget);
  return problems.length === 0 ? { ok: true, targets: items } : { ok: false, problems };
}

export function parsePrerequisites(
  input: unknown,
): { readonly ok: true; readonly prerequisites: readonly Prerequisite[] } | Refused {
  const { items, problems } = readList(input, readPrerequisite);
  return problems.length === 0 ? { ok: true, prerequisites: items } : { ok: false, problems };
}

export function parseSegment(input: unknown): { readonly ok: true; readonly segment: Segment } | Refused {
  const problems: Problem[] = [];
  const segment = readSegment(input, '', problems);
  return problems.length === 0 ? { ok: true, segment } : { ok: false, problems };
}

/** Paths begin with the index: `[2].conditions`. */
function readList<Item>(
  input: unknown,
  read: (item: unknown, path: string, problems: Problem[]) => Item,
): { items: Item[]; problems: Problem[] } {
  const problems: Problem[] = [];
  if (!Array.isArray(input)) return { items: [], problems: [{ path: '', message: 'must be a list' }] };
  const items = input.map((item: unknown, index) => read(item, `[${index}]`, problems));
  return { items, problems };
}
