/** One event of a stream. `data` is joined with line feeds, as the standard wants. */
export interface ServerSentEvent {
  readonly name: string;
  readonly data: string;
  readonly id: string | undefined;
}

/**
 * Reads server-sent events from bytes in whatever pieces they come: pieces may end within a character or a line end.
 * Source: HTML Standard, 9.2 Server-sent events.
 */
export class EventStreamParser {
  private readonly decoder = new TextDecoder();
  private rest = '';
  private name = '';
  private data: string[] = [];
  private lastId: string | undefined;
  /** The time after which to come again, in milliseconds; `undefined` until the service says one. */
  retryMs: number | undefined;

  push(bytes: Uint8Array): ServerSentEvent[] {
    const text = this.rest + this.decoder.decode(bytes, { stream: true });
    // A carriage return at the end may be the first half of a line end.
    const isSplit = text.endsWith('\r');
    const lines = (isSplit ? text.slice(0, -1) : text).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + (isSplit ? '\r' : '');
    return lines.flatMap((line) => this.take(line) ?? []);
  }

  private take(line: string): ServerSentEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.name = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return undefined;
  }

  private dispatch(): ServerSentEvent | undefined {
    const { name, data, lastId } = this;
    this.name = '';
    this.data = [];
    return data.length === 0 ? undefined : { name: name || 'message', data: data.join('\n'), id: lastId };
  }
}
