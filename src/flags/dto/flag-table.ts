import { z } from 'zod';
import { VALUE_TYPES } from '../../core/index.js';
import {
  anyJson,
  camelKeys,
  queryInteger,
  several,
  storedText,
  timestamp,
} from '../../platform/http/schema.js';
import { FLAG_TYPES } from '../flag.js';
import type { ReportedFlagTableRow } from '../flag-table.reader.js';
import { presentOverview } from './flag.response.js';

export const flagTableQuery = z
  .strictObject({
    q: storedText(1, 200).optional().meta({ description: 'Text in key, name or description, in any case.' }),
    tag: several(20, 50).optional().meta({ description: 'Only flags with all of these tags.' }),
    owner: storedText(1, 254).optional().meta({ description: 'Only flags of this owner, in any case.' }),
    value_type: z.enum(VALUE_TYPES).optional().meta({ description: 'Only flags of this type.' }),
    key: several(200, 100).optional().meta({ description: 'Only these flags.' }),
    on: several(20, 100)
      .optional()
      .meta({ description: 'Only flags that are on in all of these environments.' }),
    off: several(20, 100)
      .optional()
      .meta({ description: 'Only flags that are off in all of these environments.' }),
    stale: z.enum(['true', 'false']).optional().meta({
      description:
        'Only flags that nobody has changed for 30 days and that give everybody the same in each environment; or only others.',
    }),
    archived: z
      .enum(['true', 'false', 'any'])
      .default('false')
      .meta({ description: 'Archived flags are left out unless asked for.' }),
    sort: z
      .enum(['key', 'changed'])
      .default('key')
      .meta({ description: 'By key, or what was changed last first.' }),
    skip: queryInteger(0, 1_000_000_000, 0).meta({
      description: 'How many to leave out from the beginning.',
    }),
    limit: queryInteger(1, 200, 50).meta({ description: 'How many in one answer.' }),
  })
  .transform(({ archived, stale, tag, key, on, off, ...rest }) => ({
    ...camelKeys(rest),
    tags: tag ?? [],
    keys: key,
    on: on ?? [],
    off: off ?? [],
    isStale: stale === undefined ? undefined : stale === 'true',
    isArchived: archived === 'any' ? undefined : archived === 'true',
  }));

export type FlagTableQuery = z.output<typeof flagTableQuery>;

const cell = z
  .object({
    environment_key: z.string(),
    is_enabled: z.boolean(),
    flag_type: z.enum(FLAG_TYPES),
    rollout_percentage: z.number().nullable(),
    served: z
      .array(z.object({ variant: z.string(), percentage: z.number() }))
      .meta({ description: 'What everyone gets whom nothing else matches, with its shares of all users.' }),
    rule_count: z.int(),
    target_count: z.int(),
    prerequisite_count: z.int(),
    version: z.int(),
    updated_at: timestamp,
    unreadable: z.boolean().meta({ description: 'A newer version wrote something this one cannot read.' }),
  })
  .meta({ id: 'FlagTableCell' });

export const flagTableRowResponse = z
  .object({
    id: z.uuid(),
    key: z.string().meta({ example: 'new-checkout' }),
    name: z.string(),
    description: z.string().nullable(),
    value_type: z.enum(VALUE_TYPES),
    variants: z.array(z.object({ key: z.string(), value: anyJson }).meta({ id: 'Variant' })),
    tags: z.array(z.string()),
    owner: z.string().nullable(),
    client_visible: z.boolean(),
    archived_at: timestamp.nullable(),
    stale: z.boolean().meta({
      description: 'Nobody has changed it for 30 days, and in each environment everybody gets the same.',
    }),
    last_change: z
      .object({ at: timestamp, by: z.string(), action: z.string(), environment_key: z.string().nullable() })
      .nullable(),
    environments: z.array(cell),
  })
  .meta({
    id: 'FlagTableRow',
    example: {
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
      client_visible: false,
      archived_at: null,
      stale: false,
      last_change: {
        at: '2026-11-21T09:30:00.000Z',
        by: 'dana@example.com',
        action: 'updated',
        environment_key: 'production',
      },
      environments: [
        {
          environment_key: 'production',
          is_enabled: true,
          flag_type: 'percentage',
          rollout_percentage: 25,
          served: [
            { variant: 'on', percentage: 25 },
            { variant: 'off', percentage: 75 },
          ],
          rule_count: 0,
          target_count: 0,
          prerequisite_count: 0,
          version: 3,
          updated_at: '2026-11-21T09:30:00.000Z',
          unreadable: false,
        },
      ],
    },
  });

export function presentFlagTableRow(row: ReportedFlagTableRow): z.infer<typeof flagTableRowResponse>[] {
  const [first] = row.environments;
  if (!first) return [];
  const shared = presentOverview(first);
  const { lastChange } = row;
  return [
    {
      id: shared.id,
      key: shared.key,
      name: shared.name,
      description: shared.description,
      value_type: shared.value_type,
      variants: shared.variants,
      tags: shared.tags,
      owner: shared.owner,
      client_visible: shared.client_visible,
      archived_at: shared.archived_at,
      stale: row.isStale,
      last_change: lastChange
        ? {
            at: lastChange.at.toISOString(),
            by: lastChange.by,
            action: lastChange.action,
            environment_key: lastChange.environmentKey,
          }
        : null,
      environments: row.environments.map(presentCell),
    },
  ];
}

function presentCell(flag: ReportedFlagTableRow['environments'][number]): z.infer<typeof cell> {
  const shown = presentOverview(flag);
  return {
    environment_key: shown.environment_key,
    is_enabled: shown.is_enabled,
    flag_type: shown.flag_type,
    rollout_percentage: shown.rollout_percentage,
    served: servedBy(shown),
    rule_count: shown.rule_count,
    target_count: shown.target_count,
    prerequisite_count: flag.prerequisites.length,
    version: shown.version,
    updated_at: shown.updated_at,
    unreadable: shown.unreadable.length > 0,
  };
}

function servedBy({ default_serve: serve, off_variant: off }: ReturnType<typeof presentOverview>) {
  if (serve === null) return [];
  if ('variant' in serve) return [{ variant: serve.variant, percentage: 100 }];
  const { percentage, weights } = serve.rollout;
  const inside = weights
    .filter(({ weight }) => weight > 0 && percentage > 0)
    .map(({ variant, weight }) => ({ variant, percentage: Math.round(percentage * weight) / 100 }));
  if (percentage >= 100 || off === null) return inside;
  const rest = Math.round((100 - percentage) * 100) / 100;
  const known = inside.find(({ variant }) => variant === off);
  if (!known) return [...inside, { variant: off, percentage: rest }];
  known.percentage = Math.round((known.percentage + rest) * 100) / 100;
  return inside;
}
