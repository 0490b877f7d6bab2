import { Injectable } from '@nestjs/common';
import { SnapshotStore } from '../evaluation/snapshot-store.js';
import { isDatabaseFault } from '../platform/database/faults.js';
import { Unavailable } from '../platform/errors/errors.js';
import { CompatFlagsService } from './compat-flags.service.js';
import type { PlainFlag } from './plain-flag.js';

interface Known {
  readonly stamp: string | undefined;
  readonly flags: Promise<ReadonlyMap<string, PlainFlag>>;
}

/**
 * What the snapshots lack of the flags of an environment, such as descriptions, for systems whose answers have it: read once for
 * each state of the environment, so that an answer costs no query. While the database is away the last ones known stand in, or none.
 */
@Injectable()
export class KnownFlags {
  private readonly known = new Map<string, Known>();

  constructor(
    private readonly flags: CompatFlagsService,
    private readonly snapshots: SnapshotStore,
  ) {}

  /** By key. @throws EnvironmentNotFound */
  of(environmentKey: string): Promise<ReadonlyMap<string, PlainFlag>> {
    const stamp = this.snapshots.get(environmentKey)?.stamp;
    const known = this.known.get(environmentKey);
    if (known && known.stamp === stamp) return known.flags;
    const reading = { stamp, flags: this.read(environmentKey, known) };
    // Environments come from requests: only those that exist are remembered.
    if (stamp !== undefined) this.known.set(environmentKey, reading);
    return reading.flags;
  }

  private async read(
    environmentKey: string,
    before: Known | undefined,
  ): Promise<ReadonlyMap<string, PlainFlag>> {
    try {
      const flags = await this.flags.list(environmentKey);
      return new Map(flags.map((flag) => [flag.key, flag]));
    } catch (error) {
      // The next one asks again.
      if (before) this.known.set(environmentKey, { ...before, stamp: undefined });
      else this.known.delete(environmentKey);
      if (!(error instanceof Unavailable || isDatabaseFault(error))) throw error;
      return (await before?.flags) ?? new Map();
    }
  }
}
