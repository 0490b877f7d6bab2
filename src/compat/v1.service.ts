import { Injectable } from '@nestjs/common';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { EvaluationService, type Answer } from '../evaluation/evaluation.service.js';
import { FlagNotFound } from '../flags/flag.errors.js';
import type { Actor } from '../platform/access/actor.js';
import { requireEnvironment, type KeyScope } from '../platform/access/key-scope.js';
import { FlagElsewhere, FlagInSeveral, NoSuchEnvironment, UnknownFlag } from './compat.errors.js';
import { CompatFlagsService, everyoneAtAll, type PlainChange } from './compat-flags.service.js';
import { questionOf } from './door.js';
import type { PlainFlag } from './plain-flag.js';
import { V1Environments } from './v1-environments.js';

/** A flag, and what its environment is called. */
export interface NamedFlag {
  readonly flag: PlainFlag;
  readonly name: string;
}

export interface V1Flag {
  readonly key: string;
  readonly salt: string;
  readonly name: string;
  readonly description: string | null | undefined;
  readonly isEnabled: boolean;
  readonly basisPoints: number;
}

export interface V1Change extends Omit<PlainChange, 'share'> {
  readonly basisPoints: number | undefined;
}

/** Flags for the one system that knows environments, and has each flag in one of them. */
@Injectable()
export class V1Service {
  constructor(
    private readonly flags: CompatFlagsService,
    private readonly evaluation: EvaluationService,
    private readonly environments: V1Environments,
  ) {}

  /** Reads memory only. @throws UnknownFlag, WrongEnvironment, NotReady */
  evaluate(key: string, user: string, environment: string | undefined, scope: KeyScope | undefined): Answer {
    const environmentKey = this.environments.asked(environment, scope);
    const answer = this.evaluation.evaluate(key, questionOf(environmentKey, user, scope));
    const { errorCode } = answer.decision;
    // An environment that nobody made has no flags.
    if (errorCode === 'FLAG_NOT_FOUND' || errorCode === 'GENERAL') throw new UnknownFlag(key);
    return answer;
  }

  /** Of all environments where none is named; none of one that nobody made. @throws WrongEnvironment */
  async list(environment: string | undefined, scope: KeyScope | undefined): Promise<NamedFlag[]> {
    const key = environment === undefined ? scope?.environmentKey : this.environments.keyOf(environment);
    if (key !== undefined) requireEnvironment(scope, key);
    try {
      return (await this.flags.list(key)).map((flag) => this.named(flag, environment));
    } catch (error) {
      if (error instanceof EnvironmentNotFound) return [];
      throw error;
    }
  }

  /** @throws FlagNotFound, WrongEnvironment */
  async find(key: string, environment: string | undefined, scope: KeyScope | undefined): Promise<NamedFlag> {
    const environmentKey = this.where(key, environment, scope);
    requireEnvironment(scope, environmentKey);
    try {
      return this.named(await this.flags.find({ key, environmentKey }), environment);
    } catch (error) {
      if (error instanceof EnvironmentNotFound) throw new FlagNotFound(key, environmentKey);
      throw error;
    }
  }

  /** @throws NoSuchEnvironment, EnvironmentProtected, FlagExists, FlagDefinitionDiffers */
  async create(
    actor: Actor,
    environment: string,
    { basisPoints, salt, ...flag }: V1Flag,
  ): Promise<NamedFlag> {
    const created = this.flags.create(actor, this.environments.keyOf(environment), {
      ...flag,
      share: everyoneAtAll(basisPoints),
      placing: { hashVersion: 'murmur3', salt },
    });
    return this.named(await known(created, environment), environment);
  }

  /** @throws NoSuchEnvironment, EnvironmentProtected, FlagNotFound, FlagElsewhere, Invalid */
  async update(
    actor: Actor,
    key: string,
    environment: string | undefined,
    { basisPoints, ...change }: V1Change,
  ): Promise<NamedFlag> {
    const environmentKey = this.where(key, environment, undefined);
    const share = basisPoints === undefined ? undefined : everyoneAtAll(basisPoints);
    try {
      const updated = this.flags.update(actor, { key, environmentKey }, { ...change, share });
      return this.named(await known(updated, environment ?? environmentKey), environment);
    } catch (error) {
      const isElsewhere = this.environments.whereIs(key, undefined) !== environmentKey;
      if (error instanceof FlagNotFound && environment !== undefined && isElsewhere)
        throw new FlagElsewhere(key, environment);
      throw error;
    }
  }

  /** @throws FlagNotFound, FlagInSeveral, EnvironmentProtected, FlagInUse */
  async delete(actor: Actor, key: string, environment: string | undefined): Promise<void> {
    if (environment === undefined && this.environments.areSeveral(key)) throw new FlagInSeveral(key);
    const environmentKey = this.where(key, environment, undefined);
    await known(this.flags.delete(actor, { key, environmentKey }), environment ?? environmentKey);
  }

  private where(key: string, environment: string | undefined, scope: KeyScope | undefined): string {
    return environment === undefined
      ? this.environments.whereIs(key, scope)
      : this.environments.keyOf(environment);
  }

  private named(flag: PlainFlag, asked: string | undefined): NamedFlag {
    return { flag, name: asked ?? this.environments.nameOf(flag.environmentKey) };
  }
}

/** @throws NoSuchEnvironment where the environment is the one that is missing */
async function known<T>(work: Promise<T>, environment: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof EnvironmentNotFound) throw new NoSuchEnvironment(environment);
    throw error;
  }
}
