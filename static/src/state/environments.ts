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

/** Whether people say there why they change something. */
export const isReasoned = (key: string): boolean => environmentOf(key)?.require_reason ?? false;

/** As `isReasoned`, of what is the same in every environment. */
export const isReasonedAnywhere = (): boolean =>
  (environments.value ?? []).some((each) => each.require_reason);

/** Whether a change there is asked about before it is made. */
export const asksFirst = (key: string): boolean => isProtected(key) || isReasoned(key);

export const isProtected = (key: string): boolean => environmentOf(key)?.protected ?? false;

onActivity({
  onChange: ({ entity_type: type }) => {
    if (type === 'environment') void loadEnvironments().catch(missed);
  },
  onResync: () => void loadEnvironments().catch(missed),
});
