import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import type { Health } from '../health.service.js';
import { SERVICE } from '../service-info.js';

const health = {
  status: z
    .enum(['healthy', 'degraded', 'unavailable'])
    .meta({ description: 'degraded: it answers, without something it would rather have.' }),
  version: z.string(),
  timestamp,
  database: z.enum(['connected', 'disconnected']),
  cache: z.enum(['connected', 'disconnected', 'memory']),
  degraded: z.array(z.enum(['database', 'redis', 'snapshots'])),
};

const HEALTHY = {
  status: 'healthy',
  version: SERVICE.version,
  timestamp: '2026-11-21T09:30:00.000Z',
  database: 'connected',
  cache: 'connected',
  degraded: [],
};

export const healthResponse = z.object(health).meta({ id: 'Health', example: HEALTHY });

export const readinessResponse = z
  .object({
    ...health,
    ready: z.boolean(),
    environments: z.array(
      z.object({
        key: z.string(),
        revision: z.int(),
        source: z.enum(['postgres', 'redis', 'disk']),
        age_seconds: z.int().meta({ description: 'Since it was last known to be what the database has.' }),
        stale: z.boolean(),
      }),
    ),
  })
  .meta({
    id: 'Readiness',
    example: {
      ...HEALTHY,
      ready: true,
      environments: [{ key: 'production', revision: 42, source: 'postgres', age_seconds: 1, stale: false }],
    },
  });

export const livenessResponse = z
  .object({ status: z.literal('alive') })
  .meta({ id: 'Liveness', example: { status: 'alive' } });

export const serviceResponse = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string(),
    links: z.object({ docs: z.string(), openapi: z.string(), health: z.string(), metrics: z.string() }),
  })
  .meta({
    id: 'Service',
    example: {
      ...SERVICE,
      description: 'Feature flags: decide, change safely, and say why.',
      links: { docs: '/docs', openapi: '/openapi.json', health: '/health', metrics: '/metrics' },
    },
  });

export function presentHealth(state: Health): z.infer<typeof healthResponse> {
  const status = state.degraded.length > 0 ? 'degraded' : 'healthy';
  return {
    status: state.isReady ? status : 'unavailable',
    version: SERVICE.version,
    timestamp: new Date().toISOString(),
    database: state.database,
    cache: state.cache,
    degraded: [...state.degraded],
  };
}

export function presentReadiness(state: Health) {
  return {
    ...presentHealth(state),
    ready: state.isReady,
    environments: state.environments.map(({ key, revision, source, ageSeconds, isStale }) => ({
      key,
      revision,
      source,
      age_seconds: ageSeconds,
      stale: isStale,
    })),
  };
}

/** Load balancers look at nothing but the status. */
export const readinessStatus = (state: Health): 200 | 503 => (state.isReady ? 200 : 503);

export const SERVICE_ANSWER: z.infer<typeof serviceResponse> = {
  ...SERVICE,
  description: 'Feature flags: decide, change safely, and say why.',
  links: { docs: '/docs', openapi: '/openapi.json', health: '/health', metrics: '/metrics' },
};
