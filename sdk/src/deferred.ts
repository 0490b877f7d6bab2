/** A promise that is kept from elsewhere. Nobody has to wait for it. */
export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onKept, onBroken) => {
    resolve = onKept;
    reject = onBroken;
  });
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}

/** Resolves when it is aborted, at once when it was before. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A controller that is aborted when the signal is, or was. `unlink` when there is no more to abort. */
export function linkedTo(signal: AbortSignal | undefined): {
  readonly controller: AbortController;
  readonly unlink: () => void;
} {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted === true) abort();
  return { controller, unlink: () => signal?.removeEventListener('abort', abort) };
}

/** Waits, until it is aborted. @param ms in milliseconds */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const over = deferred();
  const timer = setTimeout(over.resolve, ms);
  signal.addEventListener('abort', over.resolve, { once: true });
  if (!signal.aborted) await over.promise;
  signal.removeEventListener('abort', over.resolve);
  clearTimeout(timer);
}
