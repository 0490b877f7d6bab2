import { compile, type CompileOptions } from './compile.js';
import type { CompiledSnapshot } from './compiled.js';
import { parseSnapshot, SPEC_VERSION } from './parse.js';
import { recompile } from './recompile.js';

/** A ruleset without its flags. */
export interface RulesetHead {
  readonly environmentKey: string;
  readonly revision: number;
  /** Documents. */
  readonly segments: readonly unknown[];
}

/**
 * Compiles a ruleset of which no more than a part is there as objects at any time: ten thousand flags are several times as large as
 * documents as they are compiled.
 * @param parts gives the documents of the flags, some at a time, as often as it is asked
 * @returns what `compile` gives of the whole; `undefined` where anything in it cannot be read: then the whole is to be compiled
 */
export function compileInParts(
  { environmentKey, revision, segments }: RulesetHead,
  parts: () => Iterable<readonly unknown[]>,
  { patterns }: Pick<CompileOptions, 'patterns'> = {},
): CompiledSnapshot | undefined {
  const linked = new Set<string>();
  for (const part of parts()) for (const flag of part) for (const key of linkedBy(flag)) linked.add(key);
  const isLinked = (flag: unknown): boolean => linked.has(keyOf(flag));

  // Flags that are linked by prerequisites are compiled together, before the others.
  const flags: unknown[] = [];
  if (linked.size > 0) for (const part of parts()) flags.push(...part.filter(isLinked));
  const head = { spec_version: SPEC_VERSION, environment_key: environmentKey, revision, segments, flags };
  const parsed = parseSnapshot(head);
  if (!parsed.ok || parsed.problems.length > 0) return undefined;
  let compiled: CompiledSnapshot | undefined = compile(parsed.snapshot, { patterns });
  if (compiled.problems.length > 0) return undefined;
  for (const part of parts()) {
    const others = part.filter((flag) => !isLinked(flag));
    compiled = recompile(compiled, revision, others, { patterns });
    if (!compiled) return undefined;
  }
  return compiled;
}

/** The keys of a flag and its prerequisites, where it has some. What they are is looked at when they are read. */
function linkedBy(flag: unknown): string[] {
  const { prerequisites } = (flag ?? {}) as { prerequisites?: unknown };
  if (!Array.isArray(prerequisites) || prerequisites.length === 0) return [];
  const named = prerequisites.map((each: unknown) =>
    String((each as { flag_key?: unknown } | null)?.flag_key),
  );
  return [keyOf(flag), ...named];
}

const keyOf = (flag: unknown): string => String((flag as { key?: unknown } | null)?.key);
