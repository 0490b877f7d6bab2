import { Injectable } from '@nestjs/common';
import { EnvironmentNotFound } from '../environments/environment.errors.js';
import { EvaluationService, type Question } from '../evaluation/evaluation.service.js';
import { TARGETING_KEY } from '../core/index.js';
import type { Actor } from '../platform/access/actor.js';
import { CompatFlagsService, type NewPlainFlag } from './compat-flags.service.js';
import { EdgeCache, type Kind, type Place } from './edge-cache.js';
import { KnownFlags } from './known-flags.js';
import type { PlainFlag } from './plain-flag.js';

/** An answer, and whether it was remembered. */
export interface Remembered<T> {
  readonly value: T;
  readonly isHit: boolean;
}

/** What a user gets, and all that the system knows of the flag. */
export interface EdgeAnswer {
  readonly isOn: boolean;
  /** `undefined` for an unknown flag. */
  readonly flag: PlainFlag | undefined;
}

/** Answers for the system that tells whether it remembered them, and the changes that make it forget. */
@Injectable()
export class EdgeService {
  constructor(
    private readonly evaluation: EvaluationService,
    private readonly cache: EdgeCache,
    private readonly known: KnownFlags,
    private readonly flags: CompatFlagsService,
  ) {}

  /** @throws NotReady */
  async check(key: string, question: Question): Promise<Remembered<boolean>> {
    return this.cache.get(placeOf('check', key, question), () => this.isOn(key, question));
  }

  /** @throws NotReady */
  async details(key: string, question: Question): Promise<Remembered<EdgeAnswer>> {
    return this.cache.get(placeOf('endpoint', key, question), async () => ({
      isOn: this.isOn(key, question),
      flag: (await this.knownIn(question)).get(key),
    }));
  }

  async list(question: Question): Promise<Remembered<PlainFlag[]>> {
    return this.cache.get(placeOf('list', '', question), async () => [
      ...(await this.knownIn(question)).values(),
    ]);
  }

  /** @throws EnvironmentNotFound, EnvironmentProtected, Invalid */
  async update(actor: Actor, environmentKey: string, flag: NewPlainFlag): Promise<PlainFlag> {
    const updated = await this.flags.upsert(actor, environmentKey, flag);
    this.cache.forget(environmentKey, flag.key);
    return updated;
  }

  private isOn(key: string, question: Question): boolean {
    return this.evaluation.evaluate(key, question).decision.isOn;
  }

  private async knownIn({ environmentKey }: Question): Promise<ReadonlyMap<string, PlainFlag>> {
    try {
      return await this.known.of(environmentKey);
    } catch (error) {
      if (error instanceof EnvironmentNotFound) return new Map();
      throw error;
    }
  }
}

const placeOf = (kind: Kind, flagKey: string, { environmentKey, context, scope }: Question): Place => ({
  kind,
  environmentKey,
  flagKey,
  user: context[TARGETING_KEY] as string | undefined,
  isDiscreet: scope?.clientOnly === true,
});
