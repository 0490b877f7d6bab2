import { body, client, type Schemas } from './client.js';

export type ConditionTrial = Schemas['ConditionTrial']['results'][number];

/** For whom conditions would hold, as the service itself sees it: its patterns take no longer than the text is long. */
export const tryConditions = async (
  environment: string,
  conditions: readonly Schemas['ConditionGroup'][],
  contexts: readonly Readonly<Record<string, unknown>>[],
): Promise<ConditionTrial[]> =>
  (
    await body(
      client.POST('/conditions/try', {
        body: { environment_key: environment, conditions: [...conditions], contexts: [...contexts] },
      }),
    )
  ).results;
