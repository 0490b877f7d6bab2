import { segmentsUsedBy, type Segment } from '../core/index.js';
import type { FlagOverview } from '../flags/flag.js';
import { Invalid, type InputProblem } from '../platform/errors/errors.js';
import type { Difference } from './difference.js';
import { inOrder } from './order.js';
import type { Portable, PortableFlag, PortableSegment, Remark } from './portable.js';

/** What became of one flag or segment in one environment; in a dry run, what would. */
export interface Outcome {
  readonly kind: 'flag' | 'segment';
  readonly key: string;
  readonly environmentKey: string;
  readonly became: 'created' | 'changed' | 'same' | 'refused';
  readonly differences: readonly Difference[];
  readonly reasons: readonly string[];
}

export interface Placed {
  readonly key: string;
  readonly environmentKey: string;
}

/** One run: what is to be brought, in order, and what is known to be there by now. */
export class ImportRun {
  readonly outcomes: Outcome[] = [];
  readonly notes: Remark[] = [];
  readonly segments: readonly (PortableSegment & Placed)[];
  readonly flags: readonly (PortableFlag & Placed)[];
  readonly environmentKeys: ReadonlySet<string>;
  readonly segmentsIn = new Map<string, Segment[]>();
  /** How often the document speaks of each, by where it is. */
  private readonly counts: Readonly<Record<Outcome['kind'], ReadonlyMap<string, number>>>;
  private readonly known = new Map<string, FlagOverview[]>();
  private readonly there = new Set<string>();
  /** What each flag is in all environments, as the document says first. */
  private readonly definitions = new Map<string, PortableFlag>();

  constructor(document: Portable, otherwise: string) {
    const placed = <Thing extends { readonly environmentKey: string | undefined }>(thing: Thing) => ({
      ...thing,
      environmentKey: thing.environmentKey ?? otherwise,
    });
    this.segments = inOrder(document.segments.map(placed), ({ conditions }) =>
      conditions ? segmentsUsedBy(conditions) : [],
    );
    this.flags = inOrder(document.flags.map(placed), ({ prerequisites }) =>
      prerequisites.map(({ flagKey }) => flagKey),
    );
    this.counts = { segment: countsOf(this.segments), flag: countsOf(this.flags) };
    this.environmentKeys = new Set(
      [...this.segments, ...this.flags].map(({ environmentKey }) => environmentKey),
    );
  }

  know(flag: FlagOverview): void {
    this.known.set(flag.key, [...(this.known.get(flag.key) ?? []), flag]);
    this.there.add(placeOf(flag));
  }

  made(flag: PortableFlag & Placed): void {
    this.there.add(placeOf(flag));
  }

  isIn(key: string, environmentKey: string): boolean {
    return this.there.has(placeOf({ key, environmentKey }));
  }

  requireOnlyOne(kind: Outcome['kind'], { key, environmentKey }: Placed): void {
    if ((this.counts[kind].get(placeOf({ key, environmentKey })) ?? 0) > 1)
      throw new Invalid([{ path: 'key', message: `is that of several ${kind}s in the document` }]);
  }

  /**
   * A flag with the definition that all environments share: what the document says first, or what there is where the flag is also in
   * environments that the document does not speak of. @throws Invalid where that has other variants
   */
  defined(flag: PortableFlag & Placed): PortableFlag & Placed {
    const elsewhere = (this.known.get(flag.key) ?? []).find((other) => !this.isSpokenOf(other));
    const first = this.definitions.get(flag.key) ?? flag;
    this.definitions.set(flag.key, first);
    const { name, description, valueType, variants, tags, owner, clientVisible } = elsewhere ?? first;
    const shared = { name, description, valueType, variants, tags, owner, clientVisible };
    const lacking = flag.variants.filter(
      ({ key, value }) =>
        !variants.some((other) => other.key === key && JSON.stringify(other.value) === JSON.stringify(value)),
    );
    if (valueType !== flag.valueType || lacking.length > 0)
      throw new Invalid([
        {
          path: 'variants',
          message: `are others ${elsewhere ? `in '${elsewhere.environmentKey}'` : 'earlier in the document'}; all environments share them`,
        },
      ]);
    if (name !== flag.name || (elsewhere && description !== flag.description))
      this.notes.push({
        subject: `flag '${flag.key}'`,
        message: `keeps the name '${name}' and its description, which all environments share`,
      });
    return { ...flag, ...shared };
  }

  prerequisiteProblems({ key, environmentKey, prerequisites }: PortableFlag & Placed): InputProblem[] {
    return prerequisites
      .filter(({ flagKey }) => flagKey === key || !this.isIn(flagKey, environmentKey))
      .map(({ flagKey }, index) => ({
        path: `prerequisites[${index}]`,
        message:
          flagKey === key
            ? 'must be another flag'
            : `'${flagKey}' is not a flag in '${environmentKey}', or needs this one`,
      }));
  }

  private isSpokenOf(flag: Placed): boolean {
    return this.counts.flag.has(placeOf(flag));
  }
}

const placeOf = ({ key, environmentKey }: Placed): string => `${environmentKey}/${key}`;

function countsOf(things: readonly Placed[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const thing of things) counts.set(placeOf(thing), (counts.get(placeOf(thing)) ?? 0) + 1);
  return counts;
}
