import { body, client, type Schemas } from './client.js';

export type FlagUsage = Schemas['FlagUsage'];
export type FlagCounts = Schemas['FlagCounts'];
export type UsagePeriod = FlagUsage['period'];

/** How often the service answered with each variant of a flag. */
export const readFlagUsage = (key: string, environment: string, period: UsagePeriod): Promise<FlagUsage> =>
  body(
    client.GET('/flags/{key}/usage', {
      params: { path: { key }, query: { environment_key: environment, period } },
    }),
  );

/** How often the service answered for each of some flags within the last 24 hours. */
export const readUsage = async (keys: readonly string[], environment: string): Promise<FlagCounts[]> =>
  (
    await body(
      client.GET('/usage', {
        params: { query: { environment_key: environment, key: [...keys], period: 'day' } },
      }),
    )
  ).flags;
