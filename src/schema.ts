import { MIGRATIONS } from '../migrations/index.js';
import { ApiKeyEntity } from './api-keys/api-key.entity.js';
import { AuditEntryEntity } from './audit/audit-entry.entity.js';
import { InviteEntity } from './auth/invite.entity.js';
import { UserEntity } from './auth/user.entity.js';
import { EnvironmentEntity } from './environments/environment.entity.js';
import { FlagEntity } from './flags/flag.entity.js';
import { FlagSettingsEntity } from './flags/flag-settings.entity.js';
import type { Schema } from './platform/database/database-source.js';
import { SegmentEntity } from './segments/segment.entity.js';
import { UsageCountEntity } from './usage/usage-count.entity.js';

/** The tables of all features, and the steps that make them. */
export const SCHEMA: Schema = {
  entities: [
    AuditEntryEntity,
    UserEntity,
    InviteEntity,
    EnvironmentEntity,
    ApiKeyEntity,
    SegmentEntity,
    FlagEntity,
    FlagSettingsEntity,
    UsageCountEntity,
  ],
  migrations: MIGRATIONS,
};
