import { body, client, type Schemas } from './client.js';

export type Evaluation = Schemas['Evaluation'];
export type Evaluations = Schemas['Evaluations'];
export type FlagTrace = Schemas['FlagTrace'];
export type Ruleset = Schemas['Ruleset'];

/** What one user gets for some flags in one environment, with every step. */
export const explainFlags = (
  environment: string,
  flagKeys: readonly string[],
  context: Record<string, unknown>,
): Promise<Evaluations> =>
  body(
    client.POST('/evaluate', {
      body: { environment_key: environment, flag_keys: [...flagKeys], context, explain: true } as never,
    }),
  );

/** Everything that is needed to evaluate in an environment. */
export const readRuleset = (environment: string): Promise<Ruleset> =>
  body(client.GET('/ruleset', { params: { query: { environment_key: environment } } }));

/** Whether this instance has answered for any flag yet, by its own figures. */
export async function hasAnswered(): Promise<boolean> {
  const figures = await body(client.GET('/metrics', { parseAs: 'text' }));
  return /^vexil_evaluations_total\{.*\} [1-9]/m.test(figures);
}
