import { Injectable } from '@nestjs/common';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { requireMayChange, requireReason, type Environment } from '../environments/environment.js';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Actor } from '../platform/access/actor.js';
import { Database } from '../platform/database/database.js';
import type { Tx } from '../platform/database/tx.js';
import { Invalid, type InputProblem } from '../platform/errors/errors.js';
import { isMeantOtherwise, isRedefined, isSetOtherwise } from './flag-comparison.js';
import {
  contradictedFields,
  editDefinition,
  newDefinition,
  type DefinitionInput,
  type NewDefinition,
} from './flag-definition.js';
import { FlagChanges } from './flag-changes.js';
import { FlagDependents } from './flag-dependents.js';
import {
  editSettings,
  missingVariants,
  newSettings,
  type NewSettingsInput,
  type SettingsInput,
} from './flag-draft.js';
import { notAVariant } from './flag-serve.js';
import { FlagDefinitionDiffers, FlagExists } from './flag.errors.js';
import type { FlagAddress, FlagDefinition, FlagView } from './flag.js';
import { FlagsRepository } from './flags.repository.js';
import { TargetingCheck } from './targeting-check.js';

export interface NewFlag extends NewDefinition, NewSettingsInput {
  /** Where the flag is made: one environment, or every one when neither is given. */
  readonly environmentKey?: string | undefined;
  readonly environmentId?: string | undefined;
  readonly reason?: string | undefined;
}

export interface FlagUpdate extends DefinitionInput, SettingsInput {
  readonly reason?: string | undefined;
  /** What the audit log says where nobody gave a reason. */
  readonly otherwiseReason?: string | undefined;
  /** What a person typed to show that they mean it. */
  readonly confirm?: string | undefined;
}

/** Makes, changes and deletes flags: checks who may, keeps definition and settings consistent, and leaves one audit entry. */
@Injectable()
export class FlagsService {
  constructor(
    private readonly db: Database,
    private readonly flags: FlagsRepository,
    private readonly environments: EnvironmentsService,
    private readonly revisions: EnvironmentRevisions,
    private readonly changes: FlagChanges,
    private readonly targeting: TargetingCheck,
    private readonly dependents: FlagDependents,
  ) {}

  /**
   * Makes a flag in one environment or in all. One that exists elsewhere keeps its definition, and is archived if it is so there.
   * @returns the flag as the first of those environments has it
   * @throws EnvironmentNotFound, EnvironmentProtected, ReasonNeeded, FlagExists, FlagDefinitionDiffers, Invalid
   */
  async create(actor: Actor, input: NewFlag): Promise<FlagView> {
    const wanted = await this.wantedEnvironments(input);
    return this.db.transaction(async (tx) => {
      // A definition belongs to all environments, so making one is a matter of all.
      const all = await this.revisions.lockAll(tx);
      const targets = all
        .filter(({ id }) => wanted === undefined || id === wanted.id)
        .sort((a, b) => a.position - b.position);
      const [first] = targets;
      if (!first) throw new EnvironmentNotFound(wanted?.key ?? 'any');
      for (const environment of targets) requireMayChange(actor, environment);
      requireReason(actor, targets, input.reason);

      const definition = await this.definitionFor(tx, input, targets);
      const settings = newSettings(definition, input);
      const viewIn = ({ id, key }: Environment): FlagView => ({
        ...definition,
        ...settings.value,
        environmentId: id,
        environmentKey: key,
      });
      for (const environment of targets) {
        const where = wanted === undefined ? ` in '${environment.key}'` : '';
        const flaws = await this.targeting.problems(tx, viewIn(environment), input);
        const problems = [
          ...settings.problems,
          ...flaws.map(({ path, message }) => ({ path, message: message + where })),
        ];
        if (problems.length > 0) throw new Invalid(problems);
        await this.flags.insertSettings(tx, definition.id, environment.id, settings.value);
      }
      const created = viewIn(first);
      const revisions = await this.revisions.advance(tx, targets);
      await this.changes.record(tx, actor, 'created', { after: created }, revisions, {
        reason: input.reason,
        isEverywhere: wanted === undefined,
      });
      return created;
    });
  }

  /**
   * Changes the fields that are given, and no others.
   * @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, FlagInUse, StaleVersion when `ifMatch` does not name the present version, Invalid
   */
  async update(
    actor: Actor,
    address: FlagAddress,
    input: FlagUpdate,
    ifMatch?: readonly number[],
  ): Promise<FlagView> {
    const { id } = await this.changes.environmentFor(actor, address);
    const mayBeShared = [
      input.name,
      input.description,
      input.variants,
      input.tags,
      input.owner,
      input.archived,
      input.clientVisible,
    ].some((v) => v !== undefined);
    return this.db.transaction(async (tx) => {
      const locked = mayBeShared ? await this.revisions.lockAll(tx) : await this.revisions.lock(tx, [id]);
      const before = await this.changes.existing(tx, actor, address, locked, {
        ifMatch,
        confirm: input.confirm,
        reason: input.reason,
      });
      const definition = editDefinition(before, input);
      const settings = editSettings(definition.value, before, input);
      const after: FlagView = {
        ...before,
        ...definition.value,
        ...settings.value,
        version: before.version + 1,
        updatedAt: new Date(),
      };
      const problems = [
        ...definition.problems,
        ...settings.problems,
        ...(await this.targeting.problems(tx, after, { ...input, ...revivedParts(before, after) })),
      ];
      if (problems.length > 0) throw new Invalid(problems);
      const isShared = isRedefined(before, after);
      if (!isShared && !isSetOtherwise(before, after)) return before;

      const affected = isShared
        ? await this.redefine(tx, actor, before, after, locked)
        : locked.filter((environment) => environment.id === before.environmentId);
      requireReason(actor, affected, input.reason);
      await this.flags.updateSettings(tx, after);
      const revisions = await this.revisions.advance(tx, affected);
      const reason = input.reason ?? input.otherwiseReason;
      await this.changes.record(tx, actor, 'updated', { before, after }, revisions, { reason });
      return after;
    });
  }

  /**
   * Deletes a flag from one environment, and altogether when it was the last.
   * @throws EnvironmentNotFound, EnvironmentProtected, FlagNotFound, FlagInUse, StaleVersion
   */
  async delete(
    actor: Actor,
    address: FlagAddress,
    { reason, confirm }: Pick<FlagUpdate, 'reason' | 'confirm'> = {},
    ifMatch?: readonly number[],
  ): Promise<void> {
    const { id } = await this.changes.environmentFor(actor, address);
    await this.db.transaction(async (tx) => {
      const locked = await this.revisions.lock(tx, [id]);
      const before = await this.changes.existing(tx, actor, address, locked, { ifMatch, confirm, reason });
      await this.dependents.requireNone(tx, before.key, locked);
      await this.flags.delete(tx, [before.id], id);
      const revisions = await this.revisions.advance(tx, locked);
      await this.changes.record(tx, actor, 'deleted', { before }, revisions, { reason });
    });
  }

  /** Removes every flag from an environment that is about to go; its caller holds the environment. */
  async deleteAll(tx: Tx, actor: Actor, environment: Environment): Promise<void> {
    const flags = await this.flags.inEnvironment(tx, environment.id);
    // Before the first audit entry, as everybody does: else two deletions could wait for each other.
    const ids = flags.map(({ id }) => id);
    await this.flags.delete(tx, ids, environment.id);
    const revisions = await this.revisions.advance(tx, [environment]);
    const reason = `environment '${environment.key}' deleted`;
    for (const flag of flags)
      await this.changes.record(tx, actor, 'deleted', { before: flag }, revisions, { reason });
  }

  private async wantedEnvironments({
    environmentKey,
    environmentId,
  }: NewFlag): Promise<Environment | undefined> {
    if (environmentKey === undefined)
      return environmentId === undefined ? undefined : this.environments.findById(environmentId);
    const environment = await this.environments.find(environmentKey);
    if (environmentId !== undefined && environmentId !== environment.id) {
      throw new Invalid([
        { path: 'environment_id', message: 'names another environment than environment_key' },
      ]);
    }
    return environment;
  }

  /** What other environments have already, or a new definition. */
  private async definitionFor(
    tx: Tx,
    input: NewFlag,
    targets: readonly Environment[],
  ): Promise<FlagDefinition> {
    const existing = await this.flags.lockDefinition(tx, input.key);
    if (!existing) {
      const { value, problems } = newDefinition(input);
      if (problems.length > 0) throw new Invalid(problems);
      await this.flags.insertDefinition(tx, value);
      return value;
    }
    const elsewhere = await this.flags.everywhere(tx, existing.id);
    if (elsewhere.some(({ environmentId }) => targets.some(({ id }) => id === environmentId)))
      throw new FlagExists(input.key);
    const contradicted = contradictedFields(existing, input);
    if (contradicted.length > 0) throw new FlagDefinitionDiffers(input.key, contradicted);
    return existing;
  }

  /** Writes a changed definition. @returns every environment that it changes something in */
  private async redefine(
    tx: Tx,
    actor: Actor,
    before: FlagView,
    after: FlagView,
    all: readonly Environment[],
  ): Promise<Environment[]> {
    const everywhere = await this.flags.everywhere(tx, before.id);
    const affected = all.filter(({ id }) => everywhere.some(({ environmentId }) => environmentId === id));
    if (isMeantOtherwise(before, after))
      for (const environment of affected) requireMayChange(actor, environment);
    if (after.archivedAt && !before.archivedAt) await this.dependents.requireNone(tx, before.key, affected);
    const problems = everywhere
      .filter(({ environmentId }) => environmentId !== after.environmentId)
      .flatMap((view): InputProblem[] => {
        const missing = new Set(missingVariants(view, after.variants).map(({ variant }) => variant));
        return [...missing].map((variant) => ({
          path: 'variants',
          message: `${notAVariant(variant)}, but '${view.environmentKey}' still serves it`,
        }));
      });
    problems.push(...(await this.dependents.problems(tx, before, after, affected)));
    // While it was archived nobody kept for it what it needs.
    const revived = before.archivedAt && !after.archivedAt ? everywhere : [];
    for (const view of revived.filter(({ environmentId }) => environmentId !== after.environmentId))
      problems.push(...(await this.targeting.problems(tx, view, { prerequisites: view.prerequisites })));
    if (problems.length > 0) throw new Invalid(problems);
    await this.flags.updateDefinition(tx, after, after.updatedAt);
    await this.flags.advanceVersions(tx, after.id);
    return affected;
  }
}

/** What must be looked at anew of a flag that is archived no longer. */
const revivedParts = (before: FlagView, after: FlagView): Pick<FlagUpdate, 'prerequisites'> =>
  before.archivedAt && !after.archivedAt ? { prerequisites: after.prerequisites } : {};
