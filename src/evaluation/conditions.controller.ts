import { Body, Controller, Header, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AtLeast } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { ConditionTrialService } from './condition-trial.service.js';
import {
  conditionTrialRequest,
  conditionTrialResponse,
  presentVerdicts,
  type ConditionTrialRequest,
} from './dto/condition-trial.js';

@ApiTags('evaluation')
@Controller('conditions')
export class ConditionsController {
  constructor(private readonly trials: ConditionTrialService) {}

  @Post('try')
  @AtLeast('viewer')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'tryConditions',
    summary: 'For whom conditions would hold',
    description:
      'Before they are part of a rule or a segment. Nothing is saved. Patterns run as they do in an evaluation: in linear time, whatever they are.',
  })
  @Answers('What each says of each context.', conditionTrialResponse)
  @Fails(404, 503)
  try(@Body({ schema: conditionTrialRequest }) body: ConditionTrialRequest) {
    return presentVerdicts(this.trials.try(body.environmentKey, body.conditions, body.contexts));
  }
}
