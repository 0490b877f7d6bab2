import { deferred } from '../deferred.js';
import { VexilError } from '../errors.js';
import { Emitter, type Listener } from '../events.js';
import { ExposureQueue } from '../exposure-queue.js';
import type { Drop, ExposureCounts, ExposureOptions } from '../exposures.js';
import { globalFetch, reasonOf } from '../http.js';
import {
  harmless,
  isVisibleAscii,
  MOST_MS,
  MUST_BE_VISIBLE,
  OptionFlaws,
  type Fields,
} from '../option-flaws.js';
import { readyInTime, type ReadyOptions } from '../ready-in-time.js';
import { stableContext, stableJson } from '../stable-json.js';
import { suits } from '../suits.js';
import { unitOf, type TrackDetails } from '../unit.js';
import type { Context, EvaluationResult, Fetch, JsonValue, Logger, Widened } from '../types.js';
import { AnswerFeed } from './answer-feed.js';
import { changedKeys, type Answer, type Answers } from './answers.js';
import { AnswerStorage, pageStorage, type KeyValueStorage } from './answer-storage.js';

export interface BrowserClientOptions {
  /** Where the service is, with the base path it is under, if any: `https://flags.example.com/vexil`. */
  readonly baseUrl: string;
  /** A client key of the service; it says which environment is meant. */
  readonly clientKey: string;
  /** Who is asking; nobody in particular unless said otherwise. */
  readonly context?: Context;
  /** Where the last answers are kept between visits: `localStorage` unless said otherwise, `null` for nowhere. */
  readonly storage?: KeyValueStorage | null;
  /** How often to ask where changes are not told, and at the most after failures, in milliseconds; 60,000 unless said otherwise, at least 1,000. */
  readonly pollIntervalMs?: number;
  /** Whether to follow the stream of changes; true unless said otherwise. */
  readonly streaming?: boolean;
  /** How long one request may take, in milliseconds; 10,000 unless said otherwise. */
  readonly requestTimeoutMs?: number;
  /** Who is told of variants that were given; nobody unless said otherwise. */
  readonly exposures?: ExposureOptions;
  /** The console unless said otherwise. */
  readonly logger?: Logger;
  /** The global `fetch` unless said otherwise. */
  readonly fetch?: Fetch;
}

export interface BrowserClientEvents {
  /** There are answers: for the first time, or again after they were stale. */
  readonly ready: undefined;
  /** Answers are others than before. */
  readonly change: { readonly flagsChanged: readonly string[] };
  /** The service cannot be asked; the last answers stay. */
  readonly stale: undefined;
  readonly error: VexilError;
  /** Exposures were given up. */
  readonly drop: Drop;
}

const NOT_READY: Answer = {
  value: undefined,
  variant: undefined,
  reason: 'ERROR',
  errorCode: 'PROVIDER_NOT_READY',
  flagVersion: undefined,
};
const NOT_FOUND: Answer = { ...NOT_READY, errorCode: 'FLAG_NOT_FOUND' };

/**
 * Answers for one context at a time, for a page. It is sent answers, never rules; asks again when the context or a flag
 * changes; and keeps the last answers while the service is away.
 */
export class BrowserClient {
  private readonly logger: Logger;
  private readonly storage: AnswerStorage;
  private readonly exposures: ExposureQueue | undefined;
  private readonly emitter: Emitter<BrowserClientEvents>;
  private readonly feed: AnswerFeed;
  /** Kept when there are answers; broken by what makes waiting useless, and then there is a new one. */
  private first = deferred();
  /** Why waiting for the first answers is useless, for now. */
  private refusal: VexilError | undefined;
  private context: Context;
  private answers: Answers | undefined;
  /** Whom the answers are for: who is asking may be another one already. */
  private unit: string | undefined;
  /** Whether the answers are from another visit, or of another context. */
  private isOutdated = true;
  /** Whether the service was out of reach, or never asked. */
  private isAway = true;
  private isFailing = false;

  /** @throws ValidationError when an option cannot be used */
  constructor(options: BrowserClientOptions) {
    refuseFlaws(options);
    const { baseUrl, clientKey, context = {}, storage = pageStorage(), exposures } = options;
    this.logger = harmless(options.logger ?? console);
    this.emitter = new Emitter((error) => this.logger.error(`vexil: a listener failed: ${String(error)}`));
    this.storage = new AnswerStorage(storage ?? undefined, `${baseUrl}\n${clientKey}`);
    if (exposures) {
      this.exposures = new ExposureQueue(exposures, { onDrop: (drop) => this.emitter.emit('drop', drop) });
    }
    this.context = context;
    this.takeKept(context);
    const {
      fetch = globalFetch,
      requestTimeoutMs = 10_000,
      pollIntervalMs = 60_000,
      streaming = true,
    } = options;
    this.feed = new AnswerFeed(
      { baseUrl, clientKey, fetch, requestTimeoutMs, pollIntervalMs, streaming },
      context,
      {
        onAnswers: (whose, answers) => {
          this.storage.save(whose, answers);
          this.take(whose, answers);
        },
        onFresh: () => this.onFresh(),
        onFailure: (error, isRefused) => this.onFailure(error, isRefused),
        onStreamFailure: (error) => this.emitter.emit('error', error),
        onLeave: () => void this.exposures?.flush(),
      },
    );
  }

  /**
   * Resolves when there are answers: from the last visit at once, else from the service.
   * @throws TimeoutError; ApiError when the key is refused. The client goes on trying.
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    if (this.refusal && !this.answers) throw this.refusal;
    return readyInTime(() => this.first.promise, options);
  }

  /** Whether a flag is on: for boolean flags its value, for others whether it serves something. @param fallback where nobody knows */
  isEnabled(flagKey: string, fallback = false): boolean {
    const answer = this.answerOf(flagKey);
    if (answer.errorCode !== undefined) return fallback;
    this.expose(flagKey, answer);
    return isOn(answer);
  }

  /** What a flag serves. @param fallback where it serves nothing, or nothing of the fallback's type; `null` takes every type */
  value<T extends JsonValue>(flagKey: string, fallback: T): Widened<T> {
    return this.evaluate(flagKey, fallback).value;
  }

  /** What a flag serves, and why. */
  evaluate(flagKey: string): EvaluationResult;
  evaluate<T extends JsonValue>(flagKey: string, fallback: T): EvaluationResult<Widened<T>>;
  evaluate(flagKey: string, fallback?: JsonValue): EvaluationResult {
    const answer = this.answerOf(flagKey);
    const isMismatch = answer.value !== undefined && !suits(answer.value, fallback);
    if (!isMismatch) this.expose(flagKey, answer);
    return {
      flagKey,
      value: isMismatch ? fallback : answer.value === undefined ? fallback : answer.value,
      variant: isMismatch ? undefined : answer.variant,
      reason: isMismatch ? 'ERROR' : answer.reason,
      errorCode: isMismatch ? 'TYPE_MISMATCH' : answer.errorCode,
      isEnabled: !isMismatch && isOn(answer),
      flagVersion: answer.flagVersion,
      revision: undefined,
      stale: this.isStale,
    };
  }

  /** All answers there are, by flag key; nobody is counted as exposed. */
  evaluateAll(): Readonly<Record<string, EvaluationResult>> {
    const all = Object.create(null) as Record<string, EvaluationResult>;
    const stale = this.isStale;
    for (const [flagKey, answer] of this.answers ?? [])
      all[flagKey] = { flagKey, ...answer, isEnabled: isOn(answer), revision: undefined, stale };
    return all;
  }

  /**
   * Says who is asking from now on. Resolves when the answers are there; also when they cannot be had for now, which `error`
   * tells and `stale` says of every answer: until they come, those of the context before stay.
   * @throws ValidationError when it is not plain JSON; the context before stays
   */
  async setContext(context: Context): Promise<void> {
    const isAnother = stableContext(context) !== stableJson(this.context);
    this.context = context;
    if (isAnother) {
      this.isOutdated = true;
      this.takeKept(context);
    }
    return this.feed.ask(context);
  }

  /** Asks again, now. Resolves as `setContext` does. */
  refresh(): Promise<void> {
    return this.feed.ask(this.context);
  }

  /** Tells that something happened which a variant may have led to. */
  track(name: string, details: TrackDetails = {}): void {
    if (!this.exposures) return;
    try {
      const { value, ...attributes } = (details as TrackDetails | null) ?? {};
      this.exposures.track({ name, unit: unitOf(this.context), value, attributes });
    } catch (error) {
      this.logger.warn(`vexil: '${name}' is not tracked: ${reasonOf(error)}`);
    }
  }

  /** @returns ends it */
  on<Name extends keyof BrowserClientEvents>(
    name: Name,
    listener: Listener<BrowserClientEvents[Name]>,
  ): () => void {
    return this.emitter.on(name, listener);
  }

  /** Whether answers may be old: they are from the last visit, of another context, or the service is out of reach. */
  get isStale(): boolean {
    return this.isOutdated || this.isAway;
  }

  /** What became of exposures; `undefined` without a sink. */
  get exposureCounts(): ExposureCounts | undefined {
    return this.exposures?.counts;
  }

  /** Ends everything, and delivers what is still waiting. The last answers stay. */
  async close(): Promise<void> {
    this.feed.stop();
    this.refuse(new VexilError('closed', 'The client is closed'));
    await this.exposures?.close();
    this.emitter.clear();
  }

  private takeKept(context: Context): void {
    const kept = this.storage.load(context);
    if (kept) this.take(context, kept);
  }

  private take(whose: Context, answers: Answers): void {
    const before = this.answers;
    this.answers = answers;
    this.unit = unitOf(whose);
    this.first.resolve();
    if (!before) return;
    const flagsChanged = changedKeys(before, answers);
    if (flagsChanged.length > 0) this.emitter.emit('change', { flagsChanged });
  }

  private onFresh(): void {
    this.isFailing = false;
    this.refusal = undefined;
    const wasAway = this.isAway;
    this.isAway = false;
    this.isOutdated = false;
    if (wasAway) this.emitter.emit('ready', undefined);
  }

  private onFailure(error: VexilError, isRefused: boolean): void {
    if (!this.isFailing) this.logger.warn(`vexil: ${error.message}`);
    this.isFailing = true;
    if (isRefused) this.refuse(error);
    else this.refusal = undefined;
    this.emitter.emit('error', error);
    if (this.isAway) return;
    this.isAway = true;
    this.emitter.emit('stale', undefined);
  }

  /** Whoever waits for the first answers hears it; whoever comes later waits for what becomes of it. */
  private refuse(error: VexilError): void {
    this.refusal = error;
    this.first.reject(error);
    if (!this.answers) this.first = deferred();
  }

  private answerOf(flagKey: string): Answer {
    if (!this.answers) return NOT_READY;
    return this.answers.get(flagKey) ?? NOT_FOUND;
  }

  private expose(flagKey: string, { variant, flagVersion }: Answer): void {
    const { unit } = this;
    if (variant === undefined || unit === undefined) return;
    this.exposures?.expose({ flagKey, variant, unit, flagVersion, revision: undefined });
  }
}

/** Makes a client and lets it begin. @throws ValidationError when an option cannot be used */
export const createBrowserClient = (options: BrowserClientOptions): BrowserClient =>
  new BrowserClient(options);

/** @throws ValidationError that names every option that cannot be */
function refuseFlaws(options: BrowserClientOptions | undefined): void {
  const given = { ...options } as Fields;
  const flaws = new OptionFlaws();
  flaws.baseUrl(given['baseUrl']);
  const { clientKey, context, storage } = given;
  if (typeof clientKey !== 'string' || clientKey === '') flaws.add('clientKey', 'is missing');
  // Whoever opens the page could take it.
  else if (/^vx_(?!client_)/.test(clientKey))
    flaws.add('clientKey', 'must be a client key: others are secrets');
  else if (!isVisibleAscii(clientKey)) flaws.add('clientKey', MUST_BE_VISIBLE);
  if (context !== undefined && (typeof context !== 'object' || context === null))
    flaws.add('context', 'must be an object');
  else if (!isJson(context)) flaws.add('context', 'must be plain JSON');
  if (storage !== undefined && typeof storage !== 'object')
    flaws.add('storage', 'must be like localStorage, or null');
  flaws.number('pollIntervalMs', given['pollIntervalMs'], [1_000, MOST_MS]);
  flaws.number('requestTimeoutMs', given['requestTimeoutMs'], [1, MOST_MS]);
  flaws.shared(given);
  flaws.refuse();
}

function isJson(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

function isOn({ value, reason, errorCode }: Answer): boolean {
  if (typeof value === 'boolean') return value;
  return value !== undefined && errorCode === undefined && reason !== 'DISABLED';
}
