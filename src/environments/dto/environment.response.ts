import { z } from 'zod';
import { timestamp } from '../../platform/http/schema.js';
import type { Environment } from '../environment.js';

export const environmentResponse = z
  .object({
    id: z.uuid(),
    key: z.string().meta({ example: 'staging' }),
    name: z.string(),
    description: z.string().nullable(),
    protected: z.boolean().meta({ description: 'Only admins change things in it.' }),
    confirm_changes: z.boolean().meta({
      description:
        'While it is protected, people name what they change in `confirm`. Programs are not asked.',
    }),
    require_reason: z.boolean().meta({
      description: 'People say why they change anything in it, in `reason`. Programs are not asked.',
    }),
    position: z.int().meta({ description: 'Where it stands in lists, lowest first.' }),
    revision: z.int().meta({ description: 'Counts every change of anything in it.' }),
    version: z.int().meta({ description: 'Counts the changes of these fields; the ETag.' }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({
    id: 'Environment',
    example: {
      id: '8c5b6d0a-1f3e-4b77-8a90-2d9f4c6e1b05',
      key: 'staging',
      name: 'Staging',
      description: null,
      protected: false,
      confirm_changes: false,
      require_reason: false,
      position: 2,
      revision: 12,
      version: 1,
      created_at: '2026-11-21T09:30:00.000Z',
      updated_at: '2026-11-21T09:30:00.000Z',
    },
  });

export function presentEnvironment(environment: Environment): z.infer<typeof environmentResponse> {
  return {
    id: environment.id,
    key: environment.key,
    name: environment.name,
    description: environment.description,
    protected: environment.isProtected,
    confirm_changes: environment.confirmsChanges,
    require_reason: environment.requiresReason,
    position: environment.position,
    revision: environment.revision,
    version: environment.version,
    created_at: environment.createdAt.toISOString(),
    updated_at: environment.updatedAt.toISOString(),
  };
}
