import type { IncomingMessage, ServerResponse } from 'node:http';

/** The head of a 200 with JSON as text: what is the same in all answers of a route, around what is not. */
export interface PlainHead {
  readonly before: string;
  readonly after: string;
  /** Both, where there is nothing in between. */
  readonly whole: string;
}

interface PlainBody {
  /** ASCII, or bytes. */
  readonly body: string | Buffer;
  /** Bytes before those of the body, in their memory, that may be written over. */
  readonly room: number | undefined;
  /** Called once it has gone. */
  readonly sent: (() => void) | undefined;
}

/** @param before, after names and values in turn; the length of the body comes behind them */
export function plainHead(before: readonly string[], after: readonly string[]): PlainHead {
  const [first, last] = [`HTTP/1.1 200 OK\r\n${lines(before)}`, `${lines(after)}Content-Length: `];
  return { before: first, after: last, whole: first + last };
}

/**
 * Sends a 200 in one piece, byte for byte as Node would. Node looks at every header of every answer anew, keeps state of them,
 * and hands the head, the body and the end on by themselves: that takes as long as everything else that is done for a plain
 * question (ADR 0017). Node is then told that the answer has gone, as it tells itself, and goes on to the next request.
 * @param own names and values in turn, of this answer alone
 * @returns false where nothing was done, and Node must: another answer is on its way, or the connection is not kept
 */
export function sendPlain(
  response: ServerResponse,
  { before, after, whole }: PlainHead,
  own: readonly string[] | undefined,
  { body, room = 0, sent }: PlainBody,
): boolean {
  const { socket, req } = response;
  if (!socket || socket.writableLength > 0 || !response.shouldKeepAlive || req.httpVersionMinor !== 1)
    return false;
  const head = own === undefined ? whole : before + lines(own) + after;
  // It was read to its end, and nobody listens to it: Node need not play its end to nobody.
  req.resume = asItIs;
  const text = `${head}${body.length}${connectionLines()}`;
  const done = (error?: Error | null): void => {
    // A connection that broke tells the response itself.
    if (error) return;
    response.emit('finish');
    sent?.();
  };
  if (typeof body === 'string') socket.write(text + body, 'latin1', done);
  else if (text.length <= room) {
    // In one piece: to hand on several takes longer than to write the head.
    const { buffer, byteOffset, length } = body;
    const whole = Buffer.from(buffer, byteOffset - text.length, text.length + length);
    whole.write(text, 'latin1');
    socket.write(whole, done);
  } else {
    socket.cork();
    socket.write(text, 'latin1');
    socket.write(body, done);
    socket.uncork();
  }
  return true;
}

function asItIs(this: IncomingMessage): IncomingMessage {
  return this;
}

let second = 0;
let kept = '';

/** What Node adds to every answer on a connection that is kept. The same for a second. */
function connectionLines(): string {
  const now = Math.floor(Date.now() / 1000);
  if (now !== second) {
    second = now;
    const date = new Date(now * 1000).toUTCString();
    kept = `\r\nDate: ${date}\r\nConnection: keep-alive\r\n\r\n`;
  }
  return kept;
}

function lines(pairs: readonly string[]): string {
  let text = '';
  for (let at = 0; at < pairs.length; at += 2) text += `${pairs[at] ?? ''}: ${pairs[at + 1] ?? ''}\r\n`;
  return text;
}
