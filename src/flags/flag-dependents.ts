import { Injectable } from '@nestjs/common';
import type { Variant } from '../core/index.js';
import type { Environment } from '../environments/environment.js';
import type { Tx } from '../platform/database/tx.js';
import type { InputProblem } from '../platform/errors/errors.js';
import { FlagInUse } from './flag.errors.js';
import type { FlagView } from './flag.js';
import { FlagRelationsRepository } from './flag-relations.repository.js';

/** Keeps for other flags what they need of a flag. Its callers hold the environments. */
@Injectable()
export class FlagDependents {
  constructor(private readonly relations: FlagRelationsRepository) {}

  /** @throws FlagInUse when a flag that is not archived needs this one in one of the environments */
  async requireNone(tx: Tx, flagKey: string, environments: readonly Environment[]): Promise<void> {
    const dependents = await this.dependents(tx, flagKey, environments);
    if (dependents.length > 0) throw new FlagInUse(flagKey, dependents);
  }

  /** Variants that others name and that a changed flag would lack. */
  async problems(
    tx: Tx,
    before: FlagView,
    after: FlagView,
    environments: readonly Environment[],
  ): Promise<InputProblem[]> {
    const isGone = (variant: string): boolean =>
      has(before.variants, variant) && !has(after.variants, variant);
    if (!before.variants.some(({ key }) => isGone(key))) return [];
    const dependents = await this.dependents(tx, before.key, environments);
    return dependents.flatMap(({ key, environmentKey, variants }) =>
      variants.filter(isGone).map((variant) => ({
        path: 'variants',
        message: `'${variant}' is needed by flag '${key}' in '${environmentKey}'`,
      })),
    );
  }

  private dependents(tx: Tx, flagKey: string, environments: readonly Environment[]) {
    const ids = environments.map(({ id }) => id);
    return this.relations.dependents(tx, flagKey, ids);
  }
}

const has = (variants: readonly Variant[], wanted: string): boolean =>
  variants.some(({ key }) => key === wanted);
