import { evaluate as decide, evaluateAll as decideAll, type JsonValue } from '../core.js';
import { ValidationError, type VexilError } from '../errors.js';
import { Emitter, type Listener } from '../events.js';
import { reasonOf } from '../http.js';
import { ExposureQueue } from '../exposure-queue.js';
import type { Drop, ExposureCounts } from '../exposures.js';
import type { Context, EvaluationResult, Widened } from '../types.js';
import type { TrackDetails } from '../unit.js';
import { answer, contextOf, type EvaluateOptions, failedResult, resultOf, unitIn } from './answers.js';
import { Follower } from './follower.js';
import { Freshness } from './freshness.js';
import { type ServerClientOptions, type Settings, settingsOf } from './options.js';
import { Readiness } from './readiness.js';
import { RulesetStore, type Swap } from './ruleset-store.js';
import { readSaved, RulesetFile, type SavedRuleset } from './saved-ruleset.js';

/** What listeners are told. */
export interface ServerClientEvents {
  /** The service has answered: for the first time, and whenever answers cease to be stale. */
  ready: { readonly revision: number };
  /** Another ruleset decides now. */
  change: {
    readonly revision: number;
    /** The keys of the flags that may answer otherwise than before, in no order. */
    readonly flagsChanged: readonly string[];
  };
  /** The service has been out of reach for a while; answers are by what was known last. */
  stale: { readonly revision: number | undefined };
  /** Something went wrong that a person may want to know. The client goes on, and tries again by itself. */
  error: VexilError;
  /** Exposures were given up. */
  drop: Drop;
}

/** Decides in this process, by rules that follow the service. No method but `ready` and `close` waits, and none of those that decide throws. */
export interface ServerClient {
  /**
   * Resolves when the service has answered; or, where there is a stored ruleset to go by, as soon as the service is known to be out
   * of reach, after `staleAfterMs` or when the time is up.
   * @param options `timeoutMs`: 10,000 unless said otherwise; `Infinity` for as long as it takes
   * @throws TimeoutError; the error itself where the service refused and nothing is stored; ValidationError when `timeoutMs` is no
   * time. The client goes on trying.
   */
  ready(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** Whether a flag is on. @param fallback where that cannot be decided; false unless said otherwise */
  isEnabled(flagKey: string, context?: Context, fallback?: boolean): boolean;
  /** What a flag serves. @param fallback where it serves nothing, or nothing of the fallback's type; `null` takes every type */
  value<T extends JsonValue>(flagKey: string, context: Context | undefined, fallback: T): Widened<T>;
  /** What a flag serves, and why. */
  evaluate(
    flagKey: string,
    context?: Context,
    fallback?: undefined,
    options?: EvaluateOptions,
  ): EvaluationResult;
  evaluate<T extends JsonValue>(
    flagKey: string,
    context: Context | undefined,
    fallback: T,
    options?: EvaluateOptions,
  ): EvaluationResult<Widened<T>>;
  /** Every flag, by its key; nothing before the first ruleset. */
  evaluateAll(context?: Context, options?: EvaluateOptions): Readonly<Record<string, EvaluationResult>>;
  /** @returns ends it */
  on<Name extends keyof ServerClientEvents>(
    name: Name,
    listener: Listener<ServerClientEvents[Name]>,
  ): () => void;
  /** The environment's revision that decides; `undefined` before the first ruleset. */
  readonly revision: number | undefined;
  /** Whether answers are by what was known last, because the service is out of reach. */
  readonly isStale: boolean;
  /** Tells that something happened which a variant may have led to. Goes where exposures go. */
  track(name: string, context?: Context, details?: TrackDetails): void;
  /** What became of exposures; `undefined` where nobody is told of them. */
  readonly exposureCounts: ExposureCounts | undefined;
  /** Ends the connection, delivers exposures and writes what is to be kept. Answers go on by what is known, marked stale. */
  close(): Promise<void>;
}

const READY_MS = 10_000;

/**
 * Makes a client and begins to follow the environment.
 * @throws ValidationError when an option cannot be, or the bootstrap is no ruleset of the environment
 */
export function createServerClient(options: ServerClientOptions): ServerClient {
  return new FollowingClient(settingsOf(options));
}

class FollowingClient implements ServerClient {
  private readonly store: RulesetStore;
  private readonly follower: Follower;
  private readonly events: Emitter<ServerClientEvents>;
  private readonly readiness = new Readiness(() => this.store.held !== undefined);
  private readonly freshness: Freshness;
  private readonly file: RulesetFile | undefined;
  private readonly exposures: ExposureQueue | undefined;
  private readonly running: Promise<void>;
  private closing: Promise<void> | undefined;
  /** What was said last, so that an outage is not a line for every attempt. */
  private lastSaid = '';
  private lastUnreadable = '';

  constructor(private readonly settings: Settings) {
    const { environment, logger, persistTo, staleAfterMs, exposures } = settings;
    this.store = new RulesetStore(environment);
    this.events = new Emitter((error) => logger.error(`vexil: a listener threw: ${reasonOf(error)}`));
    this.freshness = new Freshness(staleAfterMs, (isStale) => this.onFreshness(isStale));
    this.file =
      persistTo === undefined
        ? undefined
        : new RulesetFile(persistTo, (message) => logger.warn(`vexil: ${message}`));
    this.exposures =
      exposures && new ExposureQueue(exposures, { onDrop: (drop) => this.events.emit('drop', drop) });
    beginWith(this.store, settings);
    this.sayUnreadable();
    this.follower = new Follower(settings, this.store, {
      onSwap: (swap) => this.onSwap(swap),
      onContact: (goodFor) => this.onContact(goodFor),
      onLost: () => this.freshness.lose(),
      onFailure: (error, isRefusal) => this.onFailure(error, isRefusal),
    });
    this.running = this.follower.run();
  }

  get revision(): number | undefined {
    return this.store.held?.compiled.revision;
  }

  get isStale(): boolean {
    return this.freshness.isStale;
  }

  isEnabled(flagKey: string, context?: Context, fallback = false): boolean {
    const { held } = this.store;
    if (held === undefined) return fallback;
    try {
      const asked = contextOf(context);
      if (asked === undefined) return fallback;
      const decision = decide(held.compiled, flagKey, asked, Date.now, false);
      if (decision.reason === 'ERROR') return fallback;
      if (this.exposures) this.expose(decision.flagKey, decision.variant, decision.version, asked);
      return decision.isOn;
    } catch {
      return fallback;
    }
  }

  value<T extends JsonValue>(flagKey: string, context: Context | undefined, fallback: T): Widened<T> {
    return this.evaluate(flagKey, context, fallback).value;
  }

  evaluate(
    flagKey: string,
    context?: Context,
    fallback?: undefined,
    options?: EvaluateOptions,
  ): EvaluationResult;
  evaluate<T extends JsonValue>(
    flagKey: string,
    context: Context | undefined,
    fallback: T,
    options?: EvaluateOptions,
  ): EvaluationResult<Widened<T>>;
  evaluate(
    flagKey: string,
    context?: Context,
    fallback?: JsonValue,
    options?: EvaluateOptions,
  ): EvaluationResult {
    const { held } = this.store;
    if (held === undefined) return failedResult(flagKey, fallback, 'PROVIDER_NOT_READY', undefined);
    const result = answer(flagKey, context, fallback, { held, isStale: this.freshness.isStale }, options);
    if (this.exposures) this.expose(flagKey, result.variant, result.flagVersion, context);
    return result;
  }

  evaluateAll(context?: Context, options?: EvaluateOptions): Readonly<Record<string, EvaluationResult>> {
    const all = Object.create(null) as Record<string, EvaluationResult>;
    const { held } = this.store;
    if (held === undefined) return all;
    const { compiled } = held;
    try {
      const asked = contextOf(context);
      if (asked !== undefined && options?.explain !== true) {
        for (const decision of decideAll(compiled, asked, Date.now))
          all[decision.flagKey] = resultOf<JsonValue | undefined>(
            decision,
            undefined,
            held,
            this.freshness.isStale,
          );
        return all;
      }
    } catch {
      // Each flag tells what is wrong with the context.
    }
    for (const key of compiled.flags.keys())
      all[key] = answer<JsonValue | undefined>(
        key,
        context,
        undefined,
        { held, isStale: this.freshness.isStale },
        options,
      );
    return all;
  }

  track(name: string, context?: Context, details?: TrackDetails): void {
    if (!this.exposures) return;
    try {
      const { value, ...attributes } = (details as TrackDetails | null | undefined) ?? {};
      this.exposures.track({ name, unit: unitIn(context), value, attributes });
    } catch (error) {
      this.settings.logger.warn(`vexil: '${name}' is not tracked: ${reasonOf(error)}`);
    }
  }

  get exposureCounts(): ExposureCounts | undefined {
    return this.exposures?.counts;
  }

  on<Name extends keyof ServerClientEvents>(
    name: Name,
    listener: Listener<ServerClientEvents[Name]>,
  ): () => void {
    return this.events.on(name, listener);
  }

  ready({ timeoutMs = READY_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.readiness.wait(timeoutMs);
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    this.follower.close();
    this.freshness.stop();
    this.readiness.close();
    await this.running;
    await this.file?.flush();
    await this.exposures?.close();
    this.events.clear();
  }

  private expose(
    flagKey: string,
    variant: string | undefined,
    flagVersion: number | undefined,
    context: Context | undefined,
  ): void {
    const unit = variant === undefined ? undefined : unitIn(context);
    if (variant === undefined || unit === undefined) return;
    this.exposures?.expose({ flagKey, variant, unit, flagVersion, revision: this.revision });
  }

  private onSwap({ revision, flagsChanged }: Swap): void {
    const { held } = this.store;
    if (held) this.file?.save({ id: held.id, ruleset: held.ruleset });
    this.sayUnreadable();
    if (flagsChanged.length > 0) this.events.emit('change', { revision, flagsChanged });
  }

  private onContact(goodFor: number | 'while open'): void {
    this.readiness.succeed();
    this.freshness.confirm(goodFor);
  }

  private onFreshness(isStale: boolean): void {
    const { revision } = this;
    if (isStale) {
      // Who has nothing to decide by waits for `ready`.
      if (revision === undefined) return;
      // Also where no request has failed yet: something on the way may take them and never answer.
      this.readiness.succeed();
      this.events.emit('stale', { revision });
      return;
    }
    if (this.lastSaid !== '') this.settings.logger.warn('vexil: the service is in reach again');
    this.lastSaid = '';
    if (revision !== undefined) this.events.emit('ready', { revision });
  }

  private onFailure(error: VexilError, isRefusal: boolean): void {
    if (this.lastSaid !== error.message) {
      this.lastSaid = error.message;
      const isForPeople = isRefusal || error instanceof ValidationError;
      this.settings.logger[isForPeople ? 'error' : 'warn'](`vexil: ${error.message}`);
    }
    this.events.emit('error', error);
    if (this.store.held) this.readiness.succeed();
    else this.readiness.fail(error, isRefusal);
  }

  /** Flags that this version does not understand answer an error each time; a person is told once. */
  private sayUnreadable(): void {
    const keys = this.store.held?.compiled.unreadable.join(', ') ?? '';
    if (keys !== '' && keys !== this.lastUnreadable)
      this.settings.logger.warn(
        `vexil: these flags answer the fallback, for this version cannot read them: ${keys}`,
      );
    this.lastUnreadable = keys;
  }
}

/**
 * Puts into the store what was kept, or else what the program brought; of two the one of the higher revision.
 * @throws ValidationError when the bootstrap cannot be used. What was kept and cannot be read is only told: the service has it anew.
 */
function beginWith(store: RulesetStore, { bootstrap, persistTo, logger }: Settings): void {
  if (bootstrap !== undefined) {
    const { id, ruleset } = broughtIn(bootstrap);
    store.replace(ruleset, id);
  }
  if (persistTo === undefined) return;
  try {
    const kept = readSaved(persistTo);
    const revision = (kept?.ruleset as { revision?: number } | undefined)?.revision ?? -1;
    if (kept && revision >= (store.held?.compiled.revision ?? 0)) store.replace(kept.ruleset, kept.id);
  } catch (error) {
    logger.warn(`vexil: ${persistTo} is not used: ${reasonOf(error)}`);
  }
}

function broughtIn(bootstrap: object): SavedRuleset {
  const { file } = bootstrap as { readonly file?: unknown };
  const name = typeof file === 'string' ? `the file ${file}` : 'the object';
  try {
    // A copy: what is read must not be altered under it.
    if (typeof file !== 'string') return { id: undefined, ruleset: JSON.parse(JSON.stringify(bootstrap)) };
    const saved = readSaved(file);
    if (saved) return saved;
  } catch (error) {
    throw new ValidationError(`The bootstrap, ${name}, cannot be used: ${reasonOf(error)}`);
  }
  throw new ValidationError(`The bootstrap, ${name}, is not there`);
}
