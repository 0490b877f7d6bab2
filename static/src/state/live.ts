import { effect, signal } from '@preact/signals';
import { followActivity, type Activity } from '../api/activity.js';
import { isOwnRequest } from '../api/own-requests.js';
import { ApiProblem } from '../api/problem.js';
import { session } from './session.js';

/** `offline`: away for so long that what is shown may be wrong, so nothing can be changed. */
export const connection = signal<'connecting' | 'live' | 'reconnecting' | 'offline'>('connecting');

type Listener = { onChange?: (activity: Activity) => void; onResync?: () => void };
const listeners = new Set<Listener>();

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 30_000;
const OFFLINE_AFTER_MS = 60_000;

/** Whether this tab did it. */
export const isOwn = ({ request_id: id }: Activity): boolean => isOwnRequest(id);

/** @returns takes the listener away */
export function onActivity(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let lastId: string | undefined;

/** What was told could not be read: then all is read again, when somebody follows again, or a little later. */
let isMissing = false;
let misses = 0;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Tells that something that is shown could not be read anew, and so is old. */
export function missed(): void {
  isMissing = true;
  retry ??= setTimeout(
    () => {
      retry = undefined;
      if (isMissing && connection.value === 'live') resync();
    },
    Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** misses),
  );
  misses += 1;
}

/** Everything that is shown is read anew. */
export function resync(): void {
  isMissing = false;
  for (const listener of [...listeners]) listener.onResync?.();
}

/** Follows what is done as long as somebody is logged in. */
export function startLive(): void {
  let running: AbortController | undefined;
  effect(() => {
    const isOpen = session.value !== undefined;
    if (isOpen && !running) {
      running = new AbortController();
      void follow(running.signal);
    } else if (!isOpen && running) {
      running.abort();
      running = undefined;
      lastId = undefined;
      connection.value = 'connecting';
    }
  });
}

async function follow(signal: AbortSignal): Promise<void> {
  let failures = 0;
  let lostAt: number | undefined;
  const goOffline = setInterval(() => {
    if (lostAt !== undefined && Date.now() - lostAt > OFFLINE_AFTER_MS) connection.value = 'offline';
  }, 1_000);
  signal.addEventListener('abort', () => clearInterval(goOffline));
  const isOver = (): boolean => signal.aborted;
  while (!isOver()) {
    let wantedMs: number | undefined;
    try {
      wantedMs = await followActivity(
        lastId,
        {
          onOpen: () => {
            failures = 0;
            lostAt = undefined;
            connection.value = 'live';
            // What was read before anybody followed may have been changed in between, and nobody would tell; and what
            // was told may have come to nothing when the connection broke while it was read.
            misses = 0;
            if (lastId === undefined || isMissing) resync();
          },
          onChange: (activity) => {
            for (const listener of [...listeners]) listener.onChange?.(activity);
          },
          onResync: resync,
          onPosition: (id) => (lastId = id),
        },
        signal,
      );
    } catch (error) {
      if (error instanceof ApiProblem && error.retryAfterSeconds !== undefined)
        wantedMs = error.retryAfterSeconds * 1000;
    }
    if (isOver()) return;
    lostAt ??= Date.now();
    if (connection.value === 'live') connection.value = 'reconnecting';
    const delay = Math.max(wantedMs ?? 0, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures));
    failures += 1;
    await wakeAfter(delay * (0.5 + Math.random()), signal);
  }
}

/** Sleeps, but not when the browser says that it is back on the network. */
function wakeAfter(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener('online', done);
    signal.addEventListener('abort', done);
  });
}
