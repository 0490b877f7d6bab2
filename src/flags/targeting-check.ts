import { Inject, Injectable } from '@nestjs/common';
import {
  checkConditions,
  checkPrerequisites,
  lint,
  segmentsUsedBy,
  under,
  type Flag,
  type Rule,
  type Segment,
  type Warning,
} from '../core/index.js';
import type { Tx } from '../platform/database/tx.js';
import type { InputProblem } from '../platform/errors/errors.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../platform/patterns/pattern-engine.js';
import { SegmentsReader } from '../segments/segments.reader.js';
import type { FlagView } from './flag.js';
import { FlagRelationsRepository } from './flag-relations.repository.js';
import type { TargetingInput } from './flag-targeting.js';

/** Holds what a flag's targeting says of patterns, segments and other flags against what there is. */
@Injectable()
export class TargetingCheck {
  constructor(
    private readonly segments: SegmentsReader,
    private readonly relations: FlagRelationsRepository,
    @Inject(PATTERN_ENGINE) private readonly patterns: LinearPatterns,
  ) {}

  /**
   * What is wrong with the parts that an editor gave.
   * @param flag as it is to be saved; the caller holds its environment
   */
  async problems(tx: Tx, flag: FlagView, given: TargetingInput): Promise<InputProblem[]> {
    return [
      ...(given.prerequisites ? await this.prerequisiteProblems(tx, flag) : []),
      ...(given.rules ? await this.ruleProblems(tx, flag) : []),
    ];
  }

  /** What looks wrong with a flag, though it can be saved. */
  async warnings(flag: FlagView): Promise<Warning[]> {
    return lint(asEvaluated(flag), { segments: await this.segmentsOf(flag.environmentId, flag.rules) });
  }

  private async prerequisiteProblems(tx: Tx, flag: FlagView): Promise<InputProblem[]> {
    const neighbours = await this.relations.neighbours(tx, flag.environmentId);
    return under('prerequisites', checkPrerequisites(flag.key, flag.prerequisites, neighbours));
  }

  private async ruleProblems(tx: Tx, flag: FlagView): Promise<InputProblem[]> {
    const outlines = await this.segmentsOf(flag.environmentId, flag.rules, tx);
    const segments = new Set(outlines.map(({ key }) => key));
    const surroundings = { patterns: this.patterns, segments };
    return flag.rules.flatMap(({ conditions }, index) =>
      under(`rules[${index}].conditions`, checkConditions(conditions, surroundings)),
    );
  }

  /** Without a look at the database where no rule uses a segment. */
  private async segmentsOf(
    environmentId: string,
    rules: readonly Rule[],
    tx?: Tx,
  ): Promise<readonly Segment[]> {
    const isUsing = rules.some(({ conditions }) => segmentsUsedBy(conditions).length > 0);
    return isUsing ? this.segments.outlines(environmentId, tx) : [];
  }
}

/** A flag as the core knows it. */
function asEvaluated(flag: FlagView): Flag {
  return { ...flag, isArchived: flag.archivedAt !== null };
}
