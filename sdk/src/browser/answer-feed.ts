import { Backoff } from '../backoff.js';
import { aborted, deferred, linkedTo, pause } from '../deferred.js';
import { ApiError, NetworkError, ValidationError, type VexilError } from '../errors.js';
import { endpoint } from '../http.js';
import { Requester, retryAfterOf } from '../requester.js';
import type { Context, Fetch } from '../types.js';
import { readAnswerSheet, type Answers } from './answers.js';
import { followChanges } from './change-stream.js';
import { Page } from './page.js';

export interface FeedOptions {
  readonly baseUrl: string;
  readonly clientKey: string;
  readonly fetch: Fetch;
  readonly requestTimeoutMs: number;
  readonly pollIntervalMs: number;
  readonly streaming: boolean;
}

export interface FeedListener {
  /** @param context whom they are for, which is who is asking now */
  readonly onAnswers: (context: Context, answers: Answers) => void;
  /** What was told last is what the service has. */
  readonly onFresh: () => void;
  /** The service cannot be asked. @param isRefused as long as nothing is changed: asking again will hardly help */
  readonly onFailure: (error: VexilError, isRefused: boolean) => void;
  /** Changes are not told for now; answers still come, later. */
  readonly onStreamFailure: (error: VexilError) => void;
  /** The page may end now. */
  readonly onLeave: () => void;
}

const REFUSED_WAIT_MS = 300_000;
/** A stream that was open for so long works: where it ends it is opened again soon. */
const LASTING_MS = 10_000;

/**
 * Gets the answers for one context at a time, again whenever something changes: follows the stream of changes while it can,
 * and asks now and then while it cannot. Lets go of the stream while nobody looks at the page.
 */
export class AnswerFeed {
  private readonly requester: Requester;
  private readonly page: Page;
  private readonly backoff: Backoff;
  /** Its own: that the service can be asked says nothing of its stream. */
  private readonly streamBackoff: Backoff;
  private etag: string | null = null;
  private streamPath: string | undefined;

  /** What is going on: asking, following or waiting. Aborted when there is reason to begin anew. */
  private step = new AbortController();
  private settled = deferred();
  private mustAsk = true;
  private isOver = false;

  constructor(
    private readonly options: FeedOptions,
    private context: Context,
    private readonly listener: FeedListener,
  ) {
    const { baseUrl, clientKey, fetch, requestTimeoutMs, pollIntervalMs } = options;
    const once = { maxRetries: 0, maxRetryDelayMs: 0, random: Math.random };
    this.requester = new Requester({ baseUrl, apiKey: clientKey, fetch, requestTimeoutMs, ...once });
    this.backoff = new Backoff({ maxMs: pollIntervalMs });
    this.streamBackoff = new Backoff({ maxMs: pollIntervalMs });
    const again = (): void => this.step.abort();
    this.page = new Page({ onAway: again, onBack: again, onLeave: listener.onLeave });
    void this.run();
  }

  /** Asks now, for this context from now on. Resolves when there are answers, or when they cannot be had for now. */
  ask(context: Context): Promise<void> {
    this.context = context;
    this.etag = null;
    this.mustAsk = true;
    // Whoever waits for answers that were asked for before waits for these.
    const before = this.settled;
    this.settled = deferred();
    void this.settled.promise.then(before.resolve);
    this.step.abort();
    if (this.isOver) this.settled.resolve();
    return this.settled.promise;
  }

  stop(): void {
    this.isOver = true;
    this.page.stop();
    this.step.abort();
    this.requester.close();
    this.settled.resolve();
  }

  private async run(): Promise<void> {
    while (!this.isOver) {
      this.step = new AbortController();
      const { signal } = this.step;
      if (this.page.isAway && !this.mustAsk) await aborted(signal);
      else await pause(await this.turn(signal), signal);
    }
  }

  /** Asks, then follows the changes while that is possible. @returns how long to wait then, in milliseconds */
  private async turn(signal: AbortSignal): Promise<number> {
    try {
      await this.refresh(signal);
    } catch (error) {
      return signal.aborted ? 0 : this.fail(error as VexilError);
    }
    if (this.page.isAway) return 0;
    const { streaming, pollIntervalMs } = this.options;
    if (!streaming || this.streamPath === undefined) return pollIntervalMs;
    return this.follow(signal, this.streamPath);
  }

  private async follow(signal: AbortSignal, path: string): Promise<number> {
    const { baseUrl, fetch, requestTimeoutMs } = this.options;
    const { controller: stream, unlink } = linkedTo(signal);
    let failure: VexilError | undefined;
    const onChange = this.asker(stream.signal, (error) => {
      failure = error;
      stream.abort();
    });
    let openedAt = Infinity;
    const onOpen = (): void => void (openedAt = performance.now());
    let retryAfterMs = 0;
    try {
      const url = endpoint(baseUrl, path);
      await followChanges({ url, fetch, requestTimeoutMs, signal: stream.signal, onOpen, onChange });
    } catch (error) {
      if (signal.aborted) return 0;
      this.listener.onStreamFailure(error as VexilError);
      retryAfterMs = retryAfterOf(error);
    } finally {
      unlink();
    }
    if (performance.now() - openedAt >= LASTING_MS) this.streamBackoff.reset();
    if (signal.aborted) return 0;
    if (failure) return this.fail(failure);
    return Math.max(this.streamWait(), retryAfterMs);
  }

  /** Once or twice it may be bad luck; then the answers are asked for as if there were no stream. In milliseconds. */
  private streamWait(): number {
    const wait = this.streamBackoff.next();
    return this.streamBackoff.failures > 2 ? this.options.pollIntervalMs : wait;
  }

  /** Asks when it is called, and once more when it was called meanwhile. */
  private asker(signal: AbortSignal, onFailure: (error: VexilError) => void): (etag?: string) => void {
    let wanted: { readonly etag: string | undefined } | undefined;
    let isAsking = false;
    const run = async (): Promise<void> => {
      isAsking = true;
      try {
        while (wanted) {
          const { etag } = wanted;
          wanted = undefined;
          await this.refresh(signal, etag);
        }
      } catch (error) {
        if (!signal.aborted) onFailure(error as VexilError);
      }
      isAsking = false;
    };
    return (etag) => {
      wanted = { etag };
      if (!isAsking) void run();
    };
  }

  /** @param known the state that the answer must not be older than */
  private async refresh(signal: AbortSignal, known?: string): Promise<void> {
    const { context } = this;
    const answer = await this.requester.ask({
      method: 'POST',
      path: 'ofrep/v1/evaluate/flags',
      ...(known === undefined ? {} : { query: { flagConfigEtag: known } }),
      headers: this.etag === null ? {} : { 'If-None-Match': this.etag },
      body: { context },
      isIdempotent: true,
      accepts: [304],
      signal,
    });
    // Meanwhile somebody else may be asking.
    if (signal.aborted) return;
    if (answer.status !== 304) {
      const sheet = readAnswerSheet(answer.body);
      if (!sheet) throw new NetworkError('The service answered something that is no answer about flags');
      this.etag = answer.header('etag');
      this.streamPath = sheet.streamPath;
      this.page.awayAfterMs = sheet.inactivityMs;
      this.listener.onAnswers(context, sheet.answers);
    }
    this.mustAsk = false;
    this.backoff.reset();
    this.listener.onFresh();
    this.settled.resolve();
  }

  /** @returns how long to wait before asking again, in milliseconds */
  private fail(error: VexilError): number {
    this.mustAsk = false;
    const status = error instanceof ApiError ? error.status : 0;
    const isDenied = status === 401 || status === 403 || error instanceof ValidationError;
    const wait = Math.max(this.backoff.next(), retryAfterOf(error));
    this.listener.onFailure(error, isDenied || status === 404);
    this.settled.resolve();
    // What is not there may be there soon: a service that starts, or is moved.
    return isDenied ? REFUSED_WAIT_MS : wait;
  }
}
