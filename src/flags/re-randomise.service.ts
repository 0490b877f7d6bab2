import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import type { Rollout, Rule, Serve } from '../core/index.js';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import type { Actor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import { FlagChanges } from './flag-changes.js';
import { NothingToReRandomise, RuleNotFound } from './flag.errors.js';
import type { FlagAddress, FlagView } from './flag.js';
import { FlagsRepository } from './flags.repository.js';

/** Which rollout to place everybody anew in, and why. */
export interface ReRandomisation {
  /** The default serve's when absent. */
  readonly ruleId?: string | undefined;
  readonly reason?: string | undefined;
  readonly confirm?: string | undefined;
}

/** Places everybody of a rollout anew: the one change that moves people who need not move, so never a side effect of another. */
@Injectable()
export class ReRandomiseService {
  constructor(
    private readonly db: Database,
    private readonly changes: FlagChanges,
    private readonly flags: FlagsRepository,
    private readonly revisions: EnvironmentRevisions,
  ) {}

  /**
   * Draws a new salt; shares and hash version stay.
   * @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, RuleNotFound, NothingToReRandomise, StaleVersion
   */
  async reRandomise(
    actor: Actor,
    address: FlagAddress,
    { ruleId, reason, confirm }: ReRandomisation,
    ifMatch?: readonly number[],
  ): Promise<FlagView> {
    const { id } = await this.changes.environmentFor(actor, address);
    return this.db.transaction(async (tx) => {
      const locked = await this.revisions.lock(tx, [id]);
      const before = await this.changes.existing(tx, actor, address, locked, { ifMatch, confirm, reason });
      const after = { ...salted(before, ruleId), version: before.version + 1, updatedAt: new Date() };
      await this.flags.updateSettings(tx, after);
      const revisions = await this.revisions.advance(tx, locked);
      await this.changes.record(tx, actor, 're_randomised', { before, after }, revisions, { reason });
      return after;
    });
  }
}

function salted(flag: FlagView, ruleId: string | undefined): FlagView {
  if (ruleId === undefined) {
    if (flag.unreadable.includes('default_serve')) throw new NothingToReRandomise('the default serve');
    const rollout = withNewSalt(flag.defaultServe, 'the default serve');
    return { ...flag, defaultServe: { rollout }, lastRollout: rollout };
  }
  if (!flag.rules.some(({ id }) => id === ruleId)) throw new RuleNotFound(flag.key, ruleId);
  const rules = flag.rules.map((rule): Rule =>
    rule.id === ruleId ? { ...rule, serve: { rollout: withNewSalt(rule.serve, `rule '${ruleId}'`) } } : rule,
  );
  const rollouts = rules.flatMap(({ id, serve }) =>
    'rollout' in serve ? [[id, serve.rollout] as const] : [],
  );
  return { ...flag, rules, ruleRollouts: { ...flag.ruleRollouts, ...Object.fromEntries(rollouts) } };
}

function withNewSalt(serve: Serve, what: string): Rollout {
  if ('variant' in serve) throw new NothingToReRandomise(what);
  return { ...serve.rollout, salt: randomBytes(8).toString('hex') };
}
