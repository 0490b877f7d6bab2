import { z } from 'zod';
import { roleSchema } from '../../auth/role-schema.js';
import { KEY_KINDS } from '../../platform/access/key-scope.js';
import { camelKeys, changeReason, queryInteger, storedText, title } from '../../platform/http/schema.js';

const MAX_PER_MINUTE = 10_000_000;
const MAX_ORIGINS = 100;

export const keyKind = z.enum(KEY_KINDS).meta({
  id: 'ApiKeyKind',
  description:
    '`server`: evaluates all of one environment. `client`: may be public; values and variants of visible flags of one environment. `admin`: acts with a role.',
  example: 'server',
});

const origin = z
  .string()
  .max(300)
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text && !text.includes('*'),
    'must be an origin such as https://app.example.com (scheme, host, port, nothing more)',
  );

const fields = {
  rate_limit_per_minute: z.int().min(0).max(MAX_PER_MINUTE).optional().meta({
    description: 'Requests per minute, over all instances; 0: no limit. 1000 unless said otherwise.',
  }),
  origins: z
    .array(origin)
    .max(MAX_ORIGINS)
    .optional()
    .meta({
      description: 'Of client keys: web origins whose pages may use it. None: all may.',
      example: ['https://app.example.com'],
    }),
  expires_at: z.iso
    .datetime({ offset: true, error: 'must be a moment such as 2026-11-21T09:30:00Z' })
    .transform((text) => new Date(text))
    .nullable()
    .optional()
    .meta({
      override: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      description: 'From this moment on the key is refused; null: never.',
    }),
  reason: changeReason,
};

export const createApiKeyRequest = z
  .strictObject({
    name: title(100).meta({ example: 'Checkout service' }),
    kind: keyKind,
    environment_key: storedText(1, 100)
      .optional()
      .meta({ description: 'Of server and client keys.', example: 'production' }),
    role: roleSchema.optional(),
    ...fields,
  })
  .superRefine(({ kind, environment_key: environment, role, origins }, issues) => {
    const wrong = (path: string, message: string) =>
      issues.addIssue({ code: 'custom', path: [path], message });
    if (kind === 'admin' && environment !== undefined) wrong('environment_key', 'is not for admin keys');
    if (kind === 'admin' && role === undefined) wrong('role', 'is needed for an admin key');
    if (kind !== 'admin' && environment === undefined)
      wrong('environment_key', `is needed for a ${kind} key`);
    if (kind !== 'admin' && role !== undefined) wrong('role', 'is for admin keys');
    if (kind !== 'client' && origins && origins.length > 0) wrong('origins', 'are for client keys');
  })
  .transform(camelKeys)
  .meta({
    id: 'CreateApiKeyRequest',
    example: { name: 'Checkout service', kind: 'server', environment_key: 'production' },
  });

export const updateApiKeyRequest = z
  .strictObject({ name: title(100).optional(), ...fields })
  .transform(camelKeys)
  .meta({
    id: 'UpdateApiKeyRequest',
    example: { rate_limit_per_minute: 5000, reason: 'The shop grows' },
  });

export const listApiKeysQuery = z.strictObject({
  skip: queryInteger(0, 1_000_000_000, 0).meta({
    description: 'How many to leave out from the beginning.',
  }),
  limit: queryInteger(1, 1000, 100).meta({ description: 'How many in one answer.' }),
});

export const revokeApiKeyQuery = z.strictObject({ reason: changeReason });

export type CreateApiKeyRequest = z.output<typeof createApiKeyRequest>;
export type UpdateApiKeyRequest = z.output<typeof updateApiKeyRequest>;
export type ListApiKeysQuery = z.output<typeof listApiKeysQuery>;
export type RevokeApiKeyQuery = z.output<typeof revokeApiKeyQuery>;
