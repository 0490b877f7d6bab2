import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import type { Session } from '../sessions.service.js';
import { roleSchema } from '../role-schema.js';
import type { User } from '../user.js';

const DANA = {
  id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21',
  email: 'dana@example.com',
  name: 'Dana',
  role: 'viewer',
  is_active: true,
  created_at: '2026-11-21T09:30:00.000Z',
};

export const userResponse = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string(),
    role: roleSchema,
    is_active: z.boolean().meta({ description: 'A disabled account is refused everywhere.' }),
    created_at: timestamp,
  })
  .meta({ id: 'User', example: DANA });

export const sessionResponse = z
  .object({
    access_token: z.string().meta({ description: 'Send it as `Authorization: Bearer …`.' }),
    token_type: z.literal('bearer'),
    expires_in: z.int().meta({ description: 'Seconds.' }),
    user: userResponse,
  })
  .meta({
    id: 'Session',
    example: {
      access_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIzZDZmM2MwZSJ9.c2lnbmF0dXJl',
      token_type: 'bearer',
      expires_in: 3600,
      user: DANA,
    },
  });

export const setupStateResponse = z
  .object({
    needed: z.boolean().meta({ description: 'True until there is a first admin.' }),
    registration_open: z.boolean().meta({ description: 'Whether anybody may register.' }),
  })
  .meta({ id: 'SetupState', example: { needed: false, registration_open: true } });

export function presentUser(user: User): z.infer<typeof userResponse> {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    role: user.role,
    is_active: user.isActive,
    created_at: user.createdAt.toISOString(),
  };
}

export function presentSession(session: Session): z.infer<typeof sessionResponse> {
  return {
    access_token: session.accessToken,
    token_type: 'bearer',
    expires_in: session.expiresInSeconds,
    user: presentUser(session.user),
  };
}
