import { computed, effect, signal } from '@preact/signals';
import { readHealth } from '../api/health.js';
import { outage } from '../api/outage.js';
import { connection, resync } from './live.js';
import { session } from './session.js';

const isDatabaseDown = signal(false);

/** Why nothing can be changed now, in sentences; `undefined` while it can. What is shown stays, and may be read. */
export const cannotWrite = computed(() => {
  if (connection.value === 'offline')
    return 'Vexil has not answered for a minute. What you see may be old, and nothing can be changed until it is back.';
  return isDatabaseDown.value
    ? 'The database of Vexil does not answer. Your programs get the same answers as before; nothing can be changed until it is back, and what you see may be old. This page goes on by itself.'
    : undefined;
});

/** An answer 503 makes it look at once, so this only finds an outage that nobody has run into yet. */
const CALM_MS = 30_000;
const DOWN_MS = 2_000;

/** Asks how the service does, as long as somebody is logged in and looks. */
export function startHealth(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  const plan = (): void => {
    clearTimeout(timer);
    if (session.peek() !== undefined)
      timer = setTimeout(() => void look(), isDatabaseDown.peek() ? DOWN_MS : CALM_MS);
  };
  const look = async (): Promise<void> => {
    if (isAsking) return;
    if (document.hidden) {
      plan();
      return;
    }
    isAsking = true;
    try {
      const { database } = await readHealth();
      const wasDown = isDatabaseDown.value;
      isDatabaseDown.value = database === 'disconnected';
      // Whatever failed meanwhile is tried again, wherever it is.
      if (wasDown && !isDatabaseDown.value) resync();
    } catch {
      // Nobody answers: the connection tells of that.
    } finally {
      isAsking = false;
      plan();
    }
  };
  outage.onSeen = () => void look();
  document.addEventListener('visibilitychange', () => void look());
  effect(() => {
    if (session.value === undefined) isDatabaseDown.value = false;
    plan();
  });
}
