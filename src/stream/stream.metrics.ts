import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Metrics } from '../platform/metrics/metrics.js';

/** Counts those who follow, and how it goes. */
@Injectable()
export class StreamMetrics {
  readonly open: Gauge;
  readonly resyncs: Counter<'reason'>;
  readonly cut: Counter;
  readonly refused: Counter<'code'>;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.open = new Gauge({
      name: 'vexil_streams_open',
      help: 'Streams of changes that are open.',
      registers,
    });
    this.resyncs = new Counter({
      name: 'vexil_stream_resyncs_total',
      help: 'Clients that were sent the whole ruleset instead of changes, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.cut = new Counter({
      name: 'vexil_streams_cut_total',
      help: 'Streams that were cut because their reader was too slow.',
      registers,
    });
    this.refused = new Counter({
      name: 'vexil_streams_refused_total',
      help: 'Streams that were not opened for want of room, by code of the answer.',
      labelNames: ['code'],
      registers,
    });
  }
}
