import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import { countColumn } from '../platform/database/columns.js';

@Entity({ name: 'environments' })
@Unique('uq_environments_key', ['key'])
export class EnvironmentEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_environments' })
  id!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ name: 'protected', type: 'boolean', default: false })
  isProtected!: boolean;

  @Column({ name: 'confirm_changes', type: 'boolean', default: false })
  confirmsChanges!: boolean;

  @Column({ name: 'require_reason', type: 'boolean', default: false })
  requiresReason!: boolean;

  @Column({ type: 'integer' })
  position!: number;

  @Column({ type: 'bigint', default: 0, transformer: countColumn })
  revision!: number;

  @Column({ type: 'uuid' })
  stamp!: string;

  @Column({ type: 'integer', default: 1 })
  version!: number;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
