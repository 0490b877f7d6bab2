import { computed, effect, signal } from '@preact/signals';
import { readUsage, type FlagCounts } from '../api/usage.js';
import { table } from './flag-table.js';

const AGAIN_MS = 60_000;

interface Shown {
  readonly environment: string;
  readonly byKey: ReadonlyMap<string, FlagCounts>;
}

/** What the flags that are shown were evaluated in the last 24 hours; `undefined` until it was read. */
export const tableUsage = signal<Shown | undefined>(undefined);

const keysShown = computed(() => table.value?.rows.map(({ key }) => key).join('\n') ?? '');

/**
 * Reads the counts of the flags in the table: after the table is there, whenever it shows others, and again every minute
 * while somebody looks. What cannot be read is left out.
 * @returns stops that
 */
export function followTableUsage(environment: string): () => void {
  let turn = 0;
  const read = async (): Promise<void> => {
    const keys = keysShown.peek();
    if (keys === '' || document.visibilityState === 'hidden') return;
    const mine = (turn += 1);
    const counts = await readUsage(keys.split('\n'), environment).catch(() => undefined);
    if (mine === turn && counts)
      tableUsage.value = { environment, byKey: new Map(counts.map((each) => [each.flag_key, each])) };
  };
  const stop = effect(() => {
    if (keysShown.value !== '') void read();
  });
  const timer = setInterval(() => void read(), AGAIN_MS);
  return () => {
    turn += 1;
    clearInterval(timer);
    stop();
  };
}
