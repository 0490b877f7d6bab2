import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';
import type { Role } from '../platform/access/role.js';
import { UserEntity } from './user.entity.js';

@Entity({ name: 'invites' })
@Unique('uq_invites_token_hash', ['tokenHash'])
@Index('ix_invites_created_by', ['createdById'])
@Check('ck_invites_role', `role IN ('viewer', 'developer', 'admin')`)
export class InviteEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_invites' })
  id!: string;

  @Column({ type: 'text' })
  role!: Role;

  @Column({ type: 'text', nullable: true })
  email!: string | null;

  @Column({ name: 'token_hash', type: 'text', select: false })
  tokenHash!: string;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;

  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;

  @Column({ name: 'created_by_id', type: 'uuid' })
  @ForeignKey(() => UserEntity, { name: 'fk_invites_created_by', onDelete: 'CASCADE' })
  createdById!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;
}
