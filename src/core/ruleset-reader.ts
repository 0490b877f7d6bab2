/** One ruleset after the other: what is the same as in the one before is neither read nor compiled again. */
import { compile, type CompileOptions, compileMemory } from './compile.js';
import type { CompiledFlag, CompiledSnapshot } from './compiled.js';
import type { Problem } from './model.js';
import { parseSnapshot, readMemory } from './parse.js';

export type ReadRuleset =
  | { readonly ok: true; readonly compiled: CompiledSnapshot; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Makes a reader with a memory. It knows flags and segments by the identity of their documents, which `applyChange` keeps:
 * documents that were given to it must not be altered. It keeps nothing that its callers have let go of.
 * @returns reads a ruleset as `parseSnapshot` does, with the same answers as `compile` of that
 */
export function rulesetReader({ patterns }: Pick<CompileOptions, 'patterns'> = {}): (
  ruleset: unknown,
) => ReadRuleset {
  const read = readMemory();
  const memory = compileMemory();
  return (ruleset) => {
    const result = parseSnapshot(ruleset, read);
    if (!result.ok) return result;
    const compiled = compile(result.snapshot, { patterns, memory });
    return { ok: true, compiled, problems: [...result.problems, ...compiled.problems] };
  };
}

/**
 * The keys of the flags that may answer otherwise than before: new, different, gone, or with such a flag among their
 * prerequisites. Of two snapshots of one reader; of others, all flags.
 */
export function changedFlags(before: CompiledSnapshot | undefined, after: CompiledSnapshot): string[] {
  const changed = new Set<string>();
  for (const [key, flag] of after.flags) if (!isSame(before?.flags.get(key), flag)) changed.add(key);
  for (const key of before?.flags.keys() ?? []) if (!after.flags.has(key)) changed.add(key);
  if (changed.size === 0) return [];

  const users = new Map<string, string[]>();
  for (const [key, flag] of after.flags) {
    for (const { flagKey } of prerequisitesOf(flag)) {
      const list = users.get(flagKey);
      if (list) list.push(key);
      else users.set(flagKey, [key]);
    }
  }
  // A set takes in what is added while it is walked.
  for (const key of changed) for (const user of users.get(key) ?? []) changed.add(user);
  return [...changed];
}

function isSame(before: CompiledFlag | undefined, after: CompiledFlag): boolean {
  if (before === after) return true;
  // One that cannot be read is made anew each time, and answers the same.
  return before?.settled?.errorCode === 'PARSE_ERROR' && after.settled?.errorCode === 'PARSE_ERROR';
}

const prerequisitesOf = (flag: CompiledFlag) =>
  flag.settled === undefined ? (flag.targeting?.prerequisites ?? []) : [];
