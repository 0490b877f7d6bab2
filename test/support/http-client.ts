import { Agent, request, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // Whatever came; each test says what it expects of it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly body: any;
  readonly durationMs: number;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly token?: string | undefined;
  readonly timeoutMs?: number;
}

/** A client that keeps its connections, never repeats a request, and tells how long each took. */
export class HttpClient {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(public url: string) {}

  /** @throws when the connection fails or breaks, or nothing comes for `timeoutMs` (20 s) */
  async ask(path: string, { method = 'GET', body, token, timeoutMs = 20_000 }: Ask = {}): Promise<Answer> {
    const started = performance.now();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<Answer>((resolve, reject) => {
      const outgoing = request(
        new URL(path, this.url),
        {
          method,
          agent: this.agent,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(payload === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
          },
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk: string) => (text += chunk));
          incoming.on('error', reject);
          incoming.on('aborted', () => reject(new Error('aborted')));
          incoming.on('end', () => {
            const isJson = /json/.test(incoming.headers['content-type'] ?? '');
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: isJson && text !== '' ? JSON.parse(text) : text,
              durationMs: performance.now() - started,
            });
          });
        },
      );
      outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.on('error', (error) => reject(Object.assign(error, { isReused: outgoing.reusedSocket })));
      outgoing.end(payload);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
