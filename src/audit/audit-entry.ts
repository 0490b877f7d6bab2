import type { Actor } from '../platform/access/actor.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const ENTITY_TYPES = ['flag', 'segment', 'environment', 'user', 'invite', 'api_key'] as const;
export type EntityType = (typeof ENTITY_TYPES)[number];

export const AUDIT_ACTIONS = [
  'created',
  'updated',
  'deleted',
  're_randomised',
  'revoked',
  'exposed',
  'accepted',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** What changed, field by field: `{rollout_percentage: {old: 50, new: 75}}`. */
export type AuditChanges = Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;

/** One change, as a feature reports it. `before` and `after` are what people would recognise; never a secret. */
export interface Change {
  readonly entityType: EntityType;
  readonly entityId: string;
  readonly entityKey: string;
  readonly actor: Actor;
  /** Follows from `before` and `after` when absent. */
  readonly action?: AuditAction;
  /** Absent when the thing is new. */
  readonly before?: JsonObject;
  /** Absent when the thing is gone. */
  readonly after?: JsonObject;
  /** Where it happened, for things that live in an environment. */
  readonly environmentKey?: string;
  /** Each environment that this change moved on, with its new revision. */
  readonly revisions?: Readonly<Record<string, number>>;
  /** Why, in the actor's words. */
  readonly reason?: string | undefined;
}

/** An entry as it was written. */
export interface AuditEntry {
  /** 1, 2, 3… without gaps. */
  readonly position: number;
  readonly id: string;
  readonly createdAt: Date;
  readonly entityType: EntityType;
  readonly entityId: string;
  readonly entityKey: string;
  readonly action: AuditAction;
  readonly actorType: string;
  readonly actorId: string | null;
  readonly actorName: string;
  readonly environmentKey: string | null;
  readonly revision: number | null;
  readonly revisions: Readonly<Record<string, number>>;
  readonly changes: AuditChanges;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
  readonly reason: string | null;
  readonly requestId: string | null;
  /** The hash of the entry before; empty for the first. */
  readonly previousHash: string;
  readonly hash: string;
}
