import type { VexilError } from '../errors.js';
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
import { Requester } from '../requester.js';
import { readyInTime, type ReadyOptions } from '../ready-in-time.js';
import { suits } from '../suits.js';
import type { Context, EvaluationResult, Fetch, JsonValue, Logger, Widened } from '../types.js';
import type { CacheCounts } from './answer-cache.js';
import {
  FlagManagement,
  type EditOptions,
  type Flag,
  type FlagChange,
  type FlagFilter,
  type NewFlag,
} from './flag-management.js';
import { RemoteAnswers } from './remote-answers.js';
import { unitOf, type TrackDetails } from '../unit.js';
import type { RemoteAnswer } from './wire.js';

export interface RemoteClientOptions {
  /** Where the service is, with the base path it is under, if any: `https://flags.example.com/vexil`. */
  readonly baseUrl: string;
  /** The key of an environment. */
  readonly environment: string;
  /** A server key to evaluate, an admin key to manage flags; none where the service evaluates for everybody. */
  readonly apiKey?: string;
  /** How long one attempt may take, in milliseconds; 5,000 unless said otherwise. */
  readonly requestTimeoutMs?: number;
  /** How often a request that does no harm twice is sent again after a failure that may pass; 2 unless said otherwise. */
  readonly maxRetries?: number;
  /** The longest wait between attempts, in milliseconds; 10,000 unless said otherwise. A `Retry-After` beyond it ends the call. */
  readonly maxRetryDelayMs?: number;
  /** How long an answer is given again without asking, in milliseconds; 60,000 unless said otherwise, 0 for never. */
  readonly cacheTtlMs?: number;
  /** How many answers are kept; 10,000 unless said otherwise. */
  readonly cacheMaxEntries?: number;
  /** How long after its time an answer is given while the service cannot be asked, in milliseconds; for ever unless said otherwise. */
  readonly maxStaleMs?: number;
  /** Who is told of variants that were given; nobody unless said otherwise. */
  readonly exposures?: ExposureOptions;
  /** The console unless said otherwise. */
  readonly logger?: Logger;
  /** The global `fetch` unless said otherwise. */
  readonly fetch?: Fetch;
}

export interface RemoteClientEvents {
  /** The service answers: for the first time, or again after it did not. */
  readonly ready: undefined;
  /** The service cannot be asked, or refuses the key; in an outage what is kept is answered. */
  readonly stale: undefined;
  /** A request failed, after all attempts. */
  readonly error: VexilError;
  /** Exposures were given up. */
  readonly drop: Drop;
}

export interface EvaluateOptions {
  /** Whether to tell every step. Needs a server key or an admin key, and is never kept. */
  readonly explain?: boolean;
}

/**
 * Asks the service for each decision, and keeps answers for a while: for programs that decide now and then, or may not hold rules.
 * `isEnabled` and `value` never fail: they answer the fallback. The others tell what went wrong.
 */
export class RemoteClient {
  private readonly logger: Logger;
  private readonly requester: Requester;
  private readonly answers: RemoteAnswers;
  private readonly flags: FlagManagement;
  private readonly exposures: ExposureQueue | undefined;
  private readonly emitter: Emitter<RemoteClientEvents>;
  private isAnswered: boolean | undefined;
  /** The code of the failure that was logged last. */
  private logged: string | undefined;

  /** @throws ValidationError when an option cannot be used */
  constructor(options: RemoteClientOptions) {
    refuseFlaws(options);
    const { baseUrl, environment, apiKey, exposures } = options;
    this.logger = harmless(options.logger ?? console);
    this.emitter = new Emitter((error) => this.logger.error(`vexil: a listener failed: ${String(error)}`));
    this.requester = new Requester({
      baseUrl,
      apiKey,
      fetch: options.fetch ?? globalFetch,
      requestTimeoutMs: options.requestTimeoutMs ?? 5_000,
      maxRetries: options.maxRetries ?? 2,
      maxRetryDelayMs: options.maxRetryDelayMs ?? 10_000,
      random: Math.random,
    });
    this.answers = new RemoteAnswers(this.requester, {
      environment,
      ttlMs: options.cacheTtlMs ?? 60_000,
      staleMs: options.maxStaleMs ?? Number.POSITIVE_INFINITY,
      maxEntries: options.cacheMaxEntries ?? 10_000,
      now: () => performance.now(),
      onAnswer: () => this.onAnswer(),
      onFailure: (error, isAway) => this.onFailure(error, isAway),
    });
    this.flags = new FlagManagement(this.requester, environment, () => this.answers.clear());
    if (exposures) {
      this.exposures = new ExposureQueue(exposures, { onDrop: (drop) => this.emitter.emit('drop', drop) });
    }
  }

  /**
   * Resolves when the service has answered for this environment, with this key.
   * @throws TimeoutError; VexilError of the last attempt; ValidationError when there is no such environment
   */
  ready(options: ReadyOptions = {}): Promise<void> {
    return readyInTime(() => this.answers.probe(), options);
  }

  /** Whether a flag is on; the fallback where nobody knows. Never rejects. */
  async isEnabled(flagKey: string, context: Context = {}, fallback = false): Promise<boolean> {
    try {
      const result = await this.result(flagKey, context);
      if (result.errorCode !== undefined) return fallback;
      this.expose(result, context);
      return result.isEnabled;
    } catch {
      return fallback;
    }
  }

  /** What a flag serves; the fallback where it serves nothing, nothing of its type, or where nobody knows. Never rejects. */
  async value<T extends JsonValue>(
    flagKey: string,
    context: Context | undefined,
    fallback: T,
  ): Promise<Widened<T>> {
    try {
      return (await this.evaluate<T>(flagKey, context, fallback)).value;
    } catch {
      return fallback as Widened<T>;
    }
  }

  /**
   * The same with the reason. A flag that is not there is `ERROR` with `FLAG_NOT_FOUND`.
   * @throws NetworkError, TimeoutError, ApiError, ValidationError when there is no answer, nor one kept
   */
  async evaluate(
    flagKey: string,
    context?: Context,
    fallback?: undefined,
    options?: EvaluateOptions,
  ): Promise<EvaluationResult>;
  async evaluate<T extends JsonValue>(
    flagKey: string,
    context: Context | undefined,
    fallback: T,
    options?: EvaluateOptions,
  ): Promise<EvaluationResult<Widened<T>>>;
  async evaluate(
    flagKey: string,
    context: Context = {},
    fallback?: JsonValue,
    { explain = false }: EvaluateOptions = {},
  ): Promise<EvaluationResult> {
    const result = await this.result(flagKey, context, explain);
    const { value } = result;
    if (value !== undefined && !suits(value, fallback)) {
      const mismatch = { reason: 'ERROR', errorCode: 'TYPE_MISMATCH', isEnabled: false } as const;
      return { ...result, ...mismatch, value: fallback, variant: undefined };
    }
    this.expose(result, context);
    return value === undefined ? { ...result, value: fallback } : result;
  }

  /**
   * All flags, or those of the keys, by flag key, in as few requests as can be; keys of no flag are left out. Nobody is counted as exposed.
   * @throws as `evaluate` does
   */
  async evaluateAll(context?: Context): Promise<Readonly<Record<string, EvaluationResult>>>;
  async evaluateAll(
    flagKeys: readonly string[],
    context?: Context,
  ): Promise<Readonly<Record<string, EvaluationResult>>>;
  async evaluateAll(
    first: readonly string[] | Context = {},
    second: Context = {},
  ): Promise<Readonly<Record<string, EvaluationResult>>> {
    const isKeys = Array.isArray(first);
    const [keys, context] = isKeys ? [first as readonly string[], second] : [undefined, first as Context];
    const results = await this.answers.ask(context, keys);
    const all = Object.create(null) as Record<string, EvaluationResult>;
    for (const result of results) if (result.errorCode !== 'FLAG_NOT_FOUND') all[result.flagKey] = result;
    return all;
  }

  /** Flags of the environment, by key. Needs an admin key. @throws ApiError, NetworkError, TimeoutError */
  listFlags(filter: FlagFilter = {}): Promise<readonly Flag[]> {
    return this.flags.list(filter);
  }

  /** Needs an admin key. @throws FlagNotFound, ApiError, NetworkError, TimeoutError */
  getFlag(key: string): Promise<Flag> {
    return this.flags.get(key);
  }

  /** Makes a flag in the environment. Needs an admin key. @throws ValidationError; ApiError 409 when there is one */
  createFlag(flag: NewFlag): Promise<Flag> {
    return this.flags.create(flag);
  }

  /** Changes what is named. Needs an admin key. @throws FlagNotFound, ValidationError; ApiError 412 when it is not that version */
  updateFlag(key: string, change: FlagChange, options: EditOptions = {}): Promise<Flag> {
    return this.flags.update(key, change, options);
  }

  /** Takes a flag from the environment. Needs an admin key of the role admin. @throws FlagNotFound; ApiError 409 while others need it */
  deleteFlag(key: string, options: EditOptions = {}): Promise<void> {
    return this.flags.delete(key, options);
  }

  /** Forgets the answers that are kept. */
  clearCache(): void {
    this.answers.clear();
  }

  get cacheCounts(): CacheCounts {
    return this.answers.counts;
  }

  /** Tells that something happened which a variant may have led to. */
  track(name: string, context: Context = {}, details: TrackDetails = {}): void {
    if (!this.exposures) return;
    try {
      const { value, ...attributes } = (details as TrackDetails | null) ?? {};
      this.exposures.track({ name, unit: unitOf(context), value, attributes });
    } catch (error) {
      this.logger.warn(`vexil: '${name}' is not tracked: ${reasonOf(error)}`);
    }
  }

  /** @returns ends it */
  on<Name extends keyof RemoteClientEvents>(
    name: Name,
    listener: Listener<RemoteClientEvents[Name]>,
  ): () => void {
    return this.emitter.on(name, listener);
  }

  /** What became of exposures; `undefined` without a sink. */
  get exposureCounts(): ExposureCounts | undefined {
    return this.exposures?.counts;
  }

  /** Ends what is running, and delivers what is still waiting. */
  async close(): Promise<void> {
    this.requester.close();
    await this.exposures?.close();
    this.emitter.clear();
  }

  private async result(flagKey: string, context: Context, explain = false): Promise<EvaluationResult> {
    if (explain) return { ...(await this.answers.explain(context, flagKey)), stale: false };
    const [result] = await this.answers.ask(context, [flagKey]);
    return result ?? notFound(flagKey);
  }

  private onAnswer(): void {
    if (this.isAnswered === true) return;
    this.isAnswered = true;
    this.logged = undefined;
    this.emitter.emit('ready', undefined);
  }

  /** Logs what is new: an outage is told once, and so is a key that is refused in it. */
  private onFailure(error: VexilError, isAway: boolean): void {
    if (this.logged !== error.code) this.logger.warn(`vexil: ${error.message}`);
    this.logged = error.code;
    if (isAway && this.isAnswered !== false) {
      this.isAnswered = false;
      this.emitter.emit('stale', undefined);
    }
    this.emitter.emit('error', error);
  }

  private expose({ flagKey, variant, flagVersion, revision }: RemoteAnswer, context: Context): void {
    const unit = unitOf(context);
    if (!this.exposures || variant === undefined || unit === undefined) return;
    this.exposures.expose({ flagKey, variant, unit, flagVersion, revision });
  }
}

/** @throws ValidationError when an option cannot be used */
export const createRemoteClient = (options: RemoteClientOptions): RemoteClient => new RemoteClient(options);

/** @throws ValidationError that names every option that cannot be */
function refuseFlaws(options: RemoteClientOptions | undefined): void {
  const given = { ...options } as Fields;
  const flaws = new OptionFlaws();
  flaws.baseUrl(given['baseUrl']);
  const { environment, apiKey } = given;
  if (typeof environment !== 'string' || environment === '') flaws.add('environment', 'is missing');
  if (apiKey === '') flaws.add('apiKey', 'is empty');
  else if (apiKey !== undefined && typeof apiKey !== 'string') flaws.add('apiKey', 'must be a text');
  else if (apiKey !== undefined && !isVisibleAscii(apiKey)) flaws.add('apiKey', MUST_BE_VISIBLE);
  flaws.number('requestTimeoutMs', given['requestTimeoutMs'], [1, MOST_MS]);
  flaws.whole('maxRetries', given['maxRetries'], [0, 100]);
  flaws.number('maxRetryDelayMs', given['maxRetryDelayMs'], [0, MOST_MS]);
  for (const path of ['cacheTtlMs', 'cacheMaxEntries', 'maxStaleMs'])
    flaws.number(path, given[path], [0, Infinity]);
  flaws.shared(given);
  flaws.refuse();
}

const notFound = (flagKey: string): EvaluationResult => ({
  flagKey,
  value: undefined,
  variant: undefined,
  reason: 'ERROR',
  errorCode: 'FLAG_NOT_FOUND',
  isEnabled: false,
  flagVersion: undefined,
  revision: undefined,
  stale: false,
});
