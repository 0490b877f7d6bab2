/** What a compiled flag leans on beside its own document: where that is another, the flag must be compiled again. */
import type { CompiledSegment } from './compiled.js';
import { segmentsUsedBy } from './conditions.js';
import type { Flag, Unreadable } from './snapshot.js';

type Segments = ReadonlyMap<string, CompiledSegment>;
type Chains = ReadonlyMap<string, number>;

export interface LeaningOn {
  readonly segments: readonly (readonly [key: string, segment: CompiledSegment | undefined])[];
  /** The length of its own chain, and whether each of its prerequisites has one; empty when there are none. */
  readonly chains: readonly (readonly [key: string, length: number | undefined])[];
}

const NOTHING: LeaningOn = { segments: [], chains: [] };

export function leaningOf(flag: Flag | Unreadable, segments: Segments, chains: Chains): LeaningOn {
  if ('document' in flag) return NOTHING;
  const used = new Set(flag.rules.flatMap(({ conditions }) => segmentsUsedBy(conditions)));
  const { key, prerequisites } = flag;
  const links = prerequisites.length === 0 ? [] : [key, ...prerequisites.map(({ flagKey }) => flagKey)];
  if (used.size === 0 && links.length === 0) return NOTHING;
  return {
    segments: [...used].map((name) => [name, segments.get(name)]),
    chains: links.map((name) => [name, chains.get(name)]),
  };
}

export function stillStands(leaning: LeaningOn, segments: Segments, chains: Chains): boolean {
  return (
    leaning.segments.every(([key, segment]) => segments.get(key) === segment) &&
    leaning.chains.every(([key, length]) => chains.get(key) === length)
  );
}
