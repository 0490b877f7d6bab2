import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { KeyKind } from '../platform/access/key-scope.js';
import type { Role } from '../platform/access/role.js';

@Entity({ name: 'api_keys' })
@Unique('uq_api_keys_secret_hash', ['secretHash'])
@Index('ix_api_keys_environment', ['environmentId'])
@Check('ck_api_keys_kind', `kind IN ('server', 'client', 'admin')`)
@Check(
  'ck_api_keys_scope',
  `(kind = 'admin') = (role IS NOT NULL) AND (kind = 'admin') = (environment_id IS NULL)`,
)
export class ApiKeyEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_api_keys' })
  id!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text' })
  kind!: KeyKind;

  @Column({ type: 'text' })
  prefix!: string;

  @Column({ name: 'secret_hash', type: 'text', select: false })
  secretHash!: string;

  @Column({ name: 'environment_id', type: 'uuid', nullable: true })
  @ForeignKey('EnvironmentEntity', { name: 'fk_api_keys_environment', onDelete: 'CASCADE' })
  environmentId!: string | null;

  @Column({ type: 'text', nullable: true })
  role!: Role | null;

  @Column({ name: 'rate_limit_per_minute', type: 'integer', default: 1000 })
  rateLimitPerMinute!: number;

  @Column({ type: 'text', array: true, default: () => "'{}'" })
  origins!: string[];

  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt!: Date | null;

  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt!: Date | null;

  @Column({ name: 'browser_use_reported_at', type: 'timestamptz', nullable: true, select: false })
  browserUseReportedAt!: Date | null;

  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;

  @Column({ name: 'created_by_id', type: 'text', nullable: true })
  createdById!: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt!: Date | null;
}
