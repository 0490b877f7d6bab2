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

/** Does some work, and all that comes of it, within a time for the database. */
export function withinDeadline<T>(limitMs: number, isOver: () => boolean, work: () => T): T {
  return deadlines.run({ limitMs, endsAt: undefined, isOver }, work);
}

/** Does what others wait for, too, or what nobody waits for. */
export function withoutDeadline<T>(work: () => T): T {
  return deadlines.run(undefined, work);
}

/** What is left for the database to whoever calls, in milliseconds, perhaps less than nothing; `undefined`: as long as it takes. */
export function msLeft(): number | undefined {
  const deadline = deadlines.getStore();
  if (!deadline || deadline.isOver()) return undefined;
  const now = performance.now();
  deadline.endsAt ??= now + deadline.limitMs;
  return deadline.endsAt - now;
}
