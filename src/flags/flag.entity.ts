import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';
import type { ValueType } from '../core/index.js';

@Entity({ name: 'flags' })
@Unique('uq_flags_key', ['key'])
@Check('ck_flags_value_type', `value_type IN ('boolean', 'string', 'number', 'json')`)
export class FlagEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_flags' })
  id!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ name: 'value_type', type: 'text' })
  valueType!: ValueType;

  @Column({ type: 'jsonb' })
  variants!: unknown;

  @Column({ type: 'text', array: true, default: () => "'{}'" })
  tags!: string[];

  @Column({ type: 'text', nullable: true })
  owner!: string | null;

  @Column({ name: 'archived_at', type: 'timestamptz', nullable: true })
  archivedAt!: Date | null;

  @Column({ name: 'client_visible', type: 'boolean', default: false })
  clientVisible!: boolean;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
