import { Injectable } from '@nestjs/common';
import type { AuditEntry } from '../audit/audit-entry.js';
import { AuditService } from '../audit/audit.service.js';
import { BUCKETS, FLAG_KEY_PATTERN, type HashVersion } from '../core/index.js';
import { FlagExists, FlagNotFound } from '../flags/flag.errors.js';
import type { FlagAddress } from '../flags/flag.js';
import { simpleView } from '../flags/flag-serve.js';
import { FlagsReader } from '../flags/flags.reader.js';
import { FlagsService } from '../flags/flags.service.js';
import type { Actor } from '../platform/access/actor.js';
import { Invalid, StaleVersion } from '../platform/errors/errors.js';
import { plainFlag, type PlainFlag } from './plain-flag.js';

/** Basis points of users; `everyone` also those whom nobody knows. */
export type Share = number | 'everyone';

export interface NewPlainFlag {
  readonly key: string;
  readonly name: string;
  readonly description: string | null | undefined;
  readonly isEnabled: boolean;
  readonly share: Share;
  /** By which its users are placed, for good. */
  readonly placing: { readonly hashVersion: HashVersion; readonly salt: string };
}

/** Fields that are absent stay as they are. */
export interface PlainChange {
  readonly name?: string | undefined;
  readonly description?: string | null | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly share?: Share | undefined;
}

/** Every flag of an environment is asked for at once by systems that know no pages. */
const ALL = 100_000;
const MOST_TRIES = 5;

/** What all of them do to flags, by the native services: their rules, their audit log, their revision. */
@Injectable()
export class CompatFlagsService {
  constructor(
    private readonly flags: FlagsService,
    private readonly reader: FlagsReader,
    private readonly audit: AuditService,
  ) {}

  /** Ordered by key; of all environments where none is named. Archived flags are left out. @throws EnvironmentNotFound */
  async list(
    environmentKey: string | undefined,
    { skip, limit } = { skip: 0, limit: ALL },
  ): Promise<PlainFlag[]> {
    const { flags } = await this.reader.list({ environmentKey, isArchived: false, skip, limit });
    return flags.map(plainFlag);
  }

  /** @throws EnvironmentNotFound, FlagNotFound */
  async find(address: FlagAddress): Promise<PlainFlag> {
    if (!FLAG_KEY_PATTERN.test(address.key)) throw new FlagNotFound(address.key, address.environmentKey);
    return plainFlag(await this.reader.find(address));
  }

  /** @throws EnvironmentNotFound, EnvironmentProtected, FlagExists, FlagDefinitionDiffers, Invalid */
  async create(
    actor: Actor,
    environmentKey: string,
    { share, description, ...flag }: NewPlainFlag,
  ): Promise<PlainFlag> {
    // Nothing said and nothing there are the same; an existing definition is contradicted by neither.
    const told = description === null ? {} : { description };
    return plainFlag(
      await this.flags.create(actor, { ...flag, ...told, ...shareFields(share), environmentKey }),
    );
  }

  /**
   * Changes what is named and nothing else: rules, listed users and prerequisites stay as they are, and so does a serve that
   * is more than a percentage.
   * @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, Invalid
   */
  async update(actor: Actor, address: FlagAddress, change: PlainChange): Promise<PlainFlag> {
    if (!FLAG_KEY_PATTERN.test(address.key)) throw new FlagNotFound(address.key, address.environmentKey);
    const { share, ...rest } = change;
    if (share === undefined) return plainFlag(await this.flags.update(actor, address, rest));
    return this.unlessStale(async () => {
      const flag = await this.reader.find(address);
      if (simpleView(flag).type === 'multivariate')
        throw new Invalid([{ path: 'rollout_percentage', message: RICHER }]);
      return plainFlag(
        await this.flags.update(actor, address, { ...rest, ...shareFields(share) }, [flag.version]),
      );
    });
  }

  /**
   * Switches a flag, and makes it where there is none. A serve that is more than a percentage stays as it is: what is switched off
   * in an emergency must go off.
   * @throws EnvironmentNotFound, EnvironmentProtected, Invalid
   */
  async upsert(actor: Actor, environmentKey: string, flag: NewPlainFlag): Promise<PlainFlag> {
    const address = { key: flag.key, environmentKey };
    const { isEnabled, share } = flag;
    return this.unlessStale(async () => {
      try {
        const found = await this.reader.find(address);
        const shares = simpleView(found).type === 'multivariate' ? {} : shareFields(share);
        return plainFlag(await this.flags.update(actor, address, { isEnabled, ...shares }, [found.version]));
      } catch (error) {
        if (!(error instanceof FlagNotFound)) throw error;
        return await this.create(actor, environmentKey, flag);
      }
    });
  }

  /** What was done to a flag of that key in the environment, newest first, also when it is gone. Nothing for a key that never was. */
  async history({ key, environmentKey }: FlagAddress, limit: number): Promise<AuditEntry[]> {
    if (!FLAG_KEY_PATTERN.test(key)) return [];
    return this.audit.find({ entityType: 'flag', entityKey: key, environmentKey, limit });
  }

  /** @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, FlagInUse */
  async delete(actor: Actor, address: FlagAddress): Promise<void> {
    if (!FLAG_KEY_PATTERN.test(address.key)) throw new FlagNotFound(address.key, address.environmentKey);
    await this.flags.delete(actor, address);
  }

  /** Looks again where somebody else was faster: none of these systems knows versions. */
  private async unlessStale<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        const isOvertaken = error instanceof StaleVersion || error instanceof FlagExists;
        if (!isOvertaken || tries >= MOST_TRIES) throw error;
      }
    }
  }
}

const RICHER =
  'cannot be set: what this flag serves is more than a percentage. Change it in the dashboard or by PUT /flags';

const shareFields = (share: Share) =>
  share === 'everyone'
    ? ({ flagType: 'boolean' } as const)
    : ({ flagType: 'percentage', rolloutPercentage: share } as const);

/** A hundred per cent is everybody, where a system means it so. */
export const everyoneAtAll = (basisPoints: number): Share =>
  basisPoints === BUCKETS ? 'everyone' : basisPoints;
