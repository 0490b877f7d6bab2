import type { RequestHandler } from 'express';
import type { Metric } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

/** Upper bounds, in seconds. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BOUNDS_MS = BOUNDS.map((seconds) => seconds * 1000);

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  /** How many were in each bucket, not counting those below it; the last one has no bound. */
  readonly buckets: Float64Array;
  count: number;
  sumMs: number;
}

const NAMES = {
  count: 'vexil_http_requests_total',
  seconds: 'vexil_http_request_duration_seconds',
};

/**
 * Counts requests and measures their time, by method, route (its pattern, not the path asked for) and status. Its own
 * histogram: prom-client's takes longer to note the time of an evaluation than the evaluation takes.
 */
export class RequestMetrics {
  private readonly byRoute = new Map<string, Map<string, Map<number, Series>>>();

  constructor({ registry }: Metrics) {
    const all = () => this.all();
    registry.registerMetric(
      metric(NAMES.count, 'counter', 'Requests answered.', () =>
        all().map(({ labels, count }) => ({ labels, value: count })),
      ),
    );
    registry.registerMetric(
      metric(NAMES.seconds, 'histogram', 'Time to answer.', () => all().flatMap(valuesOf)),
    );
  }

  /** @param startedAt `performance.now()` when the request came */
  observe(method: string, route: string, status: number, startedAt: number): void {
    const ms = performance.now() - startedAt;
    const series = this.seriesOf(method, route, status);
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && ms > (BOUNDS_MS[bucket] as number)) bucket += 1;
    series.buckets[bucket] = (series.buckets[bucket] as number) + 1;
    series.count += 1;
    series.sumMs += ms;
  }

  private seriesOf(method: string, route: string, status: number): Series {
    const known = this.byRoute.get(route)?.get(method)?.get(status);
    if (known) return known;
    const series: Series = {
      labels: { method, route, status: String(status) },
      buckets: new Float64Array(BOUNDS.length + 1),
      count: 0,
      sumMs: 0,
    };
    const byMethod = this.byRoute.get(route) ?? new Map<string, Map<number, Series>>();
    const byStatus = byMethod.get(method) ?? new Map<number, Series>();
    this.byRoute.set(route, byMethod.set(method, byStatus.set(status, series)));
    return series;
  }

  private all(): Series[] {
    return [...this.byRoute.values()].flatMap((byMethod) =>
      [...byMethod.values()].flatMap((byStatus) => [...byStatus.values()]),
    );
  }
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

function valuesOf({ labels, buckets, count, sumMs }: Series): Value[] {
  let below = 0;
  const values: Value[] = BOUNDS.map((le, at) => {
    below += buckets[at] ?? 0;
    return { metricName: `${NAMES.seconds}_bucket`, labels: { le, ...labels }, value: below };
  });
  values.push({ metricName: `${NAMES.seconds}_bucket`, labels: { le: '+Inf', ...labels }, value: count });
  values.push({ metricName: `${NAMES.seconds}_sum`, labels, value: sumMs / 1000 });
  values.push({ metricName: `${NAMES.seconds}_count`, labels, value: count });
  return values;
}

/** What a registry asks of a metric. */
function metric(name: string, type: string, help: string, values: () => Value[]): Metric {
  const get = async () => Promise.resolve({ name, help, type, aggregator: 'sum', values: values() });
  return { name, help, type, get, reset: () => undefined } as unknown as Metric;
}

export function measureRequests(metrics: RequestMetrics): RequestHandler {
  return (request, response, next) => {
    const startedAt = performance.now();
    response.once('finish', () => {
      const route = (request.route as { path?: unknown } | undefined)?.path;
      const pattern = typeof route === 'string' ? route : '(none)';
      // A method is what the caller says it is; Node admits only those it knows.
      metrics.observe(request.method, pattern, response.statusCode, startedAt);
    });
    next();
  };
}
