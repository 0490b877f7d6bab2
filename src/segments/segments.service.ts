import { Inject, Injectable } from '@nestjs/common';
import { AuditService } from '../audit/audit.service.js';
import { checkSegment, type Segment } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import {
  requireConfirmed,
  requireMayChange,
  requireReason,
  type Environment,
} from '../environments/environment.js';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Actor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { Invalid, StaleVersion, type InputProblem } from '../platform/errors/errors.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../platform/patterns/pattern-engine.js';
import { describeSegment } from './segment-description.js';
import {
  editSegment,
  listProblems,
  newSegment,
  type SegmentEdit,
  type SegmentInput,
} from './segment-draft.js';
import { SegmentExists, SegmentInUse, SegmentNotFound } from './segment.errors.js';
import {
  excerptOf,
  type InContext,
  type SegmentAddress,
  type SegmentExcerpt,
  type WholeSegment,
} from './segment.js';
import { inContext, SegmentsReader } from './segments.reader.js';
import { SegmentsRepository } from './segments.repository.js';

export interface NewSegment extends SegmentInput {
  readonly key: string;
  readonly name: string;
  /** Where it is made; in every environment when absent. */
  readonly environmentKey?: string | undefined;
  readonly reason?: string | undefined;
}

export interface SegmentUpdate extends SegmentEdit {
  /** What a person typed to show that they mean it. */
  readonly confirm?: string | undefined;
  readonly reason?: string | undefined;
  /** What the audit log says where nobody gave a reason. */
  readonly otherwiseReason?: string | undefined;
}

/** What an editor says beside a change: of which version, that they mean it, and why. */
interface SegmentConsent {
  readonly ifMatch: readonly number[] | undefined;
  readonly confirm: string | undefined;
  readonly reason: string | undefined;
}

/** Conditions may hold thousands of values, and each be wrong. */
const PROBLEMS_SHOWN = 50;

/** Makes, changes and deletes segments: checks who may, and that flags and segments can go on relying on each other. */
@Injectable()
export class SegmentsService {
  constructor(
    private readonly db: Database,
    private readonly segments: SegmentsRepository,
    private readonly reader: SegmentsReader,
    private readonly environments: EnvironmentsService,
    private readonly revisions: EnvironmentRevisions,
    private readonly audit: AuditService,
    @Inject(PATTERN_ENGINE) private readonly patterns: LinearPatterns,
  ) {}

  /**
   * Makes a segment in one environment, or one in each. They have a life of their own from then on.
   * @returns the segment as the first of those environments has it
   * @throws EnvironmentNotFound, EnvironmentProtected, ReasonNeeded, SegmentExists, Invalid
   */
  async create(actor: Actor, input: NewSegment): Promise<InContext<SegmentExcerpt>> {
    const { environmentKey } = input;
    const wanted = environmentKey === undefined ? undefined : await this.environments.find(environmentKey);
    return this.db.transaction(async (tx) => {
      const locked = wanted ? await this.revisions.lock(tx, [wanted.id]) : await this.revisions.lockAll(tx);
      for (const environment of locked) requireMayChange(actor, environment, 'segments');
      requireReason(actor, locked, input.reason);
      const made: WholeSegment[] = [];
      for (const environment of locked.sort((a, b) => a.position - b.position))
        made.push(await this.make(tx, environment, input));
      const [first] = made;
      if (!first) throw new EnvironmentNotFound(wanted?.key ?? 'any');
      const revisions = await this.revisions.advance(tx, locked);
      for (const after of made) await this.record(tx, actor, { after }, revisions, input.reason);
      return this.shown(tx, first);
    });
  }

  /**
   * Changes the fields that are given, and no others.
   * @throws EnvironmentNotFound, EnvironmentProtected, SegmentNotFound, StaleVersion when `ifMatch` does not name the present version, Invalid
   */
  async update(
    actor: Actor,
    address: SegmentAddress,
    input: SegmentUpdate,
    ifMatch?: readonly number[],
  ): Promise<InContext<SegmentExcerpt>> {
    return this.change(
      actor,
      address,
      { ifMatch, confirm: input.confirm, reason: input.reason },
      async (tx, environment, before) => {
        const after = editSegment(before, input);
        if (after !== before) {
          this.check(after, await this.reader.outlines(environment.id, tx));
          await this.segments.update(tx, after);
          const revisions = await this.revisions.advance(tx, [environment]);
          const reason = input.reason ?? input.otherwiseReason;
          await this.record(tx, actor, { before, after }, revisions, reason);
        }
        return this.shown(tx, after);
      },
    );
  }

  /** @throws EnvironmentNotFound, EnvironmentProtected, SegmentNotFound, StaleVersion, SegmentInUse */
  async delete(
    actor: Actor,
    address: SegmentAddress,
    { reason, confirm }: Pick<SegmentUpdate, 'reason' | 'confirm'> = {},
    ifMatch?: readonly number[],
  ): Promise<void> {
    await this.change(actor, address, { ifMatch, confirm, reason }, async (tx, environment, before) => {
      const { usage } = await this.reader.context(environment.id, tx);
      const users = usage.get(before.key);
      if (users) throw new SegmentInUse(before.key, users);
      await this.segments.delete(tx, before.id);
      const revisions = await this.revisions.advance(tx, [environment]);
      await this.record(tx, actor, { before }, revisions, reason);
    });
  }

  /** Removes every segment from an environment that is about to go; its caller holds the environment. */
  async deleteAll(tx: Tx, actor: Actor, environment: Environment): Promise<void> {
    const revisions = await this.revisions.advance(tx, [environment]);
    for (const { key } of await this.reader.outlines(environment.id, tx)) {
      // One at a time: all lists of all segments together could be more than fits into memory.
      const before = await this.segments.findWhole(tx, key, environment.id);
      if (!before) continue;
      await this.segments.delete(tx, before.id);
      await this.record(tx, actor, { before }, revisions, `environment '${environment.key}' deleted`);
    }
  }

  private async make(tx: Tx, environment: Environment, input: NewSegment): Promise<WholeSegment> {
    const segment = newSegment(environment, input);
    const others = await this.reader.outlines(environment.id, tx);
    if (others.some(({ key }) => key === segment.key)) throw new SegmentExists(segment.key, environment.key);
    const isOneOfMany = input.environmentKey === undefined;
    this.check(segment, others, isOneOfMany ? ` in '${environment.key}'` : '');
    await this.segments.insert(tx, segment);
    return segment;
  }

  /** Runs `work` on a segment as it is, with its environment held. */
  private async change<Result>(
    actor: Actor,
    { key, environmentKey }: SegmentAddress,
    { ifMatch, confirm, reason }: SegmentConsent,
    work: (tx: Tx, environment: Environment, before: WholeSegment) => Promise<Result>,
  ): Promise<Result> {
    const { id } = await this.environments.find(environmentKey);
    return this.db.transaction(async (tx) => {
      const [environment] = await this.revisions.lock(tx, [id]);
      if (!environment) throw new EnvironmentNotFound(environmentKey);
      requireMayChange(actor, environment, 'segments');
      const before = await this.segments.findWhole(tx, key, id);
      if (!before) throw new SegmentNotFound(key, environmentKey);
      requireConfirmed(actor, environment, { key, confirm });
      requireReason(actor, [environment], reason);
      if (ifMatch && !ifMatch.includes(before.version))
        throw new StaleVersion(`Segment '${key}' in '${environmentKey}'`, before.version);
      return work(tx, environment, before);
    });
  }

  /** @param where what to add to each message, where it is not clear of which environment it speaks */
  private check(segment: WholeSegment, others: readonly Segment[], where = ''): void {
    const problems: InputProblem[] = [
      ...listProblems(segment),
      ...checkSegment(segment, { patterns: this.patterns }, others),
    ];
    if (problems.length === 0) return;
    const shown = problems.slice(0, PROBLEMS_SHOWN);
    throw new Invalid(shown.map(({ path, message }) => ({ path, message: message + where })));
  }

  private async shown(tx: Tx, segment: WholeSegment): Promise<InContext<SegmentExcerpt>> {
    return inContext(excerptOf(segment), await this.reader.context(segment.environmentId, tx));
  }

  private async record(
    tx: Tx,
    actor: Actor,
    { before, after }: { before?: WholeSegment; after?: WholeSegment },
    revisions: Readonly<Record<string, number>>,
    reason: string | undefined,
  ): Promise<void> {
    const segment = after ?? before;
    if (!segment) return;
    const { environmentKey } = segment;
    const revision = revisions[environmentKey];
    await this.audit.record(tx, {
      entityType: 'segment',
      entityId: segment.id,
      entityKey: segment.key,
      actor,
      environmentKey,
      reason,
      ...(revision === undefined ? {} : { revisions: { [environmentKey]: revision } }),
      ...(before ? { before: describeSegment(before) } : {}),
      ...(after ? { after: describeSegment(after, before) } : {}),
    });
  }
}
