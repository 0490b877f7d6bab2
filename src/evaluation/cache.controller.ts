import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AtLeast } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { storedText } from '../platform/http/schema.js';
import { CachesService } from './caches.service.js';
import { cacheStatsResponse, presentStats } from './dto/cache.responses.js';

@ApiTags('cache')
@Controller()
export class CacheController {
  constructor(private readonly caches: CachesService) {}

  @Get('cache/stats')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'getCacheStats',
    summary: 'How the caches of this instance do',
    description: 'Counted since this instance started; other instances count for themselves.',
  })
  @Answers('The figures.', cacheStatsResponse)
  @Fails(503)
  async stats() {
    return presentStats(await this.caches.stats());
  }

  @Delete('flags/:key/cache')
  @AtLeast('developer')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'dropFlagCache',
    summary: 'Forget what is cached of a flag',
    description:
      'Cached management answers are dropped and the snapshots read anew from the database. Never needed after a change; changes supersede by themselves.',
  })
  @Answers(
    'Done, also for a key that is unknown.',
    z
      .object({ status: z.literal('cache_invalidated'), flag_key: z.string() })
      .meta({ id: 'CacheInvalidated', example: { status: 'cache_invalidated', flag_key: 'new-checkout' } }),
  )
  @Fails(422, 503)
  async drop(
    @Param('key', { schema: storedText(1, 200).meta({ description: 'The key of a flag, known or not.' }) })
    key: string,
  ) {
    await this.caches.drop();
    return { status: 'cache_invalidated', flag_key: key };
  }
}
