import { Injectable } from '@nestjs/common';
import type { Actor } from '../platform/access/actor.js';
import type { Tx } from '../platform/database/tx.js';
import type { Environment } from './environment.js';

/** A kind of thing that lives in environments and is told when one is to go. */
export interface EnvironmentContent {
  /** As one would say it after a number: `flag(s)`. */
  readonly name: string;
  count(tx: Tx, environment: Environment): Promise<number>;
  /** Removes all of it from the environment, with an audit entry for each. */
  remove(tx: Tx, environment: Environment, actor: Actor): Promise<void>;
}

/** What lives in environments. Features above register themselves, so that this one need not know them. */
@Injectable()
export class EnvironmentContents {
  private readonly kinds: EnvironmentContent[] = [];

  register(kind: EnvironmentContent): void {
    this.kinds.push(kind);
  }

  /**
   * What uses others comes before them, since features above register last. The order is also that of their locks: flags lock
   * rows that other environments share, and must do so before anything takes the end of the audit log.
   */
  get all(): readonly EnvironmentContent[] {
    return [...this.kinds].reverse();
  }
}
