import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { AtLeast } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import { storedText } from '../platform/http/schema.js';
import { AuditService } from './audit.service.js';
import {
  auditEntryResponse,
  auditVerdictResponse,
  presentEntry,
  presentVerdict,
} from './dto/audit-entry.response.js';
import { auditQuery, flagAuditQuery, type AuditQuery, type FlagAuditQuery } from './dto/audit.query.js';

const flagKey = storedText(1, 100).meta({ description: 'The key of a flag, also of one that is gone.' });

@ApiTags('audit')
@Controller('audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listAuditEntries',
    summary: 'Who changed what',
    description: 'Newest first. To read on, pass the last position you have as `before`.',
  })
  @Answers('The entries.', z.array(auditEntryResponse))
  @Fails(422, 503)
  async list(@Query({ schema: auditQuery }) query: AuditQuery) {
    return (await this.audit.find(query)).map(presentEntry);
  }

  @Get('flag/:key')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'listFlagAuditEntries',
    summary: 'The history of one flag',
    description:
      'In every environment, newest first; it outlives the flag. A key that never was has no history.',
  })
  @Answers('The entries.', z.array(auditEntryResponse))
  @Fails(422, 503)
  async ofFlag(
    @Param('key', { schema: flagKey }) key: string,
    @Query({ schema: flagAuditQuery }) query: FlagAuditQuery,
  ) {
    return (await this.audit.find({ ...query, entityType: 'flag', entityKey: key })).map(presentEntry);
  }

  @Get('verify')
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'verifyAudit',
    summary: 'Whether the log is as it was written',
    description: 'Walks the hash chain from the first entry and names the first one that does not fit.',
  })
  @Answers('The verdict.', auditVerdictResponse)
  @Fails(503)
  async verify() {
    return presentVerdict(await this.audit.verify());
  }
}
