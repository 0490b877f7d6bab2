import { saltKeeper } from './bucketing.js';
import { compileFlag, type CompileOptions } from './compile.js';
import type { CompiledFlag, CompiledSnapshot } from './compiled.js';
import type { Problem } from './model.js';
import type { Foundations } from './operator.js';
import { parseSnapshot, SPEC_VERSION } from './parse.js';

/**
 * The snapshot in which some flags are others, or new; nothing is altered in the one before, which may be in use. In time proportional to what
 * is different, but for a copy of the list of flags.
 * @param documents of those flags, as they stand in a ruleset
 * @returns `undefined` where more than that may answer otherwise, or anything cannot be read: then the whole is to be compiled
 */
export function recompile(
  before: CompiledSnapshot,
  revision: number,
  documents: readonly unknown[],
  { patterns }: Pick<CompileOptions, 'patterns'> = {},
): CompiledSnapshot | undefined {
  const { environmentKey, segments, linked } = before;
  const parsed = parseSnapshot({
    spec_version: SPEC_VERSION,
    environment_key: environmentKey,
    revision,
    flags: documents,
  });
  if (!parsed.ok || parsed.problems.length > 0 || before.unreadable.length > 0) return undefined;

  const foundations: Foundations = { patterns, segments, salts: saltKeeper(), nodes: new Map() };
  const flags = new Map(before.flags);
  const clientVisible = new Set(before.clientVisible);
  const problems: Problem[] = [];
  for (const flag of parsed.snapshot.flags) {
    if ('document' in flag || flag.prerequisites.length > 0 || linked.has(flag.key)) return undefined;
    const compiled = compileFlag(flag, foundations, new Map(), '', problems);
    if (compiled === undefined || problems.length > 0) return undefined;
    flags.set(flag.key, compiled);
    if (flag.clientVisible) clientVisible.add(flag.key);
    else clientVisible.delete(flag.key);
  }
  const isSorted = flags.size === before.flags.size;
  return { ...before, revision, flags: isSorted ? flags : inOrder(flags), clientVisible };
}

/** A ruleset has its flags in the order of their keys. */
const inOrder = (flags: ReadonlyMap<string, CompiledFlag>): Map<string, CompiledFlag> =>
  new Map([...flags].sort(([a], [b]) => (a < b ? -1 : 1)));
