import type { ConditionGroup, Segment, Warning } from '../core/index.js';

/** How many keys one list may have. */
export const MAX_KEYS = 100_000;

/** How many keys of a list are shown with the segment; the rest is read page by page. */
export const KEYS_SHOWN = 1_000;

export const KEY_LISTS = ['included', 'excluded'] as const;
export type KeyList = (typeof KEY_LISTS)[number];

interface SegmentFields {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly environmentId: string;
  readonly environmentKey: string;
  /** `null`: nobody but the included. */
  readonly conditions: ConditionGroup | null;
  /**
   * `false` when what is stored cannot be read by this version. `conditions` is `null` then, and what is stored stays as it
   * is until an editor says something else.
   */
  readonly areConditionsReadable: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** A segment with all keys that are listed, sorted, each once. */
export interface WholeSegment extends SegmentFields {
  readonly included: readonly string[];
  readonly excluded: readonly string[];
}

/** A segment without its lists: what can be said of it however long they are. */
export interface SegmentOverview extends SegmentFields {
  readonly includedCount: number;
  readonly excludedCount: number;
  /** Whether any included key is not excluded. */
  readonly listsAnyone: boolean;
}

/** A segment with the first `KEYS_SHOWN` keys of its lists. */
export interface SegmentExcerpt extends SegmentOverview {
  readonly included: readonly string[];
  readonly excluded: readonly string[];
}

/** The keys of those who use a segment in its environment. */
export interface SegmentUsage {
  readonly flags: readonly string[];
  readonly segments: readonly string[];
}

/** A segment with what follows from the rest of its environment. */
export type InContext<Shape extends SegmentOverview> = Shape & {
  readonly usedBy: SegmentUsage;
  readonly warnings: readonly Warning[];
};

/** Which segment, where. */
export interface SegmentAddress {
  readonly key: string;
  readonly environmentKey: string;
}

export function excerptOf(segment: WholeSegment): SegmentExcerpt {
  const { included, excluded } = segment;
  const out = new Set(excluded);
  return {
    ...segment,
    included: included.slice(0, KEYS_SHOWN),
    excluded: excluded.slice(0, KEYS_SHOWN),
    includedCount: included.length,
    excludedCount: excluded.length,
    listsAnyone: included.some((key) => !out.has(key)),
  };
}

/** Stands for a segment whose lists are not at hand, where all that matters is what it uses and whether it is empty. */
export function outlineOf({
  key,
  listsAnyone,
  conditions,
  areConditionsReadable,
}: Pick<SegmentOverview, 'key' | 'listsAnyone' | 'conditions' | 'areConditionsReadable'>): Segment {
  // Nobody knows that one which cannot be read is empty.
  const hasSomebody = listsAnyone || !areConditionsReadable;
  return { key, included: hasSomebody ? ['somebody'] : [], excluded: [], conditions };
}
