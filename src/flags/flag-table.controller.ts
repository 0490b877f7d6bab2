import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { z } from 'zod';
import { AtLeast } from '../platform/access/access.decorators.js';
import { Answers, Fails } from '../platform/http/api.decorators.js';
import {
  flagTableQuery,
  flagTableRowResponse,
  presentFlagTableRow,
  type FlagTableQuery,
} from './dto/flag-table.js';
import { FlagTableReader } from './flag-table.reader.js';

@ApiTags('flags')
@Controller('flag-table')
export class FlagTableController {
  constructor(private readonly table: FlagTableReader) {}

  @Get()
  @AtLeast('viewer')
  @ApiOperation({
    operationId: 'getFlagTable',
    summary: 'Flags, each with what it does in every environment',
    description:
      'One row for each flag. `X-Total-Count` says how many there are in all. Of what a parameter is given for several times all must hold.',
  })
  @Answers('A page of the table.', z.array(flagTableRowResponse), { headers: ['X-Total-Count'] })
  @Fails(422, 503)
  async page(
    @Query({ schema: flagTableQuery }) query: FlagTableQuery,
    @Res({ passthrough: true }) response: Response,
  ) {
    const { rows, total } = await this.table.page(query);
    response.setHeader('X-Total-Count', total);
    return rows.flatMap(presentFlagTableRow);
  }
}
