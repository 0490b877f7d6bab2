import { signal } from '@preact/signals';
import { listEnvironments, type Environment } from '../api/environments.js';
import { missed, onActivity } from './live.js';

/** In the order that people gave them; `undefined` until they are read. */
export const environments = signal<readonly Environment[] | undefined>(undefined);

export async function loadEnvironments(): Promise<void> {
  environments.value = await listEnvironments();
}

export const environmentOf = (key: string): Environment | undefined =>
  environments.value?.find((environment) => environment.key === key);

export const isProtected = (key: string): boolean => environmentOf(key)?.protected ?? false;

onActivity({
  onChange: ({ entity_type: type }) => {
    if (type === 'environment') void loadEnvironments().catch(missed);
  },
  onResync: () => void loadEnvironments().catch(missed),
});
