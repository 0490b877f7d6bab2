import { connect, type Socket } from 'node:net';

/**
 * Sends requests over kept-open connections, each with one request under way at a time, as many clients would that wait
 * for their answer. It reads as little of an answer as it must: the status, the length, and where the body ends.
 */
export class HttpLoad {
  private constructor(
    private readonly connections: readonly Connection[],
    private readonly requests: readonly Buffer[],
  ) {}

  /** @param requests sent in turn, over and over */
  static async open(port: number, connections: number, requests: readonly Buffer[]): Promise<HttpLoad> {
    const opened = Array.from({ length: connections }, () => Connection.open(port));
    return new HttpLoad(await Promise.all(opened), requests);
  }

  /** Asks exactly so many times. @throws on any answer but 200, and when a connection breaks */
  async run(requests: number): Promise<void> {
    let sent = 0;
    const next = (): Buffer | undefined =>
      sent < requests ? this.requests[sent++ % this.requests.length] : undefined;
    await Promise.all(this.connections.map((connection) => connection.ask(next)));
  }

  /** Asks for so long, and waits for the last answers. @returns how often @throws as `run` does */
  async runFor(ms: number): Promise<number> {
    let sent = 0;
    const until = performance.now() + ms;
    const next = (): Buffer | undefined =>
      performance.now() < until ? this.requests[sent++ % this.requests.length] : undefined;
    await Promise.all(this.connections.map((connection) => connection.ask(next)));
    return sent;
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

/** A request for each path, as it goes over the wire. */
export const requestsFor = (paths: readonly string[]): Buffer[] => paths.map((path) => getRequest(path));

/** @param headers a line each */
export const getRequest = (path: string, headers: readonly string[] = []): Buffer =>
  Buffer.from([`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, '', ''].join('\r\n'));

export function postRequest(path: string, body: object, headers: readonly string[] = []): Buffer {
  const text = JSON.stringify(body);
  const own = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(text)}`];
  return Buffer.from([`POST ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ...own, '', text].join('\r\n'));
}

const CLOSED = 'The server closed a connection';
const END_OF_HEADERS = Buffer.from('\r\n\r\n');

/** One connection, with one request under way at a time. */
export class Connection {
  /** Of the head, as long as that is not whole. */
  private received: Buffer = Buffer.alloc(0);
  /** Bytes of the body still to come; of a body nothing is kept. */
  private missing = 0;
  private next: () => Buffer | undefined = () => undefined;
  private finish: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('error', (error) => this.finish?.reject(error));
    socket.on('close', () => this.finish?.reject(new Error(CLOSED)));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new Connection(socket);
  }

  /** Asks until `next` has nothing more. */
  async ask(next: () => Buffer | undefined): Promise<void> {
    this.next = next;
    await new Promise<void>((resolve, reject) => {
      this.finish = { resolve, reject };
      // While nobody asked: a server may do so after some time.
      if (this.socket.destroyed) reject(new Error(CLOSED));
      else this.send();
    });
    this.finish = undefined;
  }

  close(): void {
    this.socket.destroy();
  }

  private send(): void {
    const request = this.next();
    if (request) this.socket.write(request);
    else this.finish?.resolve();
  }

  private take(chunk: Buffer): void {
    if (this.missing > 0) {
      this.missing -= chunk.length;
      if (this.missing === 0) this.send();
      return;
    }
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headersEnd = this.received.indexOf(END_OF_HEADERS);
    if (headersEnd < 0) return;
    const head = this.received.toString('latin1', 0, headersEnd);
    if (!head.startsWith('HTTP/1.1 200')) {
      this.finish?.reject(new Error(`Not a 200: ${head.split('\r\n', 1)[0] ?? ''}`));
      return;
    }
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) {
      this.finish?.reject(new Error('An answer has no Content-Length'));
      return;
    }
    this.missing = headersEnd + END_OF_HEADERS.length + length - this.received.length;
    this.received = Buffer.alloc(0);
    if (this.missing === 0) this.send();
  }
}
