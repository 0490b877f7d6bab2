import { Check, Column, Entity, ForeignKey, Index, PrimaryColumn } from 'typeorm';
import { countColumn } from '../platform/database/columns.js';

const KEY = { primaryKeyConstraintName: 'pk_usage_counts' };

/** How often the service answered with a variant of a flag within a minute, or within an hour. */
@Entity({ name: 'usage_counts' })
@Check('ck_usage_counts_bucket', `bucket IN ('minute', 'hour')`)
@Index('ix_usage_counts_age', ['bucket', 'startsAt'])
@ForeignKey('FlagSettingsEntity', ['flagId', 'environmentId'], ['flagId', 'environmentId'], {
  name: 'fk_usage_counts_settings',
  onDelete: 'CASCADE',
})
export class UsageCountEntity {
  @PrimaryColumn({ name: 'flag_id', type: 'uuid', ...KEY })
  flagId!: string;

  @PrimaryColumn({ name: 'environment_id', type: 'uuid', ...KEY })
  environmentId!: string;

  @PrimaryColumn({ type: 'text', ...KEY })
  bucket!: 'minute' | 'hour';

  @PrimaryColumn({ name: 'starts_at', type: 'timestamptz', ...KEY })
  startsAt!: Date;

  /** Empty where no variant was served: the caller's default. */
  @PrimaryColumn({ type: 'text', ...KEY })
  variant!: string;

  @Column({ type: 'bigint', transformer: countColumn })
  count!: number;
}
