import { z } from 'zod';
import { camelKeys } from '../../platform/http/schema.js';

export const streamQuery = z
  .strictObject({
    environment_key: z
      .string()
      .min(1)
      .max(100)
      .meta({ description: 'The key of an environment.', example: 'production' }),
  })
  .transform(camelKeys);

export type StreamQuery = z.output<typeof streamQuery>;
