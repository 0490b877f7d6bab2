/**
 * Server-sent events, read from bytes as they come.
 * Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
import type { FetchBody } from './types.js';

export interface ServerSentEvent {
  /** `message` unless said otherwise. */
  readonly type: string;
  readonly data: string;
  /** The last id that was sent, with this event or before it; empty when none was. */
  readonly lastEventId: string;
}

export interface EventReader {
  onEvent(event: ServerSentEvent): void;
  /** How long to wait before coming again, in milliseconds. */
  onRetry?(ms: number): void;
}

/** A stream that sends more than this without an end of line is no event stream. In UTF-16 units. */
const MAX_LINE = 256 * 1024 * 1024;

/** Turns bytes into events, wherever the chunks are cut: within a letter, a line end, a line or an event. */
export class EventStreamParser {
  // Broken UTF-8 becomes U+FFFD, and a mark at the beginning is dropped, as the specification wants it.
  private readonly decoder = new TextDecoder('utf-8');
  private pieces: string[] = [];
  private length = 0;
  private endedWithCr = false;
  private type = '';
  private data: string[] = [];
  private lastEventId = '';

  constructor(private readonly reader: EventReader) {}

  /** @throws RangeError when a line grows beyond all measure */
  push(bytes: Uint8Array): void {
    let text = this.decoder.decode(bytes, { stream: true });
    if (text === '') return;
    if (this.endedWithCr && text.startsWith('\n')) text = text.slice(1);
    this.endedWithCr = text.endsWith('\r');
    let from = 0;
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) {
      this.pieces.push(text.slice(from, index));
      const line = this.pieces.length === 1 ? (this.pieces[0] ?? '') : this.pieces.join('');
      this.pieces = [];
      this.length = 0;
      this.onLine(line);
      from = index + end.length;
    }
    if (from === text.length) return;
    this.pieces.push(text.slice(from));
    this.length += text.length - from;
    if (this.length > MAX_LINE) throw new RangeError('a line of the event stream does not end');
  }

  private onLine(line: string): void {
    if (line === '') {
      this.dispatch();
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line.charAt(colon + 1) === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.type = value;
    else if (name === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (name === 'retry' && /^\d+$/.test(value)) this.reader.onRetry?.(Number(value));
  }

  private dispatch(): void {
    const { type, data } = this;
    this.type = '';
    this.data = [];
    if (data.length === 0) return;
    this.reader.onEvent({ type: type || 'message', data: data.join('\n'), lastEventId: this.lastEventId });
  }
}

/**
 * Calls when nothing has happened for a while; a timer that does not keep a process alive.
 * Started at once; `touch` says that something happened.
 */
export class Watchdog {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly silenceMs: number,
    private readonly onSilence: () => void,
  ) {
    this.touch();
  }

  touch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.onSilence, this.silenceMs);
    unref(this.timer);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** Where timers can keep a process alive, this one does not. */
export function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

/**
 * Reads an event stream to its end.
 * @param watchdog told of every byte, heartbeats included
 * @param signal ends it
 * @throws what reading the body throws; RangeError as `EventStreamParser` does; what the reader throws
 */
export async function readEvents(
  body: FetchBody,
  reader: EventReader,
  watchdog: Pick<Watchdog, 'touch' | 'stop'>,
  signal: AbortSignal,
): Promise<void> {
  const parser = new EventStreamParser(reader);
  const bytes = body.getReader();
  const cancel = (): Promise<void> => bytes.cancel().catch(() => undefined);
  signal.addEventListener('abort', () => void cancel(), { once: true });
  try {
    for (;;) {
      const { done, value } = await bytes.read();
      if (done || signal.aborted) return;
      watchdog.touch();
      if (value) parser.push(value);
    }
  } finally {
    watchdog.stop();
    await cancel();
  }
}
