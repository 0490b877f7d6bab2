import { credentials } from './credentials.js';
import { EventStreamParser } from './event-stream-parser.js';
import { problemOf } from './problem.js';

/** A change that somebody made, as the service tells it. */
export interface Activity {
  readonly position: number;
  readonly created_at: string;
  readonly entity_type: 'flag' | 'segment' | 'environment' | 'user' | 'invite' | 'api_key';
  readonly entity_key: string;
  readonly action: string;
  readonly actor: { readonly type: string; readonly id: string | null; readonly name: string };
  readonly environment_key: string | null;
  readonly revisions: Readonly<Record<string, number>>;
  readonly request_id: string | null;
}

export interface ActivityListener {
  onOpen(): void;
  onChange(activity: Activity): void;
  /** What was shown until now cannot be continued: read it anew. */
  onResync(): void;
  onPosition(id: string): void;
}

/** A heartbeat comes every 15 seconds; after three that did not, nobody is there. */
const SILENCE_MS = 45_000;

/**
 * Follows the activity once, until the stream ends. @returns after how many milliseconds the service wants to be asked again
 * @throws ApiProblem when it is refused, and whatever breaks the connection
 */
export async function followActivity(
  lastId: string | undefined,
  listener: ActivityListener,
  signal: AbortSignal,
): Promise<number | undefined> {
  const silence = new AbortController();
  let watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const response = await fetch('/activity', {
      headers: {
        Authorization: `Bearer ${credentials.token ?? ''}`,
        ...(lastId === undefined ? {} : { 'Last-Event-ID': lastId }),
      },
      signal: AbortSignal.any([signal, silence.signal]),
      cache: 'no-store',
    });
    if (!response.ok || !response.body)
      throw problemOf(response, await response.json().catch(() => undefined));
    listener.onOpen();
    const parser = new EventStreamParser();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return parser.retryMs;
      clearTimeout(watchdog);
      watchdog = setTimeout(() => silence.abort(), SILENCE_MS);
      for (const event of parser.push(value)) {
        if (event.name === 'change') listener.onChange(JSON.parse(event.data) as Activity);
        else if (event.name === 'resync') listener.onResync();
        if (event.id !== undefined) listener.onPosition(event.id);
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}
