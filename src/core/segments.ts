import { unitOf } from './bucketing.js';
import type { CompiledSegment, Evaluation } from './compiled.js';
import { holds } from './holds.js';
import { holdsAndTells } from './holds-and-tells.js';
import { TARGETING_KEY } from './model.js';
import { type NodeTrace, type SegmentTrace, TOLD_ABOVE } from './trace.js';

/**
 * Whether the unit of the context is in a segment: never when excluded, always when included, else by the conditions. Asked
 * once in an evaluation.
 */
export function isMember(segment: CompiledSegment, evaluation: Evaluation, into?: SegmentTrace[]): boolean {
  const isTold = segment.askedBy === evaluation.id;
  if (isTold && into === undefined) return segment.answer;

  const unit = unitOf(evaluation.context, TARGETING_KEY);
  let conditions: NodeTrace | undefined;
  const by = placeOf(segment, unit);
  if (!isTold) {
    if (by !== 'conditions' || segment.conditions === undefined) segment.answer = by === 'included';
    else if (into === undefined) segment.answer = holds(segment.conditions, evaluation);
    else ({ matched: segment.answer, trace: conditions } = holdsAndTells(segment.conditions, evaluation));
    segment.askedBy = evaluation.id;
  }
  const matched = segment.answer;
  into?.push({
    segment: segment.key,
    unit: unit ?? null,
    matched,
    by: by === 'conditions' && !matched ? 'nothing' : by,
    ...(conditions && { conditions }),
    ...(isTold && { note: TOLD_ABOVE }),
  });
  return matched;
}

function placeOf({ excluded, included }: CompiledSegment, unit: string | undefined): SegmentTrace['by'] {
  if (unit !== undefined && excluded.has(unit)) return 'excluded';
  return unit !== undefined && included.has(unit) ? 'included' : 'conditions';
}
