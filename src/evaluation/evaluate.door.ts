import { Injectable } from '@nestjs/common';
import { parse } from 'node:querystring';
import type { DirectAnswer, DirectRoute } from '../platform/http/front-door.js';
import { plainQuestion } from './dto/evaluation.requests.js';
import { EvaluationService } from './evaluation.service.js';
import { PrintedAnswers } from './printed-answers.js';
import { SnapshotStore } from './snapshot-store.js';

const PREFIX = '/evaluate/';
const MAX_KEY = 1024;
const HEADERS = ['Cache-Control', 'no-store'];

/** `GET /evaluate/{flag_key}` in front of the application. Its controller says what it means. */
@Injectable()
export class EvaluateDoor implements DirectRoute {
  readonly method = 'GET';
  readonly prefix = PREFIX;
  readonly route = '/evaluate/:flag_key';

  private readonly printed = new PrintedAnswers();

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly evaluation: EvaluationService,
  ) {}

  answer(url: string): DirectAnswer | undefined {
    const mark = url.indexOf('?');
    const key = mark < 0 ? undefined : keyIn(url.slice(PREFIX.length, mark));
    const question = key === undefined ? undefined : plainQuestion(parse(url.slice(mark + 1)));
    const snapshot = question && this.snapshots.get(question.environmentKey);
    if (key === undefined || !question || !snapshot) return undefined;
    const answer = this.evaluation.evaluate(key, question);
    return { body: this.printed.print(snapshot.compiled, answer), headers: HEADERS };
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
