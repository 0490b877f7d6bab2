import { Column, Entity, ForeignKey, Index, PrimaryColumn, Unique } from 'typeorm';

@Entity({ name: 'segments' })
@Unique('uq_segments_environment_key', ['environmentId', 'key'])
@Index('ix_segments_changed', ['environmentId', 'changedIn'])
export class SegmentEntity {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'pk_segments' })
  id!: string;

  @Column({ name: 'environment_id', type: 'uuid' })
  @ForeignKey('EnvironmentEntity', { name: 'fk_segments_environment' })
  environmentId!: string;

  @Column({ type: 'text' })
  key!: string;

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  description!: string | null;

  @Column({ type: 'jsonb', default: () => "'[]'" })
  included!: unknown;

  @Column({ type: 'jsonb', default: () => "'[]'" })
  excluded!: unknown;

  /** What can be said of the lists without reading them, which takes long when they are. */
  @Column({ name: 'included_count', type: 'integer', default: 0 })
  includedCount!: number;

  @Column({ name: 'excluded_count', type: 'integer', default: 0 })
  excludedCount!: number;

  @Column({ name: 'lists_anyone', type: 'boolean', default: false })
  listsAnyone!: boolean;

  /** In the spelling of the ruleset document. */
  @Column({ type: 'jsonb', nullable: true })
  conditions!: object | null;

  @Column({ type: 'integer', default: 1 })
  version!: number;

  /** See the migration that marks changed rows. Written by the database. */
  @Column({ name: 'changed_in', type: 'bigint', default: 0, insert: false, update: false, select: false })
  changedIn!: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
