/** One message from a client: its type byte and all its bytes, with the type and the length in front. */
export interface FrontendMessage {
  /** The type byte, or 0 for the untyped packets that come before the session starts. */
  readonly type: number;
  readonly bytes: Buffer;
}

/** Type bytes of the messages a client sends. Source: PostgreSQL manual, "Message Formats". */
export const FRONTEND = {
  untyped: 0,
  bind: 0x42,
  close: 0x43,
  describe: 0x44,
  execute: 0x45,
  functionCall: 0x46,
  flush: 0x48,
  parse: 0x50,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
  copyDone: 0x63,
  copyData: 0x64,
  copyFail: 0x66,
} as const;

/** What the first, untyped packet of a connection asks for. */
export const STARTUP_REQUEST = {
  cancel: 80877102,
  ssl: 80877103,
  gssEncryption: 80877104,
} as const;

/** The client sent bytes that cannot be a message. The connection cannot be used any further. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

/** As in Postgres (PQ_LARGE_MESSAGE_LIMIT): the largest message, in bytes. */
const MAX_MESSAGE_BYTES = 1_073_741_823;
const MAX_STARTUP_BYTES = 10_000;

/**
 * Cuts the bytes of one connection into messages, wherever the chunks happen to be split. Messages that lie in
 * one chunk are views of it; only a message that spans chunks is copied.
 */
export class FrontendSplitter {
  private chunks: Buffer[] = [];
  private bufferedBytes = 0;
  /** How many bytes must be there before it is worth looking again. */
  private wantedBytes = 1;
  private isStarted = false;

  /** From here on messages carry a type byte: the startup packet has been taken. */
  start(): void {
    this.isStarted = true;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.bufferedBytes += chunk.length;
  }

  /** @throws MalformedMessage when a length is impossible */
  next(): FrontendMessage | undefined {
    if (this.bufferedBytes < this.wantedBytes) return undefined;
    const buffer = this.joined();
    const headerBytes = this.isStarted ? 5 : 4;
    if (buffer.length < headerBytes) {
      this.wantedBytes = headerBytes;
      return undefined;
    }
    const length = buffer.readInt32BE(headerBytes - 4);
    const limit = this.isStarted ? MAX_MESSAGE_BYTES : MAX_STARTUP_BYTES;
    const least = this.isStarted ? 4 : 8;
    if (length < least || length > limit) throw new MalformedMessage(`invalid message length ${length}`);
    const end = headerBytes - 4 + length;
    if (buffer.length < end) {
      this.wantedBytes = end;
      return undefined;
    }
    this.chunks = end === buffer.length ? [] : [buffer.subarray(end)];
    this.bufferedBytes = buffer.length - end;
    this.wantedBytes = 1;
    return {
      type: this.isStarted ? buffer.readUInt8(0) : FRONTEND.untyped,
      bytes: buffer.subarray(0, end),
    };
  }

  private joined(): Buffer {
    const [first, second] = this.chunks;
    if (first && !second) return first;
    const all = Buffer.concat(this.chunks, this.bufferedBytes);
    this.chunks = [all];
    return all;
  }
}

/** A null-terminated string inside a message. `end` is the offset after its terminator. */
export interface WireString {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** @throws MalformedMessage when the terminator is missing */
export function wireString(bytes: Buffer, start: number): WireString {
  const terminator = bytes.indexOf(0, start);
  if (terminator < 0) throw new MalformedMessage('a string without an end');
  return { text: bytes.toString('utf8', start, terminator), start, end: terminator + 1 };
}

/** A copy of `message` in which one string has another value, with its length corrected. */
export function withString(message: Buffer, at: WireString, value: string): Buffer {
  const replaced = Buffer.concat([
    message.subarray(0, at.start),
    Buffer.from(`${value}\0`),
    message.subarray(at.end),
  ]);
  replaced.writeInt32BE(replaced.length - 1, 1);
  return replaced;
}

function message(type: number, body: string): Buffer {
  const bytes = Buffer.from(`\0\0\0\0\0${body}\0`);
  bytes.writeUInt8(type, 0);
  bytes.writeInt32BE(bytes.length - 1, 1);
  return bytes;
}

/** A simple Query message. */
export function query(sql: string): Buffer {
  return message(FRONTEND.query, sql);
}

/** A Close message for a prepared statement; '' is the unnamed one. */
export function closeStatement(name: string): Buffer {
  return message(FRONTEND.close, `S${name}`);
}

export const SYNC = Buffer.from([FRONTEND.sync, 0, 0, 0, 4]);
