import { Injectable } from '@nestjs/common';
import { ChangeNotRevertible } from '../audit/audit.errors.js';
import { AuditService } from '../audit/audit.service.js';
import { keysBefore, revertibleChange, type RevertibleChange } from '../audit/reversion.js';
import { parseConditions, type ConditionGroup } from '../core/index.js';
import type { Actor } from '../platform/access/actor.js';
import { describeSegment } from './segment-description.js';
import type { SegmentEdit } from './segment-draft.js';
import type { InContext, SegmentAddress, SegmentExcerpt } from './segment.js';
import { SegmentsReader } from './segments.reader.js';
import { SegmentsService, type SegmentUpdate } from './segments.service.js';

/** Which change to take back, and why. */
export interface SegmentReversion extends Pick<SegmentUpdate, 'reason' | 'confirm'> {
  /** Of its audit entry. */
  readonly position: number;
}

/** Takes a change of a segment back by making another one, as `FlagRevertService` does for flags. */
@Injectable()
export class SegmentRevertService {
  constructor(
    private readonly segments: SegmentsService,
    private readonly reader: SegmentsReader,
    private readonly audit: AuditService,
  ) {}

  /** @throws ChangeNotRevertible, ChangedSince, and what `SegmentsService.update` throws */
  async revert(
    actor: Actor,
    address: SegmentAddress,
    { position, reason, confirm }: SegmentReversion,
    ifMatch?: readonly number[],
  ): Promise<InContext<SegmentExcerpt>> {
    const segment = await this.reader.find(address);
    const [entry] = await this.audit.after(position - 1, 1);
    const subject = { type: 'segment' as const, ...address };
    const change = revertibleChange(entry, position, subject, describeSegment(segment));
    // What was looked at is what is written to, also where the editor did not say which version that is.
    return this.segments.update(
      actor,
      address,
      { ...editFrom(change), reason, otherwiseReason: `Reverts change ${position}`, confirm },
      ifMatch ?? [segment.version],
    );
  }
}

/** The edit that makes the changed fields what they were. */
function editFrom({ fields, before, after }: RevertibleChange): SegmentEdit {
  const list = (name: 'included' | 'excluded') => keysBefore(name, before[name], after[name]);
  const edits = fields.map((field): SegmentEdit => {
    switch (field) {
      case 'name':
        return { name: before[field] as string };
      case 'description':
        return { description: before[field] as string | null };
      case 'included': {
        const was = list('included');
        return 'keys' in was ? { included: was.keys } : { includedAdd: was.add, includedRemove: was.remove };
      }
      case 'excluded': {
        const was = list('excluded');
        return 'keys' in was ? { excluded: was.keys } : { excludedAdd: was.add, excludedRemove: was.remove };
      }
      case 'conditions':
        return { conditions: conditionsFrom(before[field]) };
      default:
        return {};
    }
  });
  return Object.assign({}, ...edits) as SegmentEdit;
}

function conditionsFrom(document: unknown): ConditionGroup | null {
  if (document === null || document === undefined) return null;
  const read = parseConditions(document);
  if (!read.ok)
    throw new ChangeNotRevertible(undefined, 'another version wrote it, and this one cannot read it');
  return read.conditions;
}
