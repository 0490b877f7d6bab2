import { z } from 'zod';
import { anyJson, timestamp } from '../../platform/http/schema.js';
import { AUDIT_ACTIONS, ENTITY_TYPES, type AuditEntry } from '../audit-entry.js';
import type { ChainVerdict } from '../audit.service.js';

const state = z.record(z.string(), anyJson).nullable();
const HASH = 'a3f1c2d49be07756e1d80c4f9b6a2375c8e4f0a1b2d3948576affe0123456789';
const PREVIOUS = '9be07756e1d80c4f9b6a2375c8e4f0a1b2d3948576affe0123456789a3f1c2d4';

export const auditEntryResponse = z
  .object({
    id: z.uuid(),
    position: z.int().min(1).meta({ description: '1, 2, 3… over everything, without gaps.' }),
    created_at: timestamp,
    entity_type: z.enum(ENTITY_TYPES),
    entity_id: z.string(),
    entity_key: z.string().meta({
      description:
        'The key of a flag, segment or environment, the e-mail address of a person, the prefix of an API key, the address that an invitation is for or else its id.',
    }),
    action: z.enum(AUDIT_ACTIONS),
    user_id: z
      .string()
      .nullable()
      .meta({ description: 'Which person or API key; null when it was the system.' }),
    actor: z
      .object({
        type: z.string().meta({ description: 'user, api_key, system or anonymous.' }),
        id: z.string().nullable(),
        name: z.string(),
      })
      .meta({ id: 'AuditActor' }),
    environment_key: z
      .string()
      .nullable()
      .meta({ description: 'Where; null when it happened everywhere, or in no environment.' }),
    revision: z.int().nullable().meta({ description: "The environment's revision that this change made." }),
    revisions: z
      .record(z.string(), z.int())
      .meta({ description: 'Every environment that this change moved on.' }),
    changes: z
      .record(z.string(), z.object({ old: anyJson, new: anyJson }).meta({ id: 'AuditChange' }))
      .meta({ description: 'What changed, by field.' }),
    before: state.meta({ description: 'All of it before; null when it was made.' }),
    after: state.meta({ description: 'All of it afterwards; null when it was deleted.' }),
    reason: z.string().nullable().meta({ description: 'Why, as the person who did it put it.' }),
    request_id: z.string().nullable(),
    previous_hash: z.string().meta({ description: 'The hash of the entry before this one.' }),
    hash: z.string().meta({ description: 'SHA-256 over the previous hash and this entry.' }),
  })
  .meta({
    id: 'AuditEntry',
    example: {
      id: '0199f3a2-7c4e-7d10-8a52-5d6f0c1b2a39',
      position: 7,
      created_at: '2026-11-21T09:30:00.000Z',
      entity_type: 'flag',
      entity_id: '5b0f0c44-0f5e-4c43-9d53-6f7c2f1f5a10',
      entity_key: 'new-checkout',
      action: 'updated',
      user_id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21',
      actor: { type: 'user', id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21', name: 'dana@example.com' },
      environment_key: 'production',
      revision: 42,
      revisions: { production: 42 },
      changes: { rollout_percentage: { old: 50, new: 75 } },
      before: { key: 'new-checkout', rollout_percentage: 50 },
      after: { key: 'new-checkout', rollout_percentage: 75 },
      reason: 'Ramp up after a quiet week',
      request_id: '4fb1e0a3-6f7e-4c0e-9f0d-2a4f7f8d9c11',
      previous_hash: PREVIOUS,
      hash: HASH,
    },
  });

export const auditVerdictResponse = z
  .object({
    valid: z.boolean(),
    checked: z.int().min(0).meta({ description: 'Entries found in order.' }),
    head: z
      .object({ position: z.int(), hash: z.string() })
      .meta({ description: 'The newest entry, as it is remembered beside the log.' }),
    first_broken: z
      .object({ position: z.int(), problem: z.string() })
      .nullable()
      .meta({ description: 'The first entry that does not fit; null when all do.' }),
  })
  .meta({
    id: 'AuditVerdict',
    example: { valid: true, checked: 7, head: { position: 7, hash: HASH }, first_broken: null },
  });

export function presentEntry(entry: AuditEntry): z.infer<typeof auditEntryResponse> {
  return {
    id: entry.id,
    position: entry.position,
    created_at: entry.createdAt.toISOString(),
    entity_type: entry.entityType,
    entity_id: entry.entityId,
    entity_key: entry.entityKey,
    action: entry.action,
    user_id: entry.actorType === 'user' ? entry.actorId : null,
    actor: { type: entry.actorType, id: entry.actorId, name: entry.actorName },
    environment_key: entry.environmentKey,
    revision: entry.revision,
    revisions: entry.revisions,
    // The database keeps the keys of an object in an order of its own.
    changes: Object.fromEntries(
      Object.entries(entry.changes).map(([field, change]) => [field, { old: change.old, new: change.new }]),
    ),
    before: entry.before,
    after: entry.after,
    reason: entry.reason,
    request_id: entry.requestId,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  };
}

export function presentVerdict(verdict: ChainVerdict): z.infer<typeof auditVerdictResponse> {
  return {
    valid: verdict.isValid,
    checked: verdict.checked,
    head: verdict.head,
    first_broken: verdict.firstBroken ?? null,
  };
}
