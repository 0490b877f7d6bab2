import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { AtLeast } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { storedText } from '../platform/http/schema.js';
import {
  flagsUsageQuery,
  flagsUsageResponse,
  flagUsageQuery,
  flagUsageResponse,
  presentFlagsUsage,
  presentFlagUsage,
  type FlagsUsageQuery,
  type FlagUsageQuery,
} from './dto/usage.js';
import { UsageReader } from './usage.reader.js';

const WHAT =
  'What the service itself answered, natively and over OFREP, at all instances, up to a few seconds ago. SDKs that decide in their own process are not counted here.';

@ApiTags('usage')
@Controller()
export class UsageController {
  constructor(private readonly usage: UsageReader) {}

  @Get('flags/:key/usage')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'getFlagUsage',
    summary: 'How often a flag was evaluated, by variant',
    description: `The last hour in minutes, or the last day in hours, without gaps; the last bucket is the present one. ${WHAT}`,
  })
  @Answers('The counts.', flagUsageResponse)
  @Fails(404, 422, 503)
  async ofFlag(
    @Param('key', { schema: storedText(1, 100).meta({ description: 'The key of a flag.' }) }) key: string,
    @Query({ schema: flagUsageQuery }) { environmentKey, period }: FlagUsageQuery,
  ) {
    return presentFlagUsage(await this.usage.ofFlag({ key, environmentKey }, period));
  }

  @Get('usage')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'getUsage',
    summary: 'How often some flags were evaluated',
    description: `All variants of a flag together; keys of flags that are not in the environment are left out. ${WHAT}`,
  })
  @Answers('The counts.', flagsUsageResponse)
  @Fails(404, 422, 503)
  async ofFlags(@Query({ schema: flagsUsageQuery }) { key, environmentKey, period }: FlagsUsageQuery) {
    return presentFlagsUsage(await this.usage.ofFlags(key, environmentKey, period));
  }
}
