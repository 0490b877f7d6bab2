/** A service that says what a test wants it to. */
import type { Fetch, FetchInit } from '../../sdk/src/types.js';

export interface Asked {
  readonly url: string;
  readonly init: FetchInit;
  readonly body: { context?: Record<string, unknown>; flag_keys?: string[] };
}
export type Reply = (asked: Asked) => Response | Promise<Response>;

/** One reply for each request, the last one for all further. */
export class ScriptedService {
  readonly asked: Asked[] = [];
  readonly at: number[] = [];
  replies: Reply[];

  constructor(...replies: Reply[]) {
    this.replies = replies;
  }

  readonly fetch: Fetch = async (url, init) => {
    const asked = { url, init, body: init.body === undefined ? {} : JSON.parse(init.body) };
    this.asked.push(asked);
    this.at.push(Date.now());
    const reply = this.replies.length > 1 ? this.replies.shift()! : this.replies[0]!;
    return new Promise((resolve, reject) => {
      init.signal.addEventListener('abort', () => reject(init.signal.reason as Error));
      Promise.resolve()
        .then(() => reply(asked))
        .then(resolve, reject);
    });
  };

  /** Between the requests, in milliseconds. */
  get waits(): number[] {
    return this.at.slice(1).map((at, index) => at - this.at[index]!);
  }
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
export const failing =
  (status: number, headers: Record<string, string> = {}): Reply =>
  () =>
    json({ code: `code_${status}`, detail: `detail ${status}`, request_id: 'r-1' }, status, headers);
export const broken: Reply = () =>
  Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNRESET') }));
export const silent: Reply = () => new Promise<Response>(() => undefined);

export const SILENT = { warn: () => undefined, error: () => undefined };
