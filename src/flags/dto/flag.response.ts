import { z } from 'zod';
import { VALUE_TYPES } from '../../core/index.js';
import { anyJson, timestamp } from '../../platform/http/schema.js';
import { warningResponse } from '../../segments/warning-schema.js';
import { FLAG_TYPES, SETTINGS_PARTS, type FlagOverview, type FlagView, type SettingsPart } from '../flag.js';
import { simpleView } from '../flag-serve.js';
import type { LintedFlag } from '../flags.reader.js';
import { toPercent } from './percent.js';
import { presentServe, serveResponse } from './serve.js';
import {
  presentPrerequisite,
  presentRule,
  presentTarget,
  prerequisiteResponse,
  ruleResponse,
  targetResponse,
} from './targeting.js';

const NOT_READ = '; null: a newer version wrote it, see `unreadable`.';

const overview = z.object({
  id: z.uuid(),
  key: z.string().meta({ example: 'new-checkout' }),
  name: z.string(),
  description: z.string().nullable(),
  value_type: z.enum(VALUE_TYPES),
  variants: z.array(z.object({ key: z.string(), value: anyJson }).meta({ id: 'Variant' })),
  tags: z.array(z.string()),
  owner: z.string().nullable(),
  archived_at: timestamp.nullable(),
  client_visible: z.boolean().meta({ description: 'Whether client keys may know of it.' }),
  environment_id: z.uuid(),
  environment_key: z.string(),
  flag_type: z.enum(FLAG_TYPES),
  is_enabled: z.boolean(),
  rollout_percentage: z
    .number()
    .nullable()
    .meta({ description: 'The share that gets `true`; null for multivariate flags.', example: 25 }),
  off_variant: z.string().nullable(),
  prerequisites: z
    .array(prerequisiteResponse)
    .nullable()
    .meta({
      description: `Other flags that must serve one of some variants; else the off variant is served${NOT_READ}`,
    }),
  default_serve: serveResponse
    .nullable()
    .meta({ description: `What everyone gets whom nothing else matches${NOT_READ}` }),
  unreadable: z.array(z.enum(SETTINGS_PARTS)).meta({
    description: 'What a newer version wrote and this one cannot read. The flag then answers ERROR.',
  }),
  version: z.int().meta({ description: 'Counts the changes in this environment; the ETag.' }),
  created_at: timestamp,
  updated_at: timestamp,
});

const example = {
  id: '5b0f0c44-0f5e-4c43-9d53-6f7c2f1f5a10',
  key: 'new-checkout',
  name: 'New checkout',
  description: null,
  value_type: 'boolean',
  variants: [
    { key: 'on', value: true },
    { key: 'off', value: false },
  ],
  tags: ['checkout'],
  owner: null,
  archived_at: null,
  client_visible: false,
  environment_id: '8c5b6d0a-1f3e-4b77-8a90-2d9f4c6e1b05',
  environment_key: 'production',
  flag_type: 'percentage',
  is_enabled: true,
  rollout_percentage: 25,
  off_variant: 'off',
  prerequisites: [],
  unreadable: [],
  default_serve: {
    rollout: {
      percentage: 25,
      weights: [{ variant: 'on', weight: 100 }],
      bucket_by: 'user_id',
      salt: 'new-checkout',
      hash_version: 'murmur3',
      allocation: [{ variant: 'on', from: 0, to: 10000 }],
    },
  },
  version: 1,
  created_at: '2026-11-21T09:30:00.000Z',
  updated_at: '2026-11-21T09:30:00.000Z',
};

export const flagOverviewResponse = overview
  .extend({
    rule_count: z.int(),
    target_count: z.int().meta({ description: 'How many users are listed, for all variants together.' }),
  })
  .meta({ id: 'FlagOverview', example: { ...example, rule_count: 1, target_count: 2 } });

export const flagResponse = overview
  .extend({
    targets: z
      .array(targetResponse)
      .nullable()
      .meta({ description: `Listed users, by the variant they get${NOT_READ}` }),
    rules: z
      .array(ruleResponse)
      .nullable()
      .meta({ description: `In order; the first that matches serves${NOT_READ}` }),
    warnings: z.array(warningResponse).meta({ description: 'What is allowed, and probably not meant.' }),
  })
  .meta({ id: 'Flag', example: { ...example, targets: [], rules: [], warnings: [] } });

/** What this version cannot read is null: it must not look empty, and is not touched when it is written back. */
export function presentFlag(flag: LintedFlag): z.infer<typeof flagResponse> {
  const isRead = (part: SettingsPart): boolean => !flag.unreadable.includes(part);
  return {
    ...presentCommon(flag),
    targets: isRead('targets') ? flag.targets.map(presentTarget) : null,
    rules: isRead('rules') ? flag.rules.map((rule) => presentRule(rule, flag.variants)) : null,
    warnings: flag.warnings.map(({ code, path, message }) => ({ code, path, message })),
  };
}

export function presentOverview(flag: FlagOverview): z.infer<typeof flagOverviewResponse> {
  return { ...presentCommon(flag), rule_count: flag.ruleCount, target_count: flag.targetCount };
}

function presentCommon(flag: Omit<FlagView, 'targets' | 'rules' | 'ruleRollouts'>): z.infer<typeof overview> {
  const isRead = (part: SettingsPart): boolean => !flag.unreadable.includes(part);
  const { type, coverage } = isRead('default_serve')
    ? simpleView(flag)
    : { type: 'multivariate' as const, coverage: undefined };
  return {
    id: flag.id,
    key: flag.key,
    name: flag.name,
    description: flag.description,
    value_type: flag.valueType,
    variants: flag.variants.map(({ key, value }) => ({ key, value })),
    tags: [...flag.tags],
    owner: flag.owner,
    archived_at: flag.archivedAt?.toISOString() ?? null,
    client_visible: flag.clientVisible,
    environment_id: flag.environmentId,
    environment_key: flag.environmentKey,
    flag_type: type,
    is_enabled: flag.isEnabled,
    rollout_percentage: coverage === undefined ? null : toPercent(coverage),
    off_variant: flag.offVariant,
    prerequisites: isRead('prerequisites') ? flag.prerequisites.map(presentPrerequisite) : null,
    default_serve: isRead('default_serve') ? presentServe(flag.defaultServe, flag.variants) : null,
    unreadable: [...flag.unreadable],
    version: flag.version,
    created_at: flag.createdAt.toISOString(),
    updated_at: flag.updatedAt.toISOString(),
  };
}
