import { Inject, Injectable } from '@nestjs/common';
import { matcherOf, type ConditionGroup, type Context, type Problem } from '../core/index.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { PATTERN_ENGINE, type LinearPatterns } from '../platform/patterns/pattern-engine.js';
import { NotReady } from './evaluation.errors.js';
import { SnapshotStore } from './snapshot-store.js';

/** What conditions that are tried out say of each context; or why they cannot be asked. */
export type ConditionVerdict =
  { readonly matches: readonly boolean[] } | { readonly problems: readonly Problem[] };

/** Tries conditions on contexts before they are saved. Reads memory only, and its patterns run in linear time. */
@Injectable()
export class ConditionTrialService {
  constructor(
    private readonly snapshots: SnapshotStore,
    @Inject(PATTERN_ENGINE) private readonly patterns: LinearPatterns,
  ) {}

  /** @throws EnvironmentNotFound, NotReady */
  try(
    environmentKey: string,
    conditions: readonly ConditionGroup[],
    contexts: readonly Context[],
  ): ConditionVerdict[] {
    const held = this.snapshots.get(environmentKey);
    if (!held) throw this.snapshots.knowsAll ? new EnvironmentNotFound(environmentKey) : new NotReady();
    const now = Date.now();
    return conditions.map((group): ConditionVerdict => {
      const matcher = matcherOf(group, held.compiled, this.patterns);
      return typeof matcher === 'function'
        ? { matches: contexts.map((context) => matcher(context, now)) }
        : { problems: matcher };
    });
  }
}
