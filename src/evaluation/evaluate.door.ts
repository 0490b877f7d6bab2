import { Inject, Injectable } from '@nestjs/common';
import { Admission, type Caller } from '../auth/admission.js';
import { allowancePairs } from '../auth/request-limits.js';
import { requireEnvironment } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import type { DirectAnswer, DirectRequest, DirectRoute } from '../platform/http/front-door.js';
import { isPlainUrl, lastPart } from '../platform/http/plain-path.js';
import {
  plainQuestion,
  plainQuestionOf,
  plainRequest,
  type EvaluateQuery,
} from './dto/evaluation.requests.js';
import { EvaluationService } from './evaluation.service.js';
import { readPlainJson } from './plain-context.js';
import { PrintedAnswers } from './printed-answers.js';
import { SnapshotStore } from './snapshot-store.js';

/** Of all answers. */
const ROUTE = { headers: ['Cache-Control', 'no-store'] };
const PREFIX = '/evaluate/';
const USUAL = /^\/evaluate\/([\w.-]{1,100})\?environment_key=([\w.-]+)&user_id=([\w.~@:-]+)$/;

/** `/evaluate` in front of the application. Its controller says what it means. */
@Injectable()
export class EvaluateDoor {
  readonly routes: readonly DirectRoute[] = [
    {
      ...ROUTE,
      method: 'GET',
      prefix: PREFIX,
      route: '/evaluate/:flag_key',
      answer: (request) => this.answerQuery(request),
    },
    {
      ...ROUTE,
      method: 'POST',
      prefix: PREFIX,
      route: '/evaluate/:flag_key',
      answer: (request) => this.answerBody(request),
    },
    {
      ...ROUTE,
      method: 'POST',
      prefix: '/evaluate',
      route: '/evaluate',
      answer: (request) => this.answerMany(request),
    },
  ];

  private readonly isOpen: boolean;
  private readonly printed = new PrintedAnswers();

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly evaluation: EvaluationService,
    private readonly admission: Admission,
    @Inject(CONFIG) config: Config,
  ) {
    this.isOpen = config.evaluateAccess === 'public';
  }

  private answerQuery(request: DirectRequest): DirectAnswer | undefined {
    const { url } = request;
    // As most programs ask: read in one go.
    const usual = USUAL.exec(url);
    if (usual) {
      const question = plainQuestionOf(usual[2], usual[3]);
      return question && this.answerOne(usual[1] as string, question, request);
    }
    if (!isPlainUrl(url)) return undefined;
    const mark = url.indexOf('?');
    const key = mark < 0 ? undefined : lastPart(url.slice(PREFIX.length, mark));
    const question = key === undefined ? undefined : plainQuestion(url.slice(mark + 1));
    return key === undefined || !question ? undefined : this.answerOne(key, question, request);
  }

  private answerBody(request: DirectRequest): DirectAnswer | undefined {
    const { url, body } = request;
    if (!isPlainUrl(url)) return undefined;
    const key = url.includes('?') ? undefined : lastPart(url.slice(PREFIX.length));
    const asked = key === undefined ? undefined : readPlainJson(body);
    const question = asked && plainRequest(asked);
    if (key === undefined || !question || question.flagKeys) return undefined;
    return this.answerOne(key, question, request);
  }

  private answerOne(
    key: string,
    { environmentKey, context }: EvaluateQuery,
    request: DirectRequest,
  ): DirectAnswer | undefined {
    const snapshot = this.snapshots.get(environmentKey);
    const caller = snapshot && this.callerOf(request.headers, environmentKey);
    if (!caller) return undefined;
    const headers = this.admit(caller, request);
    // Spelled out: a spread costs more than the evaluation.
    const { scope } = caller;
    const answer = this.evaluation.evaluate(key, { environmentKey, context, explain: false, scope });
    const { text, bytes } = this.printed.print(snapshot.compiled, answer);
    return { body: text, bytes, headers };
  }

  private answerMany(request: DirectRequest): DirectAnswer | undefined {
    const asked = request.url === '/evaluate' ? readPlainJson(request.body) : undefined;
    const question = asked && plainRequest(asked);
    const snapshot = question && this.snapshots.get(question.environmentKey);
    const caller = snapshot && this.callerOf(request.headers, question.environmentKey);
    if (!caller) return undefined;
    const headers = this.admit(caller, request);
    const { environmentKey, flagKeys } = question;
    const { scope } = caller;
    const answer = this.evaluation.evaluateMany(flagKeys, { ...question, scope });
    const { text, bytes } = this.printed.printAll(snapshot.compiled, environmentKey, answer);
    return { body: text, bytes, headers };
  }

  /** @throws and returns `undefined` where the guard of the application has something to say */
  private callerOf(headers: DirectRequest['headers'], environmentKey: string): Caller | undefined {
    const caller = this.admission.identify(headers);
    if (!caller.scope && !this.isOpen) return undefined;
    requireEnvironment(caller.scope, environmentKey);
    return caller;
  }

  /** Counts the request. @throws RateLimited */
  private admit(caller: Caller, { address }: DirectRequest): readonly string[] | undefined {
    const allowance = this.admission.take(caller, address);
    return allowance && allowancePairs(allowance);
  }
}
