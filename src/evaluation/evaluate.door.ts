import { Inject, Injectable } from '@nestjs/common';
import { parse } from 'node:querystring';
import { Admission, type Admitted, type Arrival } from '../auth/admission.js';
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
    const mark = url.indexOf('?');
    const key = mark < 0 ? undefined : keyIn(url.slice(PREFIX.length, mark));
    const question = key === undefined ? undefined : plainQuestion(parse(url.slice(mark + 1)));
    const snapshot = question && this.snapshots.get(question.environmentKey);
    if (key === undefined || !question || !snapshot) return undefined;
    const admitted = this.admit(question, { headers, address });
    if (!admitted) return undefined;
    const { scope, allowance } = admitted;
    // Spelled out: a spread costs more than the evaluation.
    const { environmentKey, context } = question;
    const answer = this.evaluation.evaluate(key, { environmentKey, context, explain: false, scope });
    return {
      body: this.printed.print(snapshot.compiled, answer),
      headers: allowance && Object.entries(allowanceHeaders(allowance)).flat(),
    };
  }

  /** @returns `undefined` where the guard of the application has something to say; it says it with the same words */
  private admit({ environmentKey }: EvaluateQuery, arrival: Arrival): Admitted | undefined {
    try {
      const admitted = this.admission.admit(arrival);
      const { scope } = admitted;
      if (!scope) return this.isOpen ? admitted : undefined;
      requireEnvironment(scope, environmentKey);
      return admitted;
    } catch {
      return undefined;
    }
  }
}

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
