import { signal } from '@preact/signals';
import { tryConditions, type ConditionTrial } from '../api/conditions.js';
import type { ConditionGroup } from './conditions.js';
import { isSample, MOST_SAMPLES, type Sample } from './sample-text.js';
import { browserStorage } from './storage.js';

const KEY = 'samples';

/** Kept in this browser; they are sent to the service to be asked about, and stored nowhere else. */
export const samples = signal<readonly Sample[]>(kept());

function kept(): readonly Sample[] {
  const read = browserStorage.read(KEY);
  return Array.isArray(read) ? read.filter(isSample).slice(0, MOST_SAMPLES) : [];
}

export function keepSamples(next: readonly Sample[]): void {
  samples.value = next;
  browserStorage.write(KEY, next.length === 0 ? undefined : next);
}

interface Waiting {
  readonly conditions: ConditionGroup;
  readonly resolve: (trial: ConditionTrial) => void;
  readonly reject: (error: unknown) => void;
}

const TOGETHER_MS = 150;
const MOST_TOGETHER = 100;
const waiting = new Map<string, Waiting[]>();

/** For which of the samples conditions hold. The rules of a flag are asked about together. @throws ApiProblem */
export function trySamples(environment: string, conditions: ConditionGroup): Promise<ConditionTrial> {
  return new Promise((resolve, reject) => {
    const list = waiting.get(environment);
    if (list) list.push({ conditions, resolve, reject });
    else {
      waiting.set(environment, [{ conditions, resolve, reject }]);
      setTimeout(() => void flush(environment), TOGETHER_MS);
    }
  });
}

async function flush(environment: string): Promise<void> {
  const list = waiting.get(environment) ?? [];
  waiting.delete(environment);
  for (let from = 0; from < list.length; from += MOST_TOGETHER) {
    const some = list.slice(from, from + MOST_TOGETHER);
    try {
      const trials = await tryConditions(
        environment,
        some.map(({ conditions }) => conditions),
        samples.value,
      );
      for (const [index, { resolve, reject }] of some.entries()) {
        const trial = trials[index];
        if (trial) resolve(trial);
        else reject(new Error('The service did not answer for all of them.'));
      }
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
