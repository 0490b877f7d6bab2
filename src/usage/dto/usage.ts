import { z } from 'zod';
import { camelKeys, several, storedText, timestamp } from '../../platform/http/schema.js';
import { BUCKETS, USAGE_PERIODS, type FlagsUsage, type FlagUsage } from '../usage.js';

const fields = {
  environment_key: storedText(1, 100).meta({
    description: 'The key of an environment.',
    example: 'production',
  }),
  period: z.enum(USAGE_PERIODS).default('day').meta({ description: '`hour`: 60 minutes. `day`: 24 hours.' }),
};

export const flagUsageQuery = z.strictObject(fields).transform(camelKeys);
export const flagsUsageQuery = z
  .strictObject({ key: several(200, 100).meta({ description: 'The keys of flags.' }), ...fields })
  .transform(camelKeys);

export type FlagUsageQuery = z.output<typeof flagUsageQuery>;
export type FlagsUsageQuery = z.output<typeof flagsUsageQuery>;

const shown = {
  environment_key: z.string(),
  period: z.enum(USAGE_PERIODS),
  bucket_seconds: z.int().meta({ description: 'How long each bucket is.' }),
  starts_at: z.array(timestamp).meta({ description: 'When each bucket begins, oldest first.' }),
};
const counts = {
  total: z.int().meta({ description: 'Evaluations in all buckets.' }),
  counts: z.array(z.int()).meta({ description: 'Evaluations in each bucket.' }),
};

const SHOWN = {
  environment_key: 'production',
  period: 'day' as const,
  bucket_seconds: 3600,
  starts_at: bucketExample(),
};
const counted = (count: number) => ({ total: count * 24, counts: Array.from({ length: 24 }, () => count) });

export const flagUsageResponse = z
  .object({
    flag_key: z.string(),
    ...shown,
    total: z.int().meta({ description: 'Evaluations of all variants.' }),
    series: z.array(
      z
        .object({
          variant: z.string().nullable().meta({ description: "null: no variant, so the caller's default." }),
          ...counts,
        })
        .meta({ id: 'VariantUsage' }),
    ),
  })
  .meta({
    id: 'FlagUsage',
    example: {
      flag_key: 'new-checkout',
      ...SHOWN,
      total: 2400,
      series: [
        { variant: 'on', ...counted(25) },
        { variant: 'off', ...counted(75) },
      ],
    },
  });

export const flagsUsageResponse = z
  .object({
    ...shown,
    flags: z.array(z.object({ flag_key: z.string(), ...counts }).meta({ id: 'FlagCounts' })),
  })
  .meta({ id: 'FlagsUsage', example: { ...SHOWN, flags: [{ flag_key: 'new-checkout', ...counted(100) }] } });

const presentShown = ({ environmentKey, period, starts }: FlagUsage | FlagsUsage) => ({
  environment_key: environmentKey,
  period,
  bucket_seconds: BUCKETS[period].bucketSeconds,
  starts_at: starts.map((start) => new Date(start).toISOString()),
});

export const presentFlagUsage = (usage: FlagUsage): z.infer<typeof flagUsageResponse> => ({
  flag_key: usage.flagKey,
  ...presentShown(usage),
  total: usage.total,
  series: usage.series.map(({ variant, total, counts }) => ({ variant, total, counts: [...counts] })),
});

export const presentFlagsUsage = (usage: FlagsUsage): z.infer<typeof flagsUsageResponse> => ({
  ...presentShown(usage),
  flags: usage.flags.map(({ flagKey, total, counts }) => ({ flag_key: flagKey, total, counts: [...counts] })),
});

function bucketExample(): string[] {
  const last = Date.UTC(2026, 10, 21, 9);
  return Array.from({ length: 24 }, (_, index) => new Date(last - (23 - index) * 3_600_000).toISOString());
}
