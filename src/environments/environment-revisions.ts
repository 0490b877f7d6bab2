import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/tx.js';
import { EnvironmentRemoved, EnvironmentRevised } from './environment.events.js';
import type { Environment, EnvironmentRevision } from './environment.js';
import { EnvironmentsRepository } from './environments.repository.js';

/**
 * The order of all changes. Whoever changes something in an environment locks it here first and moves its revision on
 * here, in the same transaction; the row lock makes the numbers follow the commits, which a sequence does not.
 */
@Injectable()
export class EnvironmentRevisions {
  constructor(private readonly environments: EnvironmentsRepository) {}

  /** Holds these environments until the transaction ends. Those that are gone are left out of the answer. */
  async lock(tx: Tx, ids: readonly string[]): Promise<Environment[]> {
    return this.environments.lock(tx, ids);
  }

  /** As `lock`, for what all environments share. */
  async lockAll(tx: Tx): Promise<Environment[]> {
    return this.environments.lockAll(tx);
  }

  /**
   * Moves each of `environments` (locked before) on by one, and tells everybody at commit.
   * @returns the new revision by environment key
   */
  async advance(tx: Tx, environments: readonly Environment[]): Promise<Record<string, number>> {
    const revisions: Record<string, number> = {};
    for (const environment of environments) {
      const now = await this.environments.advance(tx, environment);
      revisions[now.key] = now.revision;
      await this.announce(tx, now, environment.stamp);
    }
    return revisions;
  }

  /** Tells everybody at commit where an environment stands. @param previousStamp of the state just before, where there was one */
  async announce(
    tx: Tx,
    { id, key, revision, stamp }: EnvironmentRevision,
    previousStamp?: string,
  ): Promise<void> {
    const now = { id, key, revision, stamp };
    tx.emit(new EnvironmentRevised(now, previousStamp));
    await tx.notify('environment', { ...now, ...(previousStamp !== undefined && { previousStamp }) });
  }

  /** Tells everybody at commit that an environment is gone. */
  async announceRemoval(tx: Tx, { id, key }: Environment): Promise<void> {
    tx.emit(new EnvironmentRemoved(id, key));
    await tx.notify('environment', { id, key });
  }

  /** Where every environment stands now, in the order of their keys. */
  async current(): Promise<readonly EnvironmentRevision[]> {
    return this.environments.revisions();
  }
}
