import { TARGETING_KEY } from '../core/index.js';
import type { Question } from '../evaluation/evaluation.service.js';
import type { KeyScope } from '../platform/access/key-scope.js';
import type { Config } from '../platform/config/settings.js';

/** The environment that a caller speaks of who has no word for it: that of their key, or the one of the installation. */
export const environmentOf = (
  scope: KeyScope | undefined,
  { compatEnvironment }: Pick<Config, 'compatEnvironment'>,
): string => scope?.environmentKey ?? compatEnvironment;

/** What a user gets, asked by whoever brings that key or none. */
export const questionOf = (
  environmentKey: string,
  user: string | undefined,
  scope: KeyScope | undefined,
): Question => ({
  environmentKey,
  context: user === undefined ? {} : { [TARGETING_KEY]: user },
  explain: false,
  scope,
});
