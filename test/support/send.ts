import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request as it goes over the wire: nothing is normalised, encoded or corrected. */
export interface Sent {
  readonly method: string;
  /** With its query, just as it is sent. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string | undefined;
}

export interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Sends one request. An answer that is a stream of events is over with the first of them. */
export function send(url: string, { method, path, headers = {}, body }: Sent): Promise<Received> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const length = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) };
    const outgoing = request(
      { hostname, port, method, path, agent, headers: { ...length, ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        const received = (): Received => ({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        });
        const isStream = response.headers['content-type'] === 'text/event-stream';
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          if (!isStream) return;
          resolve(received());
          outgoing.destroy();
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve(received());
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  });
}

/** Sends bytes that need not be HTTP, and reads what comes back until the other side closes. */
export const sendBytes = (url: string, bytes: string): Promise<string> => sendPieces(url, [bytes]);

/** `sendBytes`, in pieces that arrive one after the other. */
export function sendPieces(url: string, pieces: readonly string[]): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let text = '';
    const write = async (): Promise<void> => {
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(20);
      }
    };
    const socket = connect(Number(port), hostname, () => void write());
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(text);
    });
  });
}
