import { Column, Entity, ForeignKey, PrimaryColumn, Unique } from 'typeorm';

@Entity({ name: 'segments' })
@Unique('uq_segments_environment_key', ['environmentId', 'key'])
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

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt!: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt!: Date;
}
