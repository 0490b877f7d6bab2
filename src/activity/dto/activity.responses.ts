import type { AuditEntry } from '../../audit/audit-entry.js';

/** One change as those who follow hear of it: what, where and by whom. What it changed they read when they need it. */
export const presentActivity = (entry: AuditEntry) => ({
  position: entry.position,
  created_at: entry.createdAt.toISOString(),
  entity_type: entry.entityType,
  entity_key: entry.entityKey,
  action: entry.action,
  actor: { type: entry.actorType, id: entry.actorId, name: entry.actorName },
  environment_key: entry.environmentKey,
  revisions: entry.revisions,
  request_id: entry.requestId,
});

export const ACTIVITY_EXAMPLE = [
  'event: change',
  'id: 42-9f86d081884c',
  `data: ${JSON.stringify({
    position: 42,
    created_at: '2026-11-21T09:30:00.000Z',
    entity_type: 'flag',
    entity_key: 'new-checkout',
    action: 'updated',
    actor: { type: 'user', id: '3d6f3c0e-8a51-4a65-9a8f-0f6f5a7b9c21', name: 'dana@example.com' },
    environment_key: 'production',
    revisions: { production: 12 },
    request_id: null,
  })}`,
  '\n',
].join('\n');
