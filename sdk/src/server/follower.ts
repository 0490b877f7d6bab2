import { Backoff } from '../backoff.js';
import type { RulesetChange } from '../core.js';
import { ApiError, NetworkError, TimeoutError, ValidationError, VexilError } from '../errors.js';
import { type Answer, endpoint, open, reasonOf, send } from '../http.js';
import { readEvents, type ServerSentEvent, Watchdog } from '../sse.js';
import { EarlierState } from './earlier-state.js';
import type { Settings } from './options.js';
import type { RulesetStore, Swap } from './ruleset-store.js';

/** What a follower tells. */
export interface FollowerListener {
  /** Something is decided by another ruleset now. */
  onSwap(swap: Swap): void;
  /** What is held is what the service has, and stays so for as long as is said: for ever, or milliseconds. */
  onContact(goodForMs: number | 'while open'): void;
  /** The connection has ended. */
  onLost(): void;
  /** @param isRefusal whether asking again soon is of no use: the key is wrong, the environment, or the request */
  onFailure(error: VexilError, isRefusal: boolean): void;
}

/** Failures of the stream in a row after which the ruleset is asked for between two attempts. */
const STREAM_FAILURES = 2;
/** A stream that lasted this long was a good one: the next failure is the first again. */
const GOOD_STREAM_MS = 10_000;
/** The longest that the service can make those wait who come again. */
const MAX_RETRY_AFTER_MS = 300_000;

/** The stream and what is held do not fit together; the whole is to be fetched anew. */
class OutOfStep extends VexilError {
  constructor(message: string) {
    super('out_of_step', message);
  }
}

/** The service ended the stream by its own will. */
class StreamClosed extends VexilError {
  constructor(readonly reason: string) {
    super(`stream_${reason}`, `The service ended the stream: ${reason.replaceAll('_', ' ')}`);
  }
}

/**
 * Keeps a store at what the service has: asks for the ruleset, follows the stream from there, comes again when it ends, and asks
 * now and then where there is no stream. Never gives up, and never takes away what is held. The protocol: docs/stream.md.
 */
export class Follower {
  private readonly ending = new AbortController();
  private readonly backoff: Backoff;
  private readonly url: (path: string) => string;
  private streamFailures = 0;
  /** What the service wants those to wait who come again, in milliseconds. */
  private retryMs = 0;
  private mustAsk = true;
  /** Whether the ruleset was asked for and came, since the last wait. */
  private isAnswered = false;
  private mustFetchWhole = false;
  /** Whether what is held came from the service, and not from a bootstrap without a name. */
  private isFromService = false;
  private readonly earlier = new EarlierState();
  /** What was refused as a request that cannot be (400, 422). */
  private refused: unknown;

  constructor(
    private readonly settings: Settings,
    private readonly store: RulesetStore,
    private readonly listener: FollowerListener,
  ) {
    const { baseUrl, environment, minBackoffMs, maxBackoffMs } = settings;
    this.url = (path) => endpoint(baseUrl, path, { environment_key: environment });
    this.backoff = new Backoff({ minMs: minBackoffMs, maxMs: maxBackoffMs });
  }

  /** Resolves after `close`. */
  async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const waitMs = await this.attempt().catch((error: unknown) => this.afterFailure(asVexilError(error)));
      if (waitMs > 0) await this.sleep(waitMs);
    }
  }

  close(): void {
    this.ending.abort();
  }

  /** @returns how long to wait before the next, in milliseconds */
  private async attempt(): Promise<number> {
    this.isAnswered = false;
    if (this.mustAsk || !this.settings.streaming) {
      await this.ask();
      if (!this.settings.streaming) return this.pollWait();
    }
    await this.follow();
    // It just ended, as when a proxy has had enough.
    throw new NetworkError('The stream ended');
  }

  private pollWait(): number {
    return this.settings.pollIntervalMs * (0.8 + 0.4 * Math.random());
  }

  private afterFailure(error: VexilError): number {
    if (this.ending.signal.aborted) return 0;
    this.listener.onLost();
    const wait = Math.max(this.backoff.next(), this.retryMs);
    if (error instanceof StreamClosed && error.reason === 'shutting_down') return wait;
    if (error.code === 'behind_client') this.earlier.forget();
    this.listener.onFailure(error, isRefusal(error) || error === this.refused);
    if (isDenied(error)) return this.settings.deniedRetryMs * (1 + Math.random());
    if (error instanceof ApiError && error.retryAfterMs !== undefined)
      return Math.max(wait, Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS));
    // The ruleset came, and only the stream does not: no need to hurry, nor to wait for long.
    return this.isAnswered && this.streamFailures > STREAM_FAILURES ? this.pollWait() : wait;
  }

  /** Asks for the ruleset, and takes it unless it is what is held. */
  private async ask(): Promise<void> {
    const { fetch, apiKey, requestTimeoutMs, pollIntervalMs } = this.settings;
    const id = this.mustFetchWhole ? undefined : this.store.held?.id;
    const answer = await send(fetch, this.url('ruleset'), {
      headers: {
        accept: 'application/json',
        'x-api-key': apiKey,
        ...(id === undefined ? {} : { 'if-none-match': `"${id}"` }),
      },
      timeoutMs: requestTimeoutMs,
      signal: this.ending.signal,
      // Who names nothing cannot be told that nothing has changed.
      ...(id === undefined ? {} : { accepts: [304] }),
    }).catch((error: unknown) => {
      if (error instanceof ValidationError) this.refused = error;
      throw error;
    });
    if (answer.status === 304) this.earlier.forget();
    else if (!this.takeAsked(answer)) return;
    this.isAnswered = true;
    this.mustFetchWhole = false;
    if (!this.settings.streaming) this.backoff.reset();
    this.mustAsk = false;
    this.listener.onContact(pollIntervalMs * 1.2 + requestTimeoutMs);
  }

  /** @returns false for what an instance has that is behind: it is left aside until nothing else has been heard of for long */
  private takeAsked({ headers, text }: Answer): boolean {
    const document = parse(text);
    const id = idOfEtag(headers.get('etag'));
    const isOld = headers.get('x-snapshot') === 'STALE';
    if (this.isLower(document) && (id === undefined || isOld || !this.earlier.isToBeTaken(id))) return false;
    this.swap(this.store.replace(document, id));
    return true;
  }

  /** Whether it would take those back who ask. A bootstrap without a name may be of any revision. */
  private isLower(document: unknown): boolean {
    const { held } = this.store;
    const isKnown = this.isFromService || held?.id !== undefined;
    return held !== undefined && isKnown && revisionOf(document) < held.compiled.revision;
  }

  private swap(swap: Swap): void {
    this.isFromService = true;
    this.earlier.forget();
    this.listener.onSwap(swap);
  }

  /** Follows the stream to its end. */
  private async follow(): Promise<void> {
    const { fetch, apiKey, requestTimeoutMs, streamSilenceMs } = this.settings;
    const id = this.mustFetchWhole ? undefined : this.store.held?.id;
    const connection = new AbortController();
    const end = (): void => connection.abort();
    this.ending.signal.addEventListener('abort', end, { once: true });
    let silence: TimeoutError | undefined;
    const watch = (ms: number): Watchdog =>
      new Watchdog(ms, () => {
        silence = new TimeoutError(`The stream was silent for ${ms} ms`);
        end();
      });
    let openedAt: number | undefined;
    this.streamFailures += 1;
    this.mustAsk = this.streamFailures >= STREAM_FAILURES;
    try {
      const { body, headers } = await open(fetch, this.url('stream'), {
        headers: {
          accept: 'text/event-stream',
          'x-api-key': apiKey,
          ...(id === undefined ? {} : { 'last-event-id': id }),
        },
        timeoutMs: requestTimeoutMs,
        signal: connection.signal,
      });
      const type = headers.get('content-type') ?? 'nothing';
      if (!body || !type.startsWith('text/event-stream')) {
        end();
        throw new NetworkError(`The stream cannot be had: something on the way answered with ${type}`);
      }
      const hears = this.ears(id !== undefined);
      // The service says something at once; who hears nothing has a proxy that keeps it back.
      let watchdog = watch(requestTimeoutMs);
      await readEvents(
        body,
        hears,
        {
          touch: () => {
            if (openedAt === undefined) {
              openedAt = performance.now();
              watchdog.stop();
              watchdog = watch(streamSilenceMs);
            } else watchdog.touch();
          },
          stop: () => watchdog.stop(),
        },
        connection.signal,
      );
      if (silence) throw silence;
    } catch (error) {
      throw silence ?? error;
    } finally {
      this.ending.signal.removeEventListener('abort', end);
      if (openedAt !== undefined && performance.now() - openedAt > GOOD_STREAM_MS) this.backoff.reset();
    }
  }

  /** What to do with what the stream says. */
  private ears(hasId: boolean) {
    let isResync = false;
    let isInStep = hasId;
    const inStep = (): void => {
      isInStep = true;
      isResync = false;
      this.streamFailures = 0;
      // Who is cut off often is soon back each time, and nobody sees what is old.
      this.backoff.ease(1);
      this.earlier.forget();
      this.mustAsk = false;
      this.mustFetchWhole = false;
      this.listener.onContact('while open');
    };
    return {
      onRetry: (ms: number): void => {
        this.retryMs = Math.min(ms, this.settings.maxBackoffMs);
        // The first thing that is said. Who came with an id hears of nothing else until something changes.
        if (isInStep) inStep();
      },
      onEvent: ({ type, data, lastEventId }: ServerSentEvent): void => {
        if (type === 'resync') isResync = true;
        else if (type === 'ruleset') {
          this.takeWhole(parse(data), lastEventId, isResync);
          inStep();
        } else if (type === 'change') {
          this.takeChange(parse(data), lastEventId);
          inStep();
        } else if (type === 'closed') throw new StreamClosed(closeReasonIn(data));
      },
    };
  }

  private takeWhole(document: unknown, id: string, isResync: boolean): void {
    // An instance that is behind. It, or another, will have what is held here.
    if (this.isLower(document) && !isResync) {
      this.mustFetchWhole = false;
      throw new NetworkError('This instance of the service is behind what is known here');
    }
    this.swap(this.store.replace(document, id));
  }

  private takeChange(change: unknown, id: string): void {
    let swap: Swap | undefined;
    try {
      swap = this.store.apply(change as RulesetChange, id);
    } catch (error) {
      this.fetchWhole();
      throw error;
    }
    if (!swap) {
      this.fetchWhole();
      throw new OutOfStep('A change does not follow what is known here; everything is fetched anew');
    }
    this.swap(swap);
  }

  private fetchWhole(): void {
    this.mustFetchWhole = true;
    this.mustAsk = true;
  }

  /** Keeps the process alive, as an open stream does. */
  private sleep(ms: number): Promise<void> {
    const { signal } = this.ending;
    return new Promise((resolve) => {
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** Whether asking again soon is of no use: the key is wrong, or the environment. */
const isRefusal = (error: VexilError): boolean =>
  isDenied(error) || (error instanceof ApiError && error.status === 404);

/** Whether it is the key that is wrong: asking again soon changes nothing. */
function isDenied(error: VexilError): boolean {
  if (error instanceof StreamClosed) return error.reason === 'access_ended';
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}

const asVexilError = (error: unknown): VexilError =>
  error instanceof VexilError ? error : new NetworkError(`The connection broke: ${reasonOf(error)}`, error);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ValidationError('What the service sent is no JSON');
  }
}

function closeReasonIn(data: string): string {
  const { reason } = (parse(data) ?? {}) as { reason?: unknown };
  return typeof reason === 'string' ? reason : 'unknown';
}

const idOfEtag = (etag: string | null): string | undefined => /^(?:W\/)?"([^"]*)"$/.exec(etag ?? '')?.[1];

function revisionOf(document: unknown): number {
  const { revision } = (document ?? {}) as { revision?: unknown };
  return typeof revision === 'number' ? revision : Infinity;
}
