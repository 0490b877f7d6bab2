import { Body, Controller, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { CurrentScope, Open, type Reservation } from '../platform/access/access.decorators.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import {
  asksToExplain,
  evaluateManyRequest,
  evaluateQuery,
  evaluateRequest,
  type EvaluateManyRequest,
  type EvaluateQuery,
  type EvaluateRequest,
} from './dto/evaluation.requests.js';
import {
  evaluationResponse,
  evaluationsResponse,
  presentAnswer,
  presentAnswers,
} from './dto/evaluation.responses.js';
import { EvaluationService } from './evaluation.service.js';

const flagKey = z
  .string()
  .max(1024)
  .meta({ description: 'The key of a flag, known or not.', example: 'new-checkout' });
const EVALUATORS = ['server', 'client'] as const;
/** Rules are not for everybody to see: who asks for the steps must be known, and may not be everybody's key. */
const TO_EXPLAIN: Reservation = { asks: asksToExplain, role: 'viewer', keys: ['server'] };
const UNKNOWN = 'An unknown flag or environment is an answer too: `enabled: false`, and the reason.';
const EXPLAIN =
  'With `explain: true`, and a token or a server key, also every step that led there. A client key gets values and variants of the flags that are visible to clients.';

@ApiTags('evaluation')
@Controller('evaluate')
export class EvaluationController {
  constructor(private readonly evaluation: EvaluationService) {}

  @Get(':flag_key')
  @Open(EVALUATORS)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'evaluateFlag', summary: 'What a user gets', description: UNKNOWN })
  @Answers('The answer.', evaluationResponse)
  @Fails(422, 503)
  evaluate(
    @Param('flag_key', { schema: flagKey }) key: string,
    @Query({ schema: evaluateQuery }) query: EvaluateQuery,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    return presentAnswer(this.evaluation.evaluate(key, { ...query, scope }));
  }

  @Post(':flag_key')
  @Open(EVALUATORS, TO_EXPLAIN)
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'evaluateFlagInContext',
    summary: 'What a user with these attributes gets',
    description: `${UNKNOWN} ${EXPLAIN}`,
  })
  @Answers('The answer.', evaluationResponse)
  @Fails(503)
  evaluateInContext(
    @Param('flag_key', { schema: flagKey }) key: string,
    @Body({ schema: evaluateRequest }) body: EvaluateRequest,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    return presentAnswer(this.evaluation.evaluate(key, { ...body, scope }));
  }

  @Post()
  @Open(EVALUATORS, TO_EXPLAIN)
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'evaluateFlags',
    summary: 'What a user gets of many flags, or of all',
    description: `${UNKNOWN} ${EXPLAIN}`,
  })
  @Answers('The answers.', evaluationsResponse)
  @Fails(503)
  evaluateMany(
    @Body({ schema: evaluateManyRequest }) body: EvaluateManyRequest,
    @CurrentScope() scope: KeyScope | undefined,
  ) {
    const answer = this.evaluation.evaluateMany(body.flagKeys, { ...body, scope });
    return presentAnswers(body.environmentKey, answer);
  }
}
