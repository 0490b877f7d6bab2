import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { AuditService } from '../audit/audit.service.js';
import type { Actor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { StaleVersion } from '../platform/errors/errors.js';
import { EnvironmentContents } from './environment-contents.js';
import { EnvironmentInUse, EnvironmentNotFound } from './environment.errors.js';
import type { Environment } from './environment.js';
import { EnvironmentRevisions } from './environment-revisions.js';
import { EnvironmentsRepository } from './environments.repository.js';

export interface NewEnvironment {
  readonly key: string;
  readonly name: string;
  readonly description?: string | null | undefined;
  readonly protected?: boolean | undefined;
  readonly confirmChanges?: boolean | undefined;
  readonly requireReason?: boolean | undefined;
  readonly position?: number | undefined;
  readonly reason?: string | undefined;
}

/** Fields that are absent stay as they are. */
export type EnvironmentUpdate = {
  readonly [K in keyof Omit<NewEnvironment, 'key'>]?: NewEnvironment[K] | undefined;
};

/** Keeps the environments. */
@Injectable()
export class EnvironmentsService {
  constructor(
    private readonly db: Database,
    private readonly environments: EnvironmentsRepository,
    private readonly revisions: EnvironmentRevisions,
    private readonly contents: EnvironmentContents,
    private readonly audit: AuditService,
  ) {}

  async list(): Promise<Environment[]> {
    return this.environments.list();
  }

  /** @throws EnvironmentNotFound */
  async find(key: string): Promise<Environment> {
    return this.existing(await this.environments.findByKey(key), key);
  }

  /** By id, as older clients name it. @throws EnvironmentNotFound */
  async findById(id: string): Promise<Environment> {
    return this.existing(await this.environments.findById(id), id);
  }

  /** @throws EnvironmentExists */
  async create(actor: Actor, input: NewEnvironment): Promise<Environment> {
    return this.db.transaction(async (tx) => {
      const now = new Date();
      const environment: Environment = {
        id: randomUUID(),
        key: input.key,
        name: input.name,
        description: input.description ?? null,
        isProtected: input.protected ?? false,
        confirmsChanges: input.confirmChanges ?? false,
        requiresReason: input.requireReason ?? false,
        position: input.position ?? (await this.environments.lastPosition(tx)) + 1,
        revision: 1,
        stamp: randomUUID(),
        version: 1,
        createdAt: now,
        updatedAt: now,
      };
      await this.environments.insert(tx, environment);
      await this.recordChange(tx, actor, environment.key, {
        after: visible(environment),
        reason: input.reason,
        revisions: { [environment.key]: 1 },
        id: environment.id,
      });
      await this.revisions.announce(tx, environment);
      return environment;
    });
  }

  /** @throws EnvironmentNotFound, StaleVersion when `ifMatch` does not name the present version */
  async update(
    actor: Actor,
    key: string,
    input: EnvironmentUpdate,
    ifMatch?: readonly number[],
  ): Promise<Environment> {
    return this.db.transaction(async (tx) => {
      const before = await this.locked(tx, key, ifMatch);
      const after: Environment = {
        ...before,
        name: input.name ?? before.name,
        description: input.description === undefined ? before.description : input.description,
        isProtected: input.protected ?? before.isProtected,
        confirmsChanges: input.confirmChanges ?? before.confirmsChanges,
        requiresReason: input.requireReason ?? before.requiresReason,
        position: input.position ?? before.position,
        version: before.version + 1,
        updatedAt: new Date(),
      };
      if (JSON.stringify(visible(after)) === JSON.stringify(visible(before))) return before;
      await this.environments.update(tx, after);
      const revisions = await this.revisions.advance(tx, [before]);
      await this.recordChange(tx, actor, key, {
        before: visible(before),
        after: visible(after),
        reason: input.reason,
        revisions,
        id: before.id,
      });
      return { ...after, revision: revisions[key] ?? before.revision };
    });
  }

  /**
   * Deletes an environment; with `force` also what lives in it.
   * @throws EnvironmentNotFound, EnvironmentInUse, StaleVersion
   */
  async delete(
    actor: Actor,
    key: string,
    options: { force: boolean; reason?: string | undefined },
    ifMatch?: readonly number[],
  ): Promise<void> {
    await this.db.transaction(async (tx) => {
      const environment = await this.locked(tx, key, ifMatch);
      await this.empty(tx, actor, environment, options.force);
      await this.environments.delete(tx, environment.id);
      await this.recordChange(tx, actor, key, {
        before: visible(environment),
        reason: options.reason,
        id: environment.id,
      });
      await this.revisions.announceRemoval(tx, environment);
    });
  }

  private async empty(tx: Tx, actor: Actor, environment: Environment, force: boolean): Promise<void> {
    const uses: string[] = [];
    for (const content of this.contents.all) {
      const count = await content.count(tx, environment);
      if (count > 0) uses.push(`${count} ${content.name}`);
      if (count > 0 && force) await content.remove(tx, environment, actor);
    }
    if (uses.length > 0 && !force) throw new EnvironmentInUse(environment.key, uses);
  }

  private async locked(tx: Tx, key: string, ifMatch: readonly number[] | undefined): Promise<Environment> {
    const environment = this.existing(await this.environments.lockByKey(tx, key), key);
    if (ifMatch && !ifMatch.includes(environment.version))
      throw new StaleVersion(`Environment '${key}'`, environment.version);
    return environment;
  }

  private existing(environment: Environment | undefined, key: string): Environment {
    if (!environment) throw new EnvironmentNotFound(key);
    return environment;
  }

  private async recordChange(
    tx: Tx,
    actor: Actor,
    key: string,
    change: {
      id: string;
      before?: object;
      after?: object;
      reason?: string | undefined;
      revisions?: Record<string, number>;
    },
  ): Promise<void> {
    const { id, before, after, reason, revisions } = change;
    await this.audit.record(tx, {
      entityType: 'environment',
      entityId: id,
      entityKey: key,
      actor,
      environmentKey: key,
      reason,
      ...(before ? { before: before as Record<string, unknown> } : {}),
      ...(after ? { after: after as Record<string, unknown> } : {}),
      ...(revisions ? { revisions } : {}),
    });
  }
}

const visible = (environment: Environment) => ({
  key: environment.key,
  name: environment.name,
  description: environment.description,
  protected: environment.isProtected,
  confirm_changes: environment.confirmsChanges,
  require_reason: environment.requiresReason,
  position: environment.position,
});
