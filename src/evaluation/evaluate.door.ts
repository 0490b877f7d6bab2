import { Inject, Injectable } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';
import { parse } from 'node:querystring';
import { Admission, type Caller } from '../auth/admission.js';
import { allowanceHeaders } from '../auth/request-limits.js';
import { requireEnvironment } from '../platform/access/key-scope.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import type { DirectAnswer, DirectRequest, DirectRoute } from '../platform/http/front-door.js';
import { plainQuestion, type EvaluateQuery } from './dto/evaluation.requests.js';
import { EvaluationService } from './evaluation.service.js';
import { PrintedAnswers } from './printed-answers.js';
import { SnapshotStore } from './snapshot-store.js';

const PREFIX = '/evaluate/';
const MAX_KEY = 1024;

/** `GET /evaluate/{flag_key}` in front of the application. Its controller says what it means. */
@Injectable()
export class EvaluateDoor implements DirectRoute {
  readonly method = 'GET';
  readonly prefix = PREFIX;
  readonly route = '/evaluate/:flag_key';
  readonly headers = ['Cache-Control', 'no-store'];

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

  answer({ url, headers, address }: DirectRequest): DirectAnswer | undefined {
    if (UNUSUAL.test(url)) return undefined;
    const mark = url.indexOf('?');
    const key = mark < 0 ? undefined : keyIn(url.slice(PREFIX.length, mark));
    const question = key === undefined ? undefined : plainQuestion(parse(url.slice(mark + 1)));
    const snapshot = question && this.snapshots.get(question.environmentKey);
    if (key === undefined || !question || !snapshot) return undefined;
    const caller = this.callerOf(headers, question);
    if (!caller) return undefined;
    const allowance = this.admission.take(caller, address);
    // Spelled out: a spread costs more than the evaluation.
    const { environmentKey, context } = question;
    const { scope } = caller;
    const answer = this.evaluation.evaluate(key, { environmentKey, context, explain: false, scope });
    return {
      body: this.printed.print(snapshot.compiled, answer),
      headers: allowance && Object.entries(allowanceHeaders(allowance)).flat(),
    };
  }

  /** @throws and returns `undefined` where the guard of the application has something to say */
  private callerOf(headers: IncomingHttpHeaders, { environmentKey }: EvaluateQuery): Caller | undefined {
    const caller = this.admission.identify(headers);
    if (!caller.scope && !this.isOpen) return undefined;
    requireEnvironment(caller.scope, environmentKey);
    return caller;
  }
}

/** A fragment, and what Express reads in a way of its own. */
const UNUSUAL = /[^\x21\x22\x24-\x7e]/;

/** The key in a path, where the router would read the same. */
function keyIn(segment: string): string | undefined {
  if (segment === '' || segment.length > MAX_KEY || segment.includes('/')) return undefined;
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
