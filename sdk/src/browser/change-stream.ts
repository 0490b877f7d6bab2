import { linkedTo } from '../deferred.js';
import { NetworkError } from '../errors.js';
import { open } from '../http.js';
import { readEvents, Watchdog } from '../sse.js';
import type { Fetch } from '../types.js';

/** The service sends something every 15 s unless it is told otherwise; three of those. */
const SILENCE_MS = 60_000;

export interface ChangeStreamOptions {
  readonly url: string;
  readonly fetch: Fetch;
  readonly requestTimeoutMs: number;
  readonly signal: AbortSignal;
  /** The service has begun to tell. */
  readonly onOpen: () => void;
  /** Something has changed. @param etag names the state that is to be asked for */
  readonly onChange: (etag: string | undefined) => void;
}

/**
 * Follows the notifications of changes until the connection ends, which it does without an error.
 * @throws NetworkError, TimeoutError, ApiError when it cannot be opened
 */
export async function followChanges({
  url,
  fetch,
  requestTimeoutMs,
  signal,
  onOpen,
  onChange,
}: ChangeStreamOptions): Promise<void> {
  const { controller, unlink } = linkedTo(signal);
  const watchdog = new Watchdog(SILENCE_MS, () => controller.abort());
  try {
    const response = await open(fetch, url, {
      headers: { Accept: 'text/event-stream' },
      timeoutMs: requestTimeoutMs,
      signal: controller.signal,
    });
    const { body, headers } = response;
    // A page in the place of the service would end at once, again and again.
    if (!body || !/^text\/event-stream\b/i.test(headers.get('content-type') ?? '')) {
      controller.abort();
      throw new NetworkError('The service answered something that is no stream of changes');
    }
    onOpen();
    const reader = { onEvent: ({ data }: { readonly data: string }): void => hear(data, onChange) };
    // Whatever breaks an open stream is its end.
    await readEvents(body, reader, watchdog, controller.signal).catch(() => undefined);
  } finally {
    watchdog.stop();
    unlink();
  }
}

/** Events of other types are for later versions. */
function hear(data: string, onChange: ChangeStreamOptions['onChange']): void {
  try {
    const { type, etag } = JSON.parse(data) as { readonly type?: unknown; readonly etag?: unknown };
    if (type === 'refetchEvaluation') onChange(typeof etag === 'string' ? etag : undefined);
  } catch {
    // What cannot be read may be such an event; to ask once too often does no harm.
    onChange(undefined);
  }
}
