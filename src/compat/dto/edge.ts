import { z } from 'zod';
import { BUCKETS } from '../../core/index.js';
import type { Health } from '../../operations/health.service.js';
import { SERVICE } from '../../operations/service-info.js';
import type { EdgeCounts } from '../edge-cache.js';
import { fastApiFailure } from '../fastapi-failure.js';
import { percent, truth, userId } from '../fastapi-input.js';
import type { PlainFlag } from '../plain-flag.js';
import type { EdgeAnswer, Remembered } from '../edge.service.js';

/** Feature flags with edge caching: its words. */

export const userQuery = z.object({ user_id: userId().optional() });
export const updateQuery = z.object({
  enabled: truth(),
  rollout_percentage: percent('whole').default(BUCKETS),
});

export type UserQuery = z.output<typeof userQuery>;
export type UpdateQuery = z.output<typeof updateQuery>;

const told = ({ isHit }: Remembered<unknown>) => ({ _cache: isHit ? 'hit' : 'miss' });

/** Its percentages are whole. */
const whole = (flag: PlainFlag): number => Math.round(flag.percentage);

export const presentCheck = (answer: Remembered<boolean>) => ({ enabled: answer.value, ...told(answer) });

export const presentDetails = (name: string, answer: Remembered<EdgeAnswer>) => {
  const { isOn, flag } = answer.value;
  return {
    flag_name: name,
    enabled: isOn,
    flag_data: flag
      ? {
          enabled: flag.isEnabled,
          rollout_percentage: whole(flag),
          metadata: { description: flag.description, created_at: flag.createdAt },
        }
      : null,
    ...told(answer),
  };
};

export const presentList = (answer: Remembered<readonly PlainFlag[]>) => ({
  flags: answer.value.map((flag) => ({
    name: flag.key,
    enabled: flag.isEnabled,
    rollout_percentage: whole(flag),
  })),
  ...told(answer),
});

export const presentUpdate = (name: string, flag: PlainFlag) => ({
  status: 'updated',
  flag_name: name,
  enabled: flag.isEnabled,
  rollout_percentage: whole(flag),
  cache_invalidated: true,
});

export const presentInvalidation = (name: string) => ({ status: 'cache_invalidated', flag_name: name });

export const presentCounts = ({ flags, endpoint, check }: EdgeCounts) => ({
  feature_flag_cache_keys: flags,
  endpoint_cache_keys: endpoint,
  check_cache_keys: check,
  total_cache_keys: flags + endpoint + check,
});

/** Without Redis it is the memory of the process that remembers, and is as healthy. */
export const presentHealth = ({ cache, isReady }: Health) => {
  if (cache === 'disconnected') return { status: 'unhealthy', error: 'Redis does not answer' };
  return isReady
    ? { status: 'healthy', redis: cache }
    : { status: 'unhealthy', error: 'No flags are loaded' };
};

export const presentRoot = () => ({
  message: 'Feature Flags + Edge Caching API',
  version: SERVICE.version,
});

export const edgeFailure = fastApiFailure({
  invalid_api_key: () => ({ detail: 'Invalid API key' }),
  flag_not_found: (name) => ({ detail: `Flag '${name}' not found` }),
});
