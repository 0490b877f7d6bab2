import { Body, Controller, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public, PublicUnless } from '../platform/access/access.decorators.js';
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
const UNKNOWN = 'An unknown flag or environment is an answer too: `enabled: false`, and the reason.';
const EXPLAIN = 'With `explain: true`, and a credential, also every step that led there.';

@ApiTags('evaluation')
@Controller('evaluate')
export class EvaluationController {
  constructor(private readonly evaluation: EvaluationService) {}

  @Get(':flag_key')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ operationId: 'evaluateFlag', summary: 'What a user gets', description: UNKNOWN })
  @Answers('The answer.', evaluationResponse)
  @Fails(422, 503)
  evaluate(
    @Param('flag_key', { schema: flagKey }) key: string,
    @Query({ schema: evaluateQuery }) query: EvaluateQuery,
  ) {
    return presentAnswer(this.evaluation.evaluate(key, query));
  }

  @Post(':flag_key')
  @PublicUnless(asksToExplain, 'viewer')
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
  ) {
    return presentAnswer(this.evaluation.evaluate(key, body));
  }

  @Post()
  @PublicUnless(asksToExplain, 'viewer')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'evaluateFlags',
    summary: 'What a user gets of many flags, or of all',
    description: `${UNKNOWN} ${EXPLAIN}`,
  })
  @Answers('The answers.', evaluationsResponse)
  @Fails(503)
  evaluateMany(@Body({ schema: evaluateManyRequest }) body: EvaluateManyRequest) {
    const answer = this.evaluation.evaluateMany(body.flagKeys, body);
    return presentAnswers(body.environmentKey, answer);
  }
}
