import { z } from 'zod';
import { conditionGroupRequest } from '../../segments/condition-schema.js';
import type { ConditionVerdict } from '../condition-trial.service.js';
import { contextOf, contextSchema, environmentKey } from './evaluation.requests.js';

const MAX_GROUPS = 100;
const MAX_CONTEXTS = 50;
/** Conditions may hold thousands of values, and each be wrong. */
const PROBLEMS_SHOWN = 20;

export const conditionTrialRequest = z
  .strictObject({
    environment_key: environmentKey,
    conditions: z
      .array(conditionGroupRequest)
      .min(1)
      .max(MAX_GROUPS)
      .meta({ description: 'Each tried by itself. Segments are those of the environment.' }),
    contexts: z.array(contextSchema).max(MAX_CONTEXTS).meta({ description: 'On whom to try them.' }),
  })
  .transform(({ environment_key: environment, conditions, contexts }) => ({
    environmentKey: environment,
    conditions,
    contexts: contexts.map((context) => contextOf(context, undefined)),
  }))
  .meta({
    id: 'ConditionTrialRequest',
    example: {
      environment_key: 'development',
      conditions: [{ all: [{ attribute: 'email', operator: 'matches', values: ['@example\\.com$'] }] }],
      contexts: [{ user_id: 'alice', email: 'alice@example.com' }, { user_id: 'bob' }],
    },
  });

export const conditionTrialResponse = z
  .object({
    results: z
      .array(
        z.object({
          matches: z
            .array(z.boolean())
            .nullable()
            .meta({ description: 'For each context; null when the conditions cannot be asked.' }),
          problems: z
            .array(z.object({ path: z.string(), message: z.string() }).meta({ id: 'ConditionProblem' }))
            .meta({ description: `Why they cannot be saved as they are; the first ${PROBLEMS_SHOWN}.` }),
        }),
      )
      .meta({ description: 'One for each group of conditions, in their order.' }),
  })
  .meta({ id: 'ConditionTrial', example: { results: [{ matches: [true, false], problems: [] }] } });

export function presentVerdicts(
  verdicts: readonly ConditionVerdict[],
): z.infer<typeof conditionTrialResponse> {
  return {
    results: verdicts.map((verdict) =>
      'matches' in verdict
        ? { matches: [...verdict.matches], problems: [] }
        : {
            matches: null,
            problems: verdict.problems
              .slice(0, PROBLEMS_SHOWN)
              .map(({ path, message }) => ({ path, message })),
          },
    ),
  };
}

export type ConditionTrialRequest = z.output<typeof conditionTrialRequest>;
