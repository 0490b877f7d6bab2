import { z } from 'zod';
import type { Answer } from '../../evaluation/evaluation.service.js';
import type { Health } from '../../operations/health.service.js';
import { SERVICE } from '../../operations/service-info.js';
import { fastApiFailure } from '../fastapi-failure.js';
import { newName, percent, text, truth } from '../fastapi-input.js';
import type { PlainFlag } from '../plain-flag.js';

/** The microservice for feature flags and A/B testing: its words. */

const share = percent('hundredths').nullish();
const description = text(0, 1000).nullish();

export const createBody = z.object({
  flag_name: newName(255),
  status: truth().default(false),
  rollout_percentage: share,
  description,
});
export const updateBody = z.object({ status: truth().nullish(), rollout_percentage: share, description });

export type CreateBody = z.output<typeof createBody>;
export type UpdateBody = z.output<typeof updateBody>;

export const presentFlag = (flag: PlainFlag) => ({
  id: flag.id,
  flag_name: flag.key,
  status: flag.isEnabled,
  rollout_percentage: flag.isForEveryone ? null : flag.percentage,
  description: flag.description,
  created_at: flag.createdAt,
  updated_at: flag.updatedAt,
});

export const presentAnswer = ({ decision }: Answer, known: PlainFlag | undefined) => ({
  flag_name: decision.flagKey,
  enabled: decision.isOn,
  description: known?.description ?? null,
});

export const presentHealth = ({ isReady, degraded }: Health) => ({
  status: !isReady ? 'unavailable' : degraded.length > 0 ? 'degraded' : 'healthy',
  timestamp: new Date().toISOString(),
  version: SERVICE.version,
});

export const mvpFailure = fastApiFailure({
  flag_not_found: (name) => ({ detail: `Flag '${name}' not found` }),
  flag_exists: (name) => ({ status: 400, detail: `Feature flag '${name}' already exists` }),
  invalid_api_key: () => ({ detail: 'Invalid API key' }),
});
