import type { RequestHandler } from 'express';
import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

/** Counts requests and measures their time, by method, route (its pattern, not the path asked for) and status. */
export function requestMetrics({ registry }: Metrics): RequestHandler {
  const labelNames = ['method', 'route', 'status'] as const;
  const requests = new Counter({
    name: 'vexil_http_requests_total',
    help: 'Requests answered.',
    labelNames,
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'vexil_http_request_duration_seconds',
    help: 'Time to answer.',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  return (request, response, next) => {
    const start = process.hrtime.bigint();
    response.once('finish', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      const labels = {
        // A method is what the caller says it is; Node admits only those it knows.
        method: request.method,
        route: typeof route === 'string' ? route : '(none)',
        status: String(response.statusCode),
      };
      requests.inc(labels);
      seconds.observe(labels, Number(process.hrtime.bigint() - start) / 1e9);
    });
    next();
  };
}
