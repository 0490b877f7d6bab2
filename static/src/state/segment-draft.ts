import type { Segment, SegmentUpdate } from '../api/segments.js';
import type { ConditionGroup } from './conditions.js';

/** What is edited of a segment. Lists that are too long to be read here are `null`, and stay as they are. */
export type SegmentDraft = Required<Pick<SegmentUpdate, 'name' | 'description'>> & {
  readonly included: readonly string[] | null;
  readonly excluded: readonly string[] | null;
  readonly conditions: ConditionGroup | null;
};

export const segmentDraft = (segment: Segment): SegmentDraft => ({
  name: segment.name,
  description: segment.description,
  included: segment.included,
  excluded: segment.excluded,
  conditions: segment.conditions,
});

export const SEGMENT_FIELDS = ['name', 'description', 'included', 'excluded', 'conditions'] as const;

/** The fields in which two differ. */
export const changedSegmentFields = (
  before: SegmentDraft,
  after: SegmentDraft,
): (typeof SEGMENT_FIELDS)[number][] =>
  SEGMENT_FIELDS.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
