/** What a chart shows: the last hour in minutes, or the last day in hours; the present minute or hour is the last one. */
export const USAGE_PERIODS = ['hour', 'day'] as const;
export type UsagePeriod = (typeof USAGE_PERIODS)[number];

interface Buckets {
  readonly bucket: 'minute' | 'hour';
  readonly bucketSeconds: number;
  readonly bucketCount: number;
}

export const BUCKETS: Readonly<Record<UsagePeriod, Buckets>> = {
  hour: { bucket: 'minute', bucketSeconds: 60, bucketCount: 60 },
  day: { bucket: 'hour', bucketSeconds: 3_600, bucketCount: 24 },
};

/** When each bucket of a period begins, in milliseconds since 1970, oldest first. @param now milliseconds since 1970 */
export function bucketStarts(period: UsagePeriod, now: number): number[] {
  const { bucketSeconds, bucketCount } = BUCKETS[period];
  const sizeMs = bucketSeconds * 1000;
  const last = Math.floor(now / sizeMs) * sizeMs;
  return Array.from({ length: bucketCount }, (_, index) => last - (bucketCount - 1 - index) * sizeMs);
}

/** Answers in the buckets of a period. */
export interface UsageCounts {
  readonly total: number;
  /** One for each bucket, 0 where there were none. */
  readonly counts: readonly number[];
}

/** @param counted buckets by their beginning, in milliseconds since 1970; those of other periods are left out */
export function countsOf(
  starts: readonly number[],
  counted: readonly { readonly at: number; readonly count: number }[],
): UsageCounts {
  const counts = starts.map(() => 0);
  const places = new Map(starts.map((start, index) => [start, index]));
  for (const { at, count } of counted) {
    const place = places.get(at);
    if (place !== undefined) counts[place] = (counts[place] ?? 0) + count;
  }
  return { total: counts.reduce((sum, count) => sum + count, 0), counts };
}

interface Shown {
  readonly environmentKey: string;
  readonly period: UsagePeriod;
  /** When each bucket begins, in milliseconds since 1970. */
  readonly starts: readonly number[];
}

/** How often the service answered with each variant of a flag. */
export interface FlagUsage extends Shown {
  readonly flagKey: string;
  readonly total: number;
  /** The variants of the flag in their order, then those it had, then `null` for the caller's default. */
  readonly series: readonly (UsageCounts & { readonly variant: string | null })[];
}

/** How often the service answered for each of some flags, whatever the variant. */
export interface FlagsUsage extends Shown {
  readonly flags: readonly (UsageCounts & { readonly flagKey: string })[];
}
