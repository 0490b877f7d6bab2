import { Injectable } from '@nestjs/common';
import {
  discreetSentence,
  evaluate,
  evaluateAll,
  explain,
  failed,
  flagNotFound,
  reasonSentence,
  type Context,
  type Decision,
  type FlagTrace,
} from '../core/index.js';
import { requireEnvironment, type KeyScope } from '../platform/access/key-scope.js';
import { Invalid } from '../platform/errors/errors.js';
import { discreet, type ToldDecision } from './discreet.js';
import { EvaluationMetrics } from './evaluation.metrics.js';
import { NotReady } from './evaluation.errors.js';
import type { HeldSnapshot } from './held-snapshot.js';
import { SnapshotStore } from './snapshot-store.js';

/** A decision with what people want to know of it. */
export interface Answer {
  readonly decision: ToldDecision;
  /** A sentence for people. */
  readonly reason: string;
  /** The environment's revision that decided; `undefined` for an unknown environment, and for a client key. */
  readonly revision: number | undefined;
  /** Every step, where it was asked for. */
  readonly trace?: FlagTrace;
}

/** What is asked, apart from the flags. */
export interface Question {
  readonly environmentKey: string;
  readonly context: Context;
  /** Whether to tell every step. */
  readonly explain: boolean;
  /** Of the key that asks; without one everything may be told. */
  readonly scope?: KeyScope | undefined;
}

export interface BulkAnswer {
  readonly revision: number | undefined;
  /** Why there is no answer at all; `undefined` where there are answers. */
  readonly reason: string | undefined;
  readonly answers: readonly Answer[];
}

/** Telling every step takes longer than deciding, and nobody reads more. */
const MAX_EXPLAINED = 200;
const TOO_MANY_EXPLAINED = `must name at most ${MAX_EXPLAINED} flags where explain is true`;

/** Answers what a user gets. Reads memory only: no call here waits, and none reaches a database or Redis. */
@Injectable()
export class EvaluationService {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly metrics: EvaluationMetrics,
  ) {}

  /** @throws NotReady, WrongEnvironment */
  evaluate(flagKey: string, question: Question): Answer {
    const { environmentKey } = question;
    requireEnvironment(question.scope, environmentKey);
    const held = this.snapshots.get(environmentKey);
    if (!held) return this.unknownEnvironment(environmentKey, flagKey);
    if (question.explain) return this.explained(flagKey, question, held, Date.now());
    return this.answer(decide(flagKey, question, held, Date.now()), question, held);
  }

  /**
   * Many flags for one user: those named, or all. Each once, where it is first named: a name takes a few bytes, and an answer
   * may have a megabyte.
   * @throws NotReady, WrongEnvironment; Invalid when too many are to be explained
   */
  evaluateMany(named: readonly string[] | undefined, question: Question): BulkAnswer {
    const { environmentKey } = question;
    const flagKeys = named && [...new Set(named)];
    requireEnvironment(question.scope, environmentKey);
    const held = this.snapshots.get(environmentKey);
    if (!held) {
      const answers = (flagKeys ?? []).map((key) => this.unknownEnvironment(environmentKey, key));
      return { revision: undefined, reason: this.unknown(environmentKey), answers };
    }
    const now = Date.now();
    return {
      revision: question.scope?.clientOnly ? undefined : held.revision,
      reason: undefined,
      answers: this.answers(flagKeys, question, held, now),
    };
  }

  private answers(
    flagKeys: readonly string[] | undefined,
    question: Question,
    held: HeldSnapshot,
    now: number,
  ): Answer[] {
    const { context, scope } = question;
    if (question.explain) {
      const keys = flagKeys ?? [...held.compiled.flags.keys()];
      if (keys.length > MAX_EXPLAINED)
        throw new Invalid([{ path: 'flag_keys', message: TOO_MANY_EXPLAINED }]);
      return keys.map((key) => this.explained(key, question, held, now));
    }
    const decisions =
      flagKeys?.map((key) => decide(key, question, held, now)) ??
      evaluateAll(held.compiled, context, now, scope?.clientOnly ? held.compiled.clientVisible : undefined);
    return decisions.map((decision) => this.answer(decision, question, held));
  }

  private explained(flagKey: string, question: Question, held: HeldSnapshot, now: number): Answer {
    const { decision, trace } = explain(held.compiled, flagKey, question.context, now);
    return { ...this.answer(decision, question, held), trace };
  }

  private answer(decision: Decision, { environmentKey, scope }: Question, held: HeldSnapshot): Answer {
    this.metrics.count(environmentKey, decision);
    if (scope?.clientOnly) {
      const reason = discreetSentence(decision, environmentKey);
      return { decision: discreet(decision), reason, revision: undefined };
    }
    return { decision, reason: reasonSentence(decision, environmentKey), revision: held.revision };
  }

  private unknownEnvironment(environmentKey: string, flagKey: string): Answer {
    const decision = failed(flagKey, 'GENERAL');
    return { decision, reason: this.unknown(environmentKey), revision: undefined };
  }

  /** Without the database nobody knows that an environment does not exist. @throws NotReady */
  private unknown(environmentKey: string): string {
    if (!this.snapshots.knowsAll) throw new NotReady();
    return `Environment '${environmentKey}' not found`;
  }
}

/** For a client key what is not visible to clients does not exist: both are answered here, before anything is looked up. */
function decide(flagKey: string, { context, scope }: Question, held: HeldSnapshot, now: number): Decision {
  if (scope?.clientOnly && !held.compiled.clientVisible.has(flagKey)) return flagNotFound(flagKey);
  return evaluate(held.compiled, flagKey, context, now);
}
