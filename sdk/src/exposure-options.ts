import type { InvalidField } from './errors.js';

/** What a timer can count, in milliseconds; as good a bound for the rest. */
const MOST = 2 ** 31 - 1;
const NUMBERS = ['capacity', 'batchSize', 'flushIntervalMs', 'sendTimeoutMs'] as const;

/** What is wrong with `exposures` of a client, each by its path; nothing where there are none. */
export function exposureFlaws(exposures: unknown): InvalidField[] {
  if (exposures === undefined) return [];
  if (typeof exposures !== 'object' || exposures === null)
    return [{ path: 'exposures', message: 'must be an object with a sink' }];
  const given = exposures as Readonly<Record<string, unknown>>;
  const problems: InvalidField[] = [];
  if (typeof (given['sink'] as { send?: unknown } | null | undefined)?.send !== 'function')
    problems.push({ path: 'exposures.sink', message: 'must have a function send' });
  for (const name of NUMBERS) {
    const value = given[name] ?? 1;
    const isRight = Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST;
    if (!isRight)
      problems.push({ path: `exposures.${name}`, message: `must be a whole number from 1 to ${MOST}` });
  }
  return problems;
}
