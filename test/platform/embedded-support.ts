import pg from 'pg';
import type { Duplex } from 'node:stream';
import type { EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';

/** A connected client of node-postgres. */
export async function connected(stream: () => Duplex): Promise<pg.Client> {
  const client = new pg.Client({ stream: stream });
  await client.connect();
  return client;
}

/** Runs `use` with clients of their own, and closes them whatever happens. */
export async function withClients<T>(
  db: EmbeddedDatabase,
  count: number,
  use: (...clients: pg.Client[]) => Promise<T>,
): Promise<T> {
  const clients = await Promise.all(Array.from({ length: count }, () => connected(() => db.connectStream())));
  try {
    return await use(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** What an error tells about itself: its SQLSTATE, or its message when it has none. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code?: string }).code ?? (error as Error).message,
  );
}

/** A client that speaks the protocol by hand. */
export class RawClient {
  private received = Buffer.alloc(0);
  private wake: () => void = () => undefined;
  isClosed = false;

  constructor(readonly stream: Duplex & { connect?: () => unknown }) {
    stream.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    stream.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
    stream.on('error', () => undefined);
  }

  static async open(stream: Duplex): Promise<RawClient> {
    const client = new RawClient(stream);
    const connecting = new Promise((resolve) => stream.once('connect', resolve));
    client.stream.connect?.();
    await connecting;
    return client;
  }

  async until(isThere: (received: Buffer) => boolean): Promise<Buffer> {
    while (!isThere(this.received)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.received.toString('latin1'))}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    const { received } = this;
    this.received = Buffer.alloc(0);
    return received;
  }

  /** Sends, and gives the types of the messages that come in answer, up to and with one of type `last`. */
  async exchange(bytes: Buffer, last = 'Z'): Promise<string> {
    this.stream.write(bytes);
    return typesOf(await this.until((received) => typesOf(received).endsWith(last)));
  }
}

/** The type letters of whole messages, in order. */
export function typesOf(bytes: Buffer): string {
  let types = '';
  for (let at = 0; at + 5 <= bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    if (at + 1 + bytes.readInt32BE(at + 1) > bytes.length) break;
    types += String.fromCharCode(bytes[at]!);
  }
  return types;
}

function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)),
  );
  const header = Buffer.from(`${type}\0\0\0\0`);
  header.writeInt32BE(4 + body.length, header.length - 4);
  return Buffer.concat([header, body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** The messages a client sends. Source: PostgreSQL manual, "Message Formats". */
export const say = {
  startup: message('', int32(196_608), 'user', 'u', 'database', 'd', Buffer.alloc(1)),
  requestSsl: message('', int32(80_877_103)),
  cancel: message('', int32(80_877_102), int32(1), int32(2)),
  query: (sql: string) => message('Q', sql),
  parse: (sql: string, name = '') => message('P', name, sql, Buffer.alloc(2)),
  /** Without parameters, from and to the unnamed. */
  bind: message('B', '', '', Buffer.alloc(6)),
  describe: message('D', 'P'),
  execute: (rows = 0) => message('E', '', int32(rows)),
  flush: message('H'),
  sync: message('S'),
  end: message('X'),
};
