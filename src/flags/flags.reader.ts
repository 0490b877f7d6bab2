import { Injectable } from '@nestjs/common';
import { EnvironmentsService } from '../environments/environments.service.js';
import type { Warning } from '../core/index.js';
import { FlagNotFound, VariantNotFound } from './flag.errors.js';
import type { FlagAddress, FlagOverview, FlagView } from './flag.js';
import { FlagsRepository, type FlagFilter, type TargetFilter } from './flags.repository.js';
import { TargetingCheck } from './targeting-check.js';

/** A flag with what looks wrong with it. */
export interface LintedFlag extends FlagView {
  readonly warnings: readonly Warning[];
}

/** Answers what people look at: one flag, or a page of them. */
@Injectable()
export class FlagsReader {
  constructor(
    private readonly flags: FlagsRepository,
    private readonly environments: EnvironmentsService,
    private readonly targeting: TargetingCheck,
  ) {}

  /** One row for each flag and environment that has it. @throws EnvironmentNotFound */
  async list(filter: FlagFilter): Promise<{ flags: FlagOverview[]; total: number }> {
    if (filter.environmentKey !== undefined) await this.environments.find(filter.environmentKey);
    return this.flags.list(filter);
  }

  /** @throws EnvironmentNotFound, FlagNotFound */
  async find({ key, environmentKey }: FlagAddress): Promise<LintedFlag> {
    const environment = await this.environments.find(environmentKey);
    const flag = await this.flags.find(key, environment.id);
    if (!flag) throw new FlagNotFound(key, environmentKey);
    return this.linted(flag);
  }

  /** A flag as it was just saved, or read. */
  async linted(flag: FlagView): Promise<LintedFlag> {
    return { ...flag, warnings: await this.targeting.warnings(flag) };
  }

  /** A page of the units that are listed for a variant. @throws EnvironmentNotFound, FlagNotFound, VariantNotFound */
  async targets(
    { key, environmentKey }: FlagAddress,
    variant: string,
    filter: TargetFilter,
  ): Promise<{ keys: string[]; total: number }> {
    const { id } = await this.environments.find(environmentKey);
    const page = await this.flags.targets(key, id, variant, filter);
    if (!page) throw new FlagNotFound(key, environmentKey);
    if (!page.isVariant) throw new VariantNotFound(key, variant);
    return page;
  }
}
