import { Injectable } from '@nestjs/common';
import type { AuditAction } from '../audit/audit-entry.js';
import { AuditService } from '../audit/audit.service.js';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import {
  requireConfirmed,
  requireMayChange,
  requireReason,
  type Environment,
} from '../environments/environment.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Actor } from '../platform/access/actor.js';
import type { Tx } from '../platform/database/tx.js';
import { StaleVersion } from '../platform/errors/errors.js';
import { describeFlag } from './flag-description.js';
import { FlagNotFound } from './flag.errors.js';
import type { FlagAddress, FlagView } from './flag.js';
import { FlagsRepository } from './flags.repository.js';

/** What an editor says beside a change: that they mean it, and why. */
export interface FlagConsent {
  readonly confirm: string | undefined;
  readonly reason: string | undefined;
}

/** What every change of a flag begins and ends with: may they, is their copy fresh, and the audit entry. */
@Injectable()
export class FlagChanges {
  constructor(
    private readonly flags: FlagsRepository,
    private readonly environments: EnvironmentsService,
    private readonly audit: AuditService,
  ) {}

  /** Before anything is locked. @throws EnvironmentNotFound, EnvironmentProtected */
  async environmentFor(actor: Actor, { environmentKey }: FlagAddress): Promise<Environment> {
    const environment = await this.environments.find(environmentKey);
    requireMayChange(actor, environment);
    return environment;
  }

  /**
   * The flag as it is, with its environment among those that the caller has `locked`.
   * @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, ConfirmationNeeded, ReasonNeeded, StaleVersion
   */
  async existing(
    tx: Tx,
    actor: Actor,
    address: FlagAddress,
    locked: readonly Environment[],
    { ifMatch, confirm, reason }: FlagConsent & { readonly ifMatch: readonly number[] | undefined },
  ): Promise<FlagView> {
    const environment = locked.find(({ key }) => key === address.environmentKey);
    if (!environment) throw new EnvironmentNotFound(address.environmentKey);
    requireMayChange(actor, environment);
    const flag = await this.flags.findIn(tx, address.key, environment.id);
    if (!flag) throw new FlagNotFound(address.key, address.environmentKey);
    requireConfirmed(actor, environment, { key: flag.key, confirm });
    requireReason(actor, [environment], reason);
    if (ifMatch && !ifMatch.includes(flag.version))
      throw new StaleVersion(`Flag '${flag.key}' in '${flag.environmentKey}'`, flag.version);
    return flag;
  }

  async record(
    tx: Tx,
    actor: Actor,
    action: AuditAction,
    { before, after }: { before?: FlagView; after?: FlagView },
    revisions: Readonly<Record<string, number>>,
    { reason, isEverywhere = false }: { reason?: string | undefined; isEverywhere?: boolean },
  ): Promise<void> {
    const flag = after ?? before;
    if (!flag) return;
    await this.audit.record(tx, {
      entityType: 'flag',
      entityId: flag.id,
      entityKey: flag.key,
      action,
      actor,
      revisions,
      reason,
      ...(isEverywhere ? {} : { environmentKey: flag.environmentKey }),
      ...(before ? { before: describeFlag(before) } : {}),
      ...(after ? { after: describeFlag(after, before) } : {}),
    });
  }
}
