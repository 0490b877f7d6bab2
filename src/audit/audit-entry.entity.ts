import { Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';
import { countColumn } from '../platform/database/columns.js';
import type { AuditAction, AuditChanges, EntityType, JsonObject } from './audit-entry.js';

@Entity({ name: 'audit_entries' })
@Unique('uq_audit_entries_id', ['id'])
@Index('ix_audit_entries_entity', ['entityType', 'entityKey', 'position'])
@Index('ix_audit_entries_environment', ['environmentKey', 'position'])
@Index('ix_audit_entries_revisions', ['revisions'], { type: 'gin' })
@Index('ix_audit_entries_actor', ['actorId', 'position'])
@Index('ix_audit_entries_request', ['requestId', 'position'])
export class AuditEntryEntity {
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'pk_audit_entries', transformer: countColumn })
  position!: number;

  @Column({ type: 'uuid' })
  id!: string;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  @Column({ name: 'entity_type', type: 'text' })
  entityType!: EntityType;

  @Column({ name: 'entity_id', type: 'text' })
  entityId!: string;

  @Column({ name: 'entity_key', type: 'text' })
  entityKey!: string;

  @Column({ type: 'text' })
  action!: AuditAction;

  @Column({ name: 'actor_type', type: 'text' })
  actorType!: string;

  @Column({ name: 'actor_id', type: 'text', nullable: true })
  actorId!: string | null;

  @Column({ name: 'actor_name', type: 'text' })
  actorName!: string;

  @Column({ name: 'environment_key', type: 'text', nullable: true })
  environmentKey!: string | null;

  @Column({ type: 'bigint', nullable: true, transformer: countColumn })
  revision!: number | null;

  @Column({ type: 'jsonb' })
  revisions!: Record<string, number>;

  @Column({ type: 'jsonb' })
  changes!: AuditChanges;

  @Column({ type: 'jsonb', nullable: true })
  before!: JsonObject | null;

  @Column({ type: 'jsonb', nullable: true })
  after!: JsonObject | null;

  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId!: string | null;

  @Column({ name: 'previous_hash', type: 'text' })
  previousHash!: string;

  @Column({ type: 'text' })
  hash!: string;
}
