import { z } from 'zod';
import type { Answer } from '../../evaluation/evaluation.service.js';
import { fastApiFailure } from '../fastapi-failure.js';
import { newName, percent, text, truth, userId } from '../fastapi-input.js';
import type { PlainFlag } from '../plain-flag.js';

/** The service for evaluating at high throughput: its words. */

const environment = text(1, 100);
const name = text(1, 200);
const description = text(0, 1000).nullish();

export const createBody = z.object({
  flag_id: newName(255),
  name,
  description,
  enabled: truth().default(false),
  rollout_percentage: percent('hundredths').default(0),
  environment,
});
export const updateBody = z.object({
  name: name.nullish(),
  description,
  enabled: truth().nullish(),
  rollout_percentage: percent('hundredths').nullish(),
  environment: environment.nullish(),
});
export const environmentQuery = z.object({ environment: environment.optional() });
export const evaluateQuery = z.object({ user_id: userId(), environment: environment.optional() });

export type CreateBody = z.output<typeof createBody>;
export type UpdateBody = z.output<typeof updateBody>;
export type EnvironmentQuery = z.output<typeof environmentQuery>;
export type EvaluateQuery = z.output<typeof evaluateQuery>;

/** @param environment as it is called here */
export const presentFlag = (flag: PlainFlag, environment: string) => ({
  flag_id: flag.key,
  name: flag.name,
  description: flag.description,
  enabled: flag.isEnabled,
  rollout_percentage: flag.percentage,
  environment,
  created_at: flag.createdAt,
  updated_at: flag.updatedAt,
  version: flag.version,
});

export const presentAnswer = ({ decision }: Answer, user: string) => ({
  flag_id: decision.flagKey,
  enabled: decision.isOn,
  user_id: user,
  evaluated_at: new Date().toISOString(),
});

const NO_KEY = { type: 'missing', loc: ['header', 'x-api-key'], msg: 'Field required', input: null };

export const v1Failure = fastApiFailure({
  not_authenticated: () => ({
    status: 422,
    detail: [NO_KEY],
    headers: { 'WWW-Authenticate': undefined },
  }),
  invalid_api_key: () => ({ detail: 'Invalid API key' }),
  flag_not_found: () => ({ detail: 'Flag not found' }),
  flag_exists: () => ({ status: 400, detail: 'Flag already exists' }),
});
