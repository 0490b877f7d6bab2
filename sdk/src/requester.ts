import { Backoff } from './backoff.js';
import { linkedTo, pause } from './deferred.js';
import { ApiError, NetworkError, TimeoutError } from './errors.js';
import { endpoint, send } from './http.js';
import type { Fetch } from './types.js';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Relative to the base URL. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether it does no more when it is sent twice; only then it is sent again after a failure. */
  readonly isIdempotent: boolean;
  /** Statuses beside 2xx that are an answer. */
  readonly accepts?: readonly number[];
  /** Ends it. */
  readonly signal?: AbortSignal;
  /** Told each time it is sent. */
  readonly onAttempt?: () => void;
}

export interface ApiAnswer {
  readonly status: number;
  /** What the body holds; `undefined` when there is none. */
  readonly body: unknown;
  header(name: string): string | null;
}

export interface RequesterOptions {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly fetch: Fetch;
  /** For each attempt, its body included, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How often an idempotent request is sent again. */
  readonly maxRetries: number;
  /** The longest wait between attempts, in milliseconds; what asks for a longer one is not tried again. */
  readonly maxRetryDelayMs: number;
  /** As `Math.random`. */
  readonly random: () => number;
}

const FIRST_WAIT_MS = 200;
/** Whoever says to come back later than this is not taken at their word. */
const MOST_RETRY_AFTER_MS = 300_000;

/** Statuses that say: not now. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Asks the service; what may pass is tried again, with waits that grow and are drawn, never before `Retry-After`. */
export class Requester {
  private readonly running = new Set<AbortController>();
  private isClosed = false;

  constructor(private readonly options: RequesterOptions) {}

  /** @throws NetworkError, TimeoutError, ApiError (FlagNotFound), ValidationError */
  async ask(request: ApiRequest): Promise<ApiAnswer> {
    const { maxRetries, maxRetryDelayMs, random } = this.options;
    const backoff = new Backoff({
      minMs: Math.min(FIRST_WAIT_MS, maxRetryDelayMs),
      maxMs: maxRetryDelayMs,
      random,
    });
    for (let attempts = 1; ; attempts += 1) {
      try {
        return await this.attempt(request);
      } catch (error) {
        const wait = Math.max(backoff.next(), retryAfterOf(error));
        const isOver =
          this.isClosed ||
          request.signal?.aborted === true ||
          attempts > maxRetries ||
          wait > maxRetryDelayMs;
        if (isOver || !request.isIdempotent || !mayPass(error)) throw error;
        await this.pause(wait);
      }
    }
  }

  /** Ends what is running; it rejects with NetworkError, and so does what comes after. */
  close(): void {
    this.isClosed = true;
    for (const controller of this.running) controller.abort();
  }

  private async attempt(request: ApiRequest): Promise<ApiAnswer> {
    const { baseUrl, apiKey, fetch, requestTimeoutMs } = this.options;
    this.refuseWhenClosed();
    request.onAttempt?.();
    const { method, path, query, body, headers, accepts, signal } = request;
    const { controller, unlink } = linkedTo(signal);
    this.running.add(controller);
    try {
      const answer = await send(fetch, endpoint(baseUrl, path, query), {
        method,
        headers: {
          Accept: 'application/json',
          ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        timeoutMs: requestTimeoutMs,
        signal: controller.signal,
        ...(accepts === undefined ? {} : { accepts }),
      });
      return {
        status: answer.status,
        body: answer.text === '' ? undefined : parsed(answer.text, path),
        header: (name) => answer.headers.get(name),
      };
    } catch (error) {
      throw this.isClosed ? closed() : error;
    } finally {
      unlink();
      this.running.delete(controller);
    }
  }

  private async pause(ms: number): Promise<void> {
    const controller = new AbortController();
    this.running.add(controller);
    await pause(ms, controller.signal);
    this.running.delete(controller);
    this.refuseWhenClosed();
  }

  private refuseWhenClosed(): void {
    if (this.isClosed) throw closed();
  }
}

const closed = (): NetworkError => new NetworkError('The client is closed');

/** Whether the same request may well succeed a little later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ApiError) return PASSING.has(error.status);
  return error instanceof NetworkError || error instanceof TimeoutError;
}

/** Not to be asked again sooner, in milliseconds, five minutes at the most; 0 when nothing is said. */
export function retryAfterOf(error: unknown): number {
  return error instanceof ApiError ? Math.min(error.retryAfterMs ?? 0, MOST_RETRY_AFTER_MS) : 0;
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NetworkError(`/${path} answered something that is no JSON`);
  }
}
