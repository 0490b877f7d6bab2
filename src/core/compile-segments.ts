import { compileConditions } from './compile-conditions.js';
import type { CompiledSegment } from './compiled.js';
import { segmentsUsedBy } from './conditions.js';
import { chainLengths } from './graph.js';
import type { Problem } from './model.js';
import type { Foundations } from './operator.js';
import type { Snapshot } from './snapshot.js';
import { MAX_CHAIN, type Segment } from './targeting.js';

/** What segments became, and what they lean on. */
export type SegmentMemory = WeakMap<
  Segment,
  { readonly compiled: CompiledSegment; readonly uses: readonly (CompiledSegment | undefined)[] }
>;

/**
 * Prepares segments, each after those it uses. One that cannot be asked is left out, and told: it uses itself, one that is missing,
 * or a pattern that cannot be run; its chain is too long. Whatever uses it cannot be asked either.
 */
export function compileSegments(
  { segments }: Snapshot,
  foundations: Omit<Foundations, 'segments'>,
  problems: Problem[],
  memory?: SegmentMemory,
): ReadonlyMap<string, CompiledSegment> {
  const readable = new Map<string, { segment: Segment; path: string }>();
  for (const [index, segment] of segments.entries()) {
    if (!('document' in segment)) readable.set(segment.key, { segment, path: `segments[${index}]` });
  }
  const uses = new Map(
    [...readable].map(([key, { segment }]) => [
      key,
      segment.conditions === null ? [] : segmentsUsedBy(segment.conditions),
    ]),
  );
  const lengths = chainLengths(uses);

  const compiled = new Map<string, CompiledSegment>();
  for (const [key, { path }] of readable) {
    if (!lengths.has(key)) problems.push({ path, message: `segment '${key}' uses itself, or one that does` });
  }
  for (const [key, length] of lengths) {
    const { segment, path } = readable.get(key) as { segment: Segment; path: string };
    const leansOn = (uses.get(key) ?? []).map((used) => compiled.get(used));
    const known = memory?.get(segment);
    if (known && known.uses.every((used, index) => used === leansOn[index])) {
      compiled.set(key, known.compiled);
      continue;
    }
    const found: Problem[] = [];
    if (length > MAX_CHAIN) found.push({ path, message: `uses a chain of more than ${MAX_CHAIN} segments` });
    const conditions =
      segment.conditions === null
        ? undefined
        : compileConditions(
            segment.conditions,
            { ...foundations, segments: compiled },
            `${path}.conditions`,
            found,
          );
    problems.push(...found);
    if (found.length > 0) continue;
    const made: CompiledSegment = {
      key,
      included: new Set(segment.included),
      excluded: new Set(segment.excluded),
      conditions,
      askedBy: 0,
      answer: false,
    };
    compiled.set(key, made);
    memory?.set(segment, { compiled: made, uses: leansOn });
  }
  return compiled;
}
