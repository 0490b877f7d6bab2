import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/tx.js';

/** A kind of thing above segments that uses them. */
export interface SegmentUser {
  /**
   * Which segments are used in an environment, and by whom: the keys of segments by the key of the user.
   * @param tx where the caller holds the environment, so that the answer stays true until the transaction ends
   */
  usesIn(environmentId: string, tx?: Tx): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** Who uses segments. Flags register themselves, so that this feature need not know them. */
@Injectable()
export class SegmentUsers {
  private flags: SegmentUser | undefined;

  registerFlags(flags: SegmentUser): void {
    this.flags = flags;
  }

  /** The keys of segments by the key of the flag that uses them. */
  async flagsIn(environmentId: string, tx?: Tx): Promise<ReadonlyMap<string, readonly string[]>> {
    return (await this.flags?.usesIn(environmentId, tx)) ?? new Map();
  }
}
