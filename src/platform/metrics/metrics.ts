import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** What this process measures of itself, in Prometheus' format. Each part of the service registers its own figures here. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  constructor() {
    // Process, garbage collection, and the delay of the event loop.
    collectDefaultMetrics({ register: this.registry });
  }

  async print(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}
