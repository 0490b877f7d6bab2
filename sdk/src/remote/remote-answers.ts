import { FlagNotFound, ValidationError, type VexilError } from '../errors.js';
import { mayPass, retryAfterOf, type ApiRequest, type Requester } from '../requester.js';
import { stableContext } from '../stable-json.js';
import type { Context, EvaluationResult } from '../types.js';
import { AnswerCache, type CacheCounts, type CacheOptions } from './answer-cache.js';
import { keySegment } from './key-segment.js';
import { readAnswer, readAnswers, type RemoteAnswer } from './wire.js';

/** What the service answers at once. */
const MOST_KEYS = 1_000;
/** What it reads of a question, in bytes, with room for what stands around context and keys. */
const MOST_BYTES = 60_000;
/** The longest key that it takes, in UTF-16 units. One that is longer is of no flag. */
const MOST_KEY_LENGTH = 200;
/** After a failure kept answers are given without asking for so long, at least. */
const REST_MS = 1_000;

export interface RemoteAnswersOptions extends CacheOptions {
  readonly environment: string;
  readonly onAnswer: () => void;
  /** Told every failure. @param isAway whether the service cannot be asked at all, or not with this key */
  readonly onFailure: (error: VexilError, isAway: boolean) => void;
}

/**
 * Answers from the cache, or else from the service: questions that are the same are asked once, and questions about the same
 * context that come together are asked together. What the service cannot be asked is answered by what is kept.
 */
export class RemoteAnswers {
  private readonly cache: AnswerCache<RemoteAnswer>;
  /** All flags of a context, by what makes it the same. */
  private readonly whole: AnswerCache<readonly RemoteAnswer[]>;
  private readonly running = new Map<string, Running>();
  /** Flags that wait for the others of this moment, by context. */
  private readonly gathering = new Map<string, { keys: Set<string>; answers: Promise<ByKey> }>();
  private restUntil = Number.NEGATIVE_INFINITY;
  /** Until when the service wants to hear nothing, and what it said. */
  private refusal: { readonly until: number; readonly error: unknown } | undefined;
  /** Changes when answers that are still to come must not be kept. */
  private generation = 0;

  constructor(
    private readonly requester: Requester,
    private readonly options: RemoteAnswersOptions,
  ) {
    this.cache = new AnswerCache(options);
    this.whole = new AnswerCache({ ...options, maxEntries: Math.ceil(options.maxEntries / 100) });
  }

  get counts(): CacheCounts {
    const [one, all] = [this.cache.counts, this.whole.counts];
    return {
      size: one.size + all.size,
      hits: one.hits + all.hits,
      misses: one.misses + all.misses,
      stale: one.stale + all.stale,
    };
  }

  clear(): void {
    this.generation += 1;
    // What is under way may have been answered before.
    this.running.clear();
    this.gathering.clear();
    this.cache.clear();
    this.whole.clear();
  }

  /** @param flagKeys all flags without them. @throws VexilError when there is neither an answer nor one that is kept */
  async ask(context: Context, flagKeys?: readonly string[]): Promise<EvaluationResult[]> {
    const who = this.whoIs(context);
    if (flagKeys === undefined) return this.askAll(context, who);
    // One that cannot be a flag's would have the service refuse the others, which somebody else may have asked about.
    const keys = [...new Set(flagKeys)].filter(
      (key: unknown) => typeof key === 'string' && key.length <= MOST_KEY_LENGTH,
    );
    const found = new Map<string, EvaluationResult>();
    const missing: string[] = [];
    for (const key of keys) {
      const kept = this.cache.fresh(placeOf(who, key));
      if (kept) found.set(key, { ...kept, stale: false });
      else missing.push(key);
    }
    if (missing.length > 0) {
      for (const result of await this.askMissing(context, who, missing)) found.set(result.flagKey, result);
    }
    return keys.flatMap((key) => found.get(key) ?? []);
  }

  /** Whether the service answers for this environment, with this key. @throws VexilError */
  async probe(): Promise<void> {
    const body = { environment_key: this.options.environment, flag_keys: [] };
    const request = { method: 'POST', path: 'evaluate', body, isIdempotent: true } as const;
    await this.told(request, (answer) => {
      const { reason } = (answer ?? {}) as { readonly reason?: unknown };
      if (typeof reason === 'string') throw new ValidationError(reason);
      readAnswers(answer);
    });
  }

  /** With every step; never kept. @throws VexilError */
  async explain(context: Context, flagKey: string): Promise<RemoteAnswer> {
    this.whoIs(context);
    const body = { environment_key: this.options.environment, context, explain: true };
    const path = `evaluate/${keySegment(flagKey)}`;
    return this.told({ method: 'POST', path, body, isIdempotent: true }, readAnswer);
  }

  /** The same text for the same context. @throws ValidationError when it cannot be sent, which is told as well */
  private whoIs(context: Context): string {
    try {
      return stableContext(context);
    } catch (error) {
      this.options.onFailure(error as VexilError, false);
      throw error;
    }
  }

  private async askMissing(
    context: Context,
    who: string,
    keys: readonly string[],
  ): Promise<EvaluationResult[]> {
    const resting = this.options.now() < this.restUntil ? this.kept(who, keys) : undefined;
    if (resting) return resting;
    try {
      const answers = await this.gather(context, who, keys);
      return keys.flatMap((key) => {
        const answer = answers.get(key);
        return answer ? [{ ...answer, stale: false }] : [];
      });
    } catch (error) {
      const kept = mayPass(error) ? this.kept(who, keys) : undefined;
      if (!kept) throw error;
      return kept;
    }
  }

  private async askAll(context: Context, who: string): Promise<EvaluationResult[]> {
    const marked = (answers: readonly RemoteAnswer[], stale: boolean): EvaluationResult[] =>
      answers.map((answer) => ({ ...answer, stale }));
    const fresh = this.whole.fresh(who);
    if (fresh) return marked(fresh, false);
    const isResting = this.options.now() < this.restUntil;
    const resting = isResting ? this.whole.last(who) : undefined;
    if (resting) return marked(resting, true);
    try {
      const { generation } = this;
      const answers = await (this.running.get(who) ?? this.share([who], () => this.fetch(context)));
      if (generation === this.generation) this.whole.set(who, answers);
      return marked(answers, false);
    } catch (error) {
      const kept = mayPass(error) ? this.whole.last(who) : undefined;
      if (!kept) throw error;
      return marked(kept, true);
    }
  }

  /** What is kept of all of them, however old; `undefined` unless it is all. */
  private kept(who: string, keys: readonly string[]): EvaluationResult[] | undefined {
    const found = keys.map((key) => this.cache.last(placeOf(who, key)));
    return found.every((answer) => answer !== undefined)
      ? found.map((answer) => ({ ...answer, stale: true }))
      : undefined;
  }

  /** Waits for the end of this moment, so that all who ask about one context now are one request. */
  private async gather(context: Context, who: string, keys: readonly string[]): Promise<ByKey> {
    const open = this.gathering.get(who);
    if (open) {
      for (const key of keys) open.keys.add(key);
      return open.answers;
    }
    const wanted = new Set(keys);
    const answers = Promise.resolve().then(() => {
      if (this.gathering.get(who)?.keys === wanted) this.gathering.delete(who);
      return this.fetchKeys(context, who, [...wanted]);
    });
    this.gathering.set(who, { keys: wanted, answers });
    return answers;
  }

  /** Asks for those that are not being asked for already. */
  private async fetchKeys(context: Context, who: string, keys: readonly string[]): Promise<ByKey> {
    const { generation } = this;
    const asked = keys.filter((key) => !this.running.has(placeOf(who, key)));
    for (const part of inParts(asked, MOST_BYTES - bytesOf(who))) {
      const places = part.map((key) => placeOf(who, key));
      void this.share(places, async () => {
        const found = await this.fetch(context, part);
        if (generation === this.generation) {
          for (const answer of found) this.cache.set(placeOf(who, answer.flagKey), answer);
        }
        return found;
      });
    }
    const running = keys.flatMap((key) => this.running.get(placeOf(who, key)) ?? []);
    const parts = await Promise.all([...new Set(running)]);
    return new Map(parts.flat().map((answer) => [answer.flagKey, answer]));
  }

  /** Asks, for all who come to these places until there is an answer. */
  private share(places: readonly string[], ask: () => Promise<readonly RemoteAnswer[]>): Running {
    const answers = ask().finally(() => {
      for (const place of places) if (this.running.get(place) === answers) this.running.delete(place);
    });
    // Whoever waits for it hears of its failure.
    answers.catch(() => undefined);
    for (const place of places) this.running.set(place, answers);
    return answers;
  }

  private async fetch(context: Context, flagKeys?: readonly string[]): Promise<readonly RemoteAnswer[]> {
    const body = {
      environment_key: this.options.environment,
      context,
      ...(flagKeys === undefined ? {} : { flag_keys: flagKeys }),
    };
    return this.told({ method: 'POST', path: 'evaluate', body, isIdempotent: true }, readAnswers);
  }

  /** @param read takes the answer's body; what it cannot read is a failure too */
  private async told<T>(request: ApiRequest, read: (body: unknown) => T): Promise<T> {
    if (this.refusal && this.options.now() < this.refusal.until) throw this.refusal.error;
    this.refusal = undefined;
    try {
      const found = read((await this.requester.ask(request)).body);
      this.restUntil = Number.NEGATIVE_INFINITY;
      this.options.onAnswer();
      return found;
    } catch (error) {
      if (mayPass(error)) {
        const [now, wanted] = [this.options.now(), retryAfterOf(error)];
        this.restUntil = now + Math.max(REST_MS, wanted);
        if (wanted > 0) this.refusal = { until: now + wanted, error };
      }
      // Of one question the service may say that it is wrong, or about nothing: then it is there.
      const isAway = !(error instanceof ValidationError || error instanceof FlagNotFound);
      this.options.onFailure(error as VexilError, isAway);
      throw error;
    }
  }
}

type Running = Promise<readonly RemoteAnswer[]>;
type ByKey = ReadonlyMap<string, RemoteAnswer>;

const encoder = new TextEncoder();
const bytesOf = (text: string): number => encoder.encode(text).length;

/** As few parts as there can be of what the service answers at once. @param room for the keys of each, in bytes */
function inParts(keys: readonly string[], room: number): string[][] {
  const parts: string[][] = [];
  let left = 0;
  for (const key of keys) {
    const bytes = bytesOf(JSON.stringify(key)) + 1;
    const last = parts.at(-1);
    if (last && last.length < MOST_KEYS && bytes <= left) {
      last.push(key);
      left -= bytes;
    } else {
      parts.push([key]);
      left = room - bytes;
    }
  }
  return parts;
}

const placeOf = (who: string, flagKey: string): string => `${flagKey}\n${who}`;
