import { Injectable } from '@nestjs/common';
import { lintSegment, segmentsUsedBy, type Segment } from '../core/index.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Tx } from '../platform/database/tx.js';
import { SegmentNotFound } from './segment.errors.js';
import {
  outlineOf,
  type InContext,
  type SegmentAddress,
  type SegmentExcerpt,
  type SegmentOverview,
  type SegmentUsage,
} from './segment.js';
import { SegmentUsers } from './segment-users.js';
import { SegmentsRepository, type KeyFilter, type SegmentFilter } from './segments.repository.js';

/** The segments of one environment as far as they concern each other, and who uses them. */
export interface SegmentContext {
  readonly outlines: readonly Segment[];
  /** By the key of the segment. */
  readonly usage: ReadonlyMap<string, SegmentUsage>;
}

const UNUSED: SegmentUsage = { flags: [], segments: [] };

/** Answers what people look at, and what those above must know of the segments of an environment. */
@Injectable()
export class SegmentsReader {
  constructor(
    private readonly segments: SegmentsRepository,
    private readonly environments: EnvironmentsService,
    private readonly users: SegmentUsers,
  ) {}

  /** One row for each segment and environment. @throws EnvironmentNotFound */
  async list(filter: SegmentFilter): Promise<{ segments: InContext<SegmentOverview>[]; total: number }> {
    if (filter.environmentKey !== undefined) await this.environments.find(filter.environmentKey);
    const { segments, total } = await this.segments.list(filter);
    const contexts = new Map<string, SegmentContext>();
    for (const id of new Set(segments.map(({ environmentId }) => environmentId)))
      contexts.set(id, await this.context(id));
    return {
      segments: segments.map((segment) => inContext(segment, contexts.get(segment.environmentId))),
      total,
    };
  }

  /** @throws EnvironmentNotFound, SegmentNotFound */
  async find({ key, environmentKey }: SegmentAddress): Promise<InContext<SegmentExcerpt>> {
    const { id } = await this.environments.find(environmentKey);
    const [segment, context] = await Promise.all([this.segments.find(key, id), this.context(id)]);
    if (!segment) throw new SegmentNotFound(key, environmentKey);
    return inContext(segment, context);
  }

  /** A page of one of its lists. @throws EnvironmentNotFound, SegmentNotFound */
  async keys(
    { key, environmentKey }: SegmentAddress,
    filter: KeyFilter,
  ): Promise<{ keys: string[]; total: number }> {
    const { id } = await this.environments.find(environmentKey);
    const page = await this.segments.keys(key, id, filter);
    if (!page) throw new SegmentNotFound(key, environmentKey);
    return page;
  }

  /**
   * Every segment of an environment, to check and lint conditions with: its key, its conditions, and lists that say no
   * more than whether anybody is listed.
   * @param tx where the caller holds the environment, so that they stay what they are until the transaction ends
   */
  async outlines(environmentId: string, tx?: Tx): Promise<readonly Segment[]> {
    return this.segments.outlines(environmentId, tx);
  }

  /** @param tx as for `outlines` */
  async context(environmentId: string, tx?: Tx): Promise<SegmentContext> {
    const outlines = await this.segments.outlines(environmentId, tx);
    return { outlines, usage: usageOf(outlines, await this.users.flagsIn(environmentId, tx)) };
  }
}

/** A segment with its users and warnings. */
export function inContext<Shape extends SegmentOverview>(
  segment: Shape,
  { outlines, usage }: SegmentContext = { outlines: [], usage: new Map() },
): InContext<Shape> {
  return {
    ...segment,
    usedBy: usage.get(segment.key) ?? UNUSED,
    warnings: lintSegment(outlineOf(segment), { segments: outlines }),
  };
}

function usageOf(
  outlines: readonly Segment[],
  flags: ReadonlyMap<string, readonly string[]>,
): Map<string, SegmentUsage> {
  const usage = new Map<string, { flags: string[]; segments: string[] }>();
  const note = (kind: 'flags' | 'segments', user: string, used: readonly string[]): void => {
    for (const key of new Set(used)) {
      const users = usage.get(key) ?? { flags: [], segments: [] };
      users[kind].push(user);
      usage.set(key, users);
    }
  };
  for (const [flag, used] of flags) note('flags', flag, used);
  for (const { key, conditions } of outlines)
    if (conditions !== null) note('segments', key, segmentsUsedBy(conditions));
  for (const users of usage.values()) users.flags.sort();
  return usage;
}
