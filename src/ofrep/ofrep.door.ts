import { Injectable } from '@nestjs/common';
import { Admission } from '../auth/admission.js';
import { allowancePairs } from '../auth/request-limits.js';
import type { Context } from '../core/index.js';
import { plainContext, readPlainJson } from '../evaluation/plain-context.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import type { DirectAnswer, DirectRequest, DirectRoute } from '../platform/http/front-door.js';
import { isPlainUrl, lastPart } from '../platform/http/plain-path.js';
import { OF_ONE_FLAG, OfrepService, type OfrepAnswer } from './ofrep.service.js';

const ALL = '/ofrep/v1/evaluate/flags';
const ONE = `${ALL}/`;

/** OFREP's evaluations in front of the application. Their controller says what they mean. */
@Injectable()
export class OfrepDoor {
  readonly routes: readonly DirectRoute[] = [
    {
      method: 'POST',
      prefix: ONE,
      route: '/ofrep/v1/evaluate/flags/:key',
      headers: OF_ONE_FLAG,
      answer: (request) => this.answerOne(request),
    },
    {
      method: 'POST',
      prefix: ALL,
      route: ALL,
      headers: [],
      answer: (request) => this.answerAll(request),
    },
  ];

  constructor(
    private readonly ofrep: OfrepService,
    private readonly admission: Admission,
  ) {}

  private answerOne(request: DirectRequest): DirectAnswer | undefined {
    const { url } = request;
    const key = isPlainUrl(url) && !url.includes('?') ? lastPart(url.slice(ONE.length)) : undefined;
    return key === undefined
      ? undefined
      : this.answer(request, (context, scope) => this.ofrep.evaluate(key, context, scope));
  }

  private answerAll(request: DirectRequest): DirectAnswer | undefined {
    const known = request.headers['if-none-match'];
    return request.url === ALL
      ? this.answer(request, (context, scope) => this.ofrep.evaluateAll(context, scope, known))
      : undefined;
  }

  /** @throws and returns `undefined` where the guard of the application has something to say */
  private answer(
    { headers, address, body: sentBody }: DirectRequest,
    ask: (context: Context, scope: KeyScope) => OfrepAnswer,
  ): DirectAnswer | undefined {
    const asked = readPlainJson(sentBody);
    // What stands beside the context is looked at by the application: it may be too much of it, or hostile.
    const context = asked && Object.keys(asked).length === 1 ? plainContext(asked['context']) : undefined;
    if (!context) return undefined;
    const caller = this.admission.identify(headers);
    const { scope } = caller;
    if (!scope || scope.kind === 'admin' || !this.ofrep.canAnswer(scope)) return undefined;
    const allowance = this.admission.take(caller, address);
    const { status, body, bytes, room, sent, headers: own } = ask(context, scope);
    const limits = allowance && allowancePairs(allowance);
    const more = own === OF_ONE_FLAG ? limits : [...(limits ?? []), ...own];
    return { status, body, bytes, room, headers: more, sent };
  }
}
