import { z } from 'zod';
import { roleSchema } from '../../auth/role-schema.js';
import { timestamp } from '../../platform/http/schema.js';
import type { ApiKey } from '../api-key.js';
import { keyKind } from './api-key.requests.js';

const shape = z.object({
  id: z.uuid(),
  name: z.string(),
  kind: keyKind,
  prefix: z.string().meta({
    description: 'How the secret begins; `API_KEY` for the one whose secret that setting says.',
    example: 'vx_server_4kHq0TzB',
  }),
  environment_key: z.string().nullable().meta({ description: 'Of server and client keys.' }),
  role: roleSchema.nullable().meta({ description: 'Of admin keys.' }),
  rate_limit_per_minute: z.int().meta({ description: 'Requests per minute; 0: no limit.' }),
  origins: z.array(z.string()).meta({ description: 'Web origins that may use a client key; none: all.' }),
  expires_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().meta({ description: 'Half a minute late, and as each instance knows.' }),
  created_by: z.string().meta({ description: 'Who made it.', example: 'dana@example.com' }),
  created_at: timestamp,
  updated_at: timestamp,
  revoked_at: timestamp.nullable().meta({ description: 'Since when it is refused for good.' }),
});

const EXAMPLE = {
  id: 'b1f6b7f0-5d5e-4f5b-8f0a-6d8f7f1f2a31',
  name: 'Checkout service',
  kind: 'server',
  prefix: 'vx_server_4kHq0TzB',
  environment_key: 'production',
  role: null,
  rate_limit_per_minute: 1000,
  origins: [],
  expires_at: null,
  last_used_at: null,
  created_by: 'dana@example.com',
  created_at: '2026-11-21T09:30:00.000Z',
  updated_at: '2026-11-21T09:30:00.000Z',
  revoked_at: null,
} as const;

export const apiKeyResponse = shape.meta({ id: 'ApiKey', example: EXAMPLE });

export const newApiKeyResponse = shape
  .extend({
    secret: z.string().meta({
      description: 'What to send as `X-API-Key`. Shown this once: nobody can read it again.',
    }),
  })
  .meta({
    id: 'NewApiKey',
    example: { ...EXAMPLE, secret: 'vx_server_4kHq0TzB_0000000000000000000000000000000000000000000' },
  });

export function presentApiKey(key: ApiKey): z.infer<typeof apiKeyResponse> {
  return {
    id: key.id,
    name: key.name,
    kind: key.kind,
    prefix: key.prefix,
    environment_key: key.environmentKey,
    role: key.role,
    rate_limit_per_minute: key.rateLimitPerMinute,
    origins: [...key.origins],
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    created_by: key.createdBy,
    created_at: key.createdAt.toISOString(),
    updated_at: key.updatedAt.toISOString(),
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}

export const presentNewApiKey = ({
  key,
  secret,
}: {
  key: ApiKey;
  secret: string;
}): z.infer<typeof newApiKeyResponse> => ({ ...presentApiKey(key), secret });
