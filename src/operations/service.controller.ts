import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Public, PublicUnlessNamesAreHidden } from '../platform/access/access.decorators.js';
import { Answers } from '../platform/http/api.decorators.js';
import { AnyQuery } from '../platform/http/undeclared-input.guard.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { serviceResponse } from './dto/operations.responses.js';
import { sendRoot } from './pages.js';

const METRICS_EXAMPLE = 'vexil_http_requests_total{method="GET",route="/flags",status="200"} 12\n';

@ApiTags('operations')
@Controller()
@Public()
@AnyQuery()
export class ServiceController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('Vary', 'Accept')
  @ApiProduces('application/json', 'text/html')
  @ApiOperation({
    operationId: 'getService',
    summary: 'What this is',
    description: 'JSON for programs, a page for browsers.',
  })
  @Answers('Name, version and links.', serviceResponse)
  root(@Req() request: Request, @Res() response: Response): void {
    sendRoot(request, response);
  }

  @Get('metrics')
  @PublicUnlessNamesAreHidden()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Figures for Prometheus',
    description:
      'Of this instance alone. It names every flag: with EVALUATE_ACCESS=key only to people and admin keys.',
  })
  @ApiProduces('text/plain')
  @Answers('In the text format of Prometheus.', z.string(), { example: METRICS_EXAMPLE })
  async figures(@Res() response: Response): Promise<void> {
    const { contentType, text } = await this.metrics.print();
    response.type(contentType).send(text);
  }
}
