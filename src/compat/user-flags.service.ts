import { Injectable } from '@nestjs/common';
import { EvaluationService, type Answer, type Question } from '../evaluation/evaluation.service.js';
import { UnknownFlag } from './compat.errors.js';
import { KnownFlags } from './known-flags.js';
import type { PlainFlag } from './plain-flag.js';

/** What a user gets of a flag, with what is known of the flag beside it. */
export interface UserFlag {
  readonly answer: Answer;
  /** `undefined` for a client key, which is told no descriptions, and where the database was never there. */
  readonly known: PlainFlag | undefined;
}

/** What a user gets, for systems that tell it together with the flag. */
@Injectable()
export class UserFlagsService {
  constructor(
    private readonly evaluation: EvaluationService,
    private readonly known: KnownFlags,
  ) {}

  /** Every flag that is not archived, those that are off included. @throws NotReady, EnvironmentNotFound */
  async all(question: Question): Promise<UserFlag[]> {
    const { answers } = this.evaluation.evaluateMany(undefined, question);
    const known = await this.knownTo(question);
    return answers
      .filter(({ decision }) => !decision.isArchived)
      .map((answer) => ({ answer, known: known.get(answer.decision.flagKey) }));
  }

  /** @throws NotReady, UnknownFlag, EnvironmentNotFound */
  async one(key: string, question: Question): Promise<UserFlag> {
    const answer = this.evaluation.evaluate(key, question);
    if (answer.decision.errorCode === 'FLAG_NOT_FOUND') throw new UnknownFlag(key);
    return { answer, known: (await this.knownTo(question)).get(key) };
  }

  private async knownTo({ environmentKey, scope }: Question): Promise<ReadonlyMap<string, PlainFlag>> {
    return scope?.clientOnly ? new Map() : this.known.of(environmentKey);
  }
}
