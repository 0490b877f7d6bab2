import { Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';

@Entity({ name: 'flag_settings' })
@Index('ix_flag_settings_changed', ['environmentId', 'changedIn'])
export class FlagSettingsEntity {
  @PrimaryColumn({ name: 'flag_id', type: 'uuid', primaryKeyConstraintName: 'pk_flag_settings' })
  @ForeignKey('FlagEntity', { name: 'fk_flag_settings_flag', onDelete: 'CASCADE' })
  flagId!: string;

  @PrimaryColumn({ name: 'environment_id', type: 'uuid', primaryKeyConstraintName: 'pk_flag_settings' })
  @ForeignKey('EnvironmentEntity', { name: 'fk_flag_settings_environment' })
  environmentId!: string;

  @Column({ name: 'is_enabled', type: 'boolean', default: false })
  isEnabled!: boolean;

  @Column({ name: 'off_variant', type: 'text', nullable: true })
  offVariant!: string | null;

  /** This and what follows in the spelling of the ruleset document. */
  @Column({ type: 'jsonb', default: [] })
  prerequisites!: unknown;

  @Column({ type: 'jsonb', default: [] })
  targets!: unknown;

  @Column({ type: 'jsonb', default: [] })
  rules!: unknown;

  /** A serve in the same spelling for each rule, by its id. */
  @Column({ name: 'rule_rollouts', type: 'jsonb', default: {} })
  ruleRollouts!: unknown;

  @Column({ name: 'default_serve', type: 'jsonb' })
  defaultServe!: unknown;

  /** A serve in the same spelling. */
  @Column({ name: 'last_rollout', type: 'jsonb', nullable: true })
  lastRollout!: unknown;

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
