import { AsyncLocalStorage } from 'node:async_hooks';

/** How long one request may ask the database, everything added up. */
interface Deadline {
  readonly limitMs: number;
  /** On the monotonic clock; begins with the first question, since reading a body is another matter. */
  endsAt: number | undefined;
  /** Whether it has been answered: what goes on afterwards, such as a stream, is bound by nobody's patience. */
  readonly isOver: () => boolean;
}

const deadlines = new AsyncLocalStorage<Deadline | undefined>();

/** Those that are not over, as far as was looked. */
const running = new Set<Deadline>();
const LOOK_EVERY_MS = 100;
let look: NodeJS.Timeout | undefined;

/** Does some work, and all that comes of it, within a time for the database. */
export function withinDeadline<T>(limitMs: number, isOver: () => boolean, work: () => T): T {
  const deadline = { limitMs, endsAt: undefined, isOver };
  running.add(deadline);
  look ??= setTimeout(letGo, LOOK_EVERY_MS).unref();
  return deadlines.run(deadline, work);
}

/**
 * Before Node 24 a storage in use costs every promise, timer and request of the process something, decisions among them: it is
 * let go of while nobody is bound. The next one takes it up again.
 */
function letGo(): void {
  for (const deadline of running) if (deadline.isOver()) running.delete(deadline);
  look = running.size === 0 ? undefined : setTimeout(letGo, LOOK_EVERY_MS).unref();
  if (running.size === 0) deadlines.disable();
}

/** Does what others wait for, too, or what nobody waits for. */
export function withoutDeadline<T>(work: () => T): T {
  return deadlines.getStore() ? deadlines.run(undefined, work) : work();
}

/** What is left for the database to whoever calls, in milliseconds, perhaps less than nothing; `undefined`: as long as it takes. */
export function msLeft(): number | undefined {
  const deadline = deadlines.getStore();
  if (!deadline || deadline.isOver()) return undefined;
  const now = performance.now();
  deadline.endsAt ??= now + deadline.limitMs;
  return deadline.endsAt - now;
}
