import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import type { CacheReport } from '../caches.service.js';

export const cacheStatsResponse = z
  .object({
    backend: z.enum(['redis', 'memory']),
    state: z.enum(['up', 'down']).meta({ description: 'While down every read is a miss.' }),
    hits: z.int(),
    misses: z.int(),
    errors: z.int(),
    timeouts: z.int(),
    breaker_openings: z.int(),
    hit_rate: z.number().meta({ description: '0 to 1, of the reads of this instance since it started.' }),
    keys: z
      .int()
      .optional()
      .meta({ description: 'Keys of ours; absent when they could not be counted quickly.' }),
    snapshots: z.array(
      z
        .object({
          environment_key: z.string(),
          revision: z.int(),
          source: z.enum(['postgres', 'redis', 'disk']),
          confirmed_at: timestamp.meta({
            description: 'When it was last known to be what the database has.',
          }),
        })
        .meta({ id: 'HeldSnapshot' }),
    ),
  })
  .meta({
    id: 'CacheStats',
    example: {
      backend: 'redis',
      state: 'up',
      hits: 120,
      misses: 30,
      errors: 0,
      timeouts: 0,
      breaker_openings: 0,
      hit_rate: 0.8,
      keys: 14,
      snapshots: [
        {
          environment_key: 'production',
          revision: 42,
          source: 'postgres',
          confirmed_at: '2026-11-21T09:30:00.000Z',
        },
      ],
    },
  });

export function presentStats({ shared, snapshots }: CacheReport): z.infer<typeof cacheStatsResponse> {
  const { breakerOpenings, hitRate, ...counters } = shared;
  return {
    ...counters,
    breaker_openings: breakerOpenings,
    hit_rate: hitRate,
    snapshots: [...snapshots].map(([key, held]) => ({
      environment_key: key,
      revision: held.revision,
      source: held.source,
      confirmed_at: new Date(held.confirmedAt).toISOString(),
    })),
  };
}
