import {
  GeneralError,
  OpenFeatureEventEmitter,
  ProviderEvents,
  ProviderFatalError,
  type EvaluationContext,
  type JsonValue,
  type Provider,
  type ResolutionDetails,
  type TrackingEventDetails,
} from '@openfeature/server-sdk';
import { createServerClient, type ServerClient } from '../server/client.js';
import type { ServerClientOptions } from '../server/options.js';
import type { ReadyOptions } from '../ready-in-time.js';
import type { Context, EvaluationResult } from '../types.js';
import { contextOf } from './context.js';
import { isRefused, tellProvider } from './provider-events.js';
import { NOT_READY, resolutionOf, type Kind } from './resolution.js';

export interface VexilProviderOptions extends ServerClientOptions {
  /** How long initializing may take before it fails, in milliseconds; 10,000 unless said otherwise. It goes on trying then. */
  readonly readyTimeoutMs?: number;
}

/**
 * Vexil for OpenFeature's SDK for servers: decides in this process.
 *
 *     await OpenFeature.setProviderAndWait(new VexilProvider({ baseUrl, apiKey, environment }));
 */
export class VexilProvider implements Provider {
  readonly metadata = { name: 'Vexil' } as const;
  readonly runsOn = 'server' as const;
  readonly events = new OpenFeatureEventEmitter();
  private readonly make: () => ServerClient;
  private readonly isOurs: boolean;
  private readonly readyOptions: ReadyOptions = {};
  private current: ServerClient | undefined;
  private silence: () => void = () => undefined;

  /** @param given options of a client, which then begins and ends with the provider; or a client, which is its maker's to close */
  constructor(given: VexilProviderOptions | ServerClient) {
    this.isOurs = !isClient(given);
    if (isClient(given)) {
      this.make = () => given;
      this.current = given;
    } else {
      this.make = () => createServerClient(given);
      if (given.readyTimeoutMs !== undefined) this.readyOptions = { timeoutMs: given.readyTimeoutMs };
    }
  }

  /** The client that decides; `undefined` before the provider is initialized, and after it is closed, unless it was given. */
  get client(): ServerClient | undefined {
    return this.current;
  }

  /** @throws ProviderFatalError when the key is refused; GeneralError when the service does not answer in time. It goes on trying then. */
  async initialize(): Promise<void> {
    const client = this.current ?? this.make();
    this.current = client;
    try {
      await client.ready(this.readyOptions);
    } catch (error) {
      this.listen(client);
      const { message } = error as Error;
      throw isRefused(error) ? new ProviderFatalError(message) : new GeneralError(message);
    }
    this.listen(client);
    // The SDK says that it is ready when this has resolved; after a restart in an outage it is, and stale.
    if (client.isStale) setTimeout(() => this.events.emit(ProviderEvents.Stale), 0);
  }

  async onClose(): Promise<void> {
    this.silence();
    if (!this.isOurs) return;
    const client = this.current;
    this.current = undefined;
    await client?.close();
  }

  resolveBooleanEvaluation(
    flagKey: string,
    fallback: boolean,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<boolean>> {
    return this.resolve(flagKey, fallback, context, 'boolean');
  }

  resolveStringEvaluation(
    flagKey: string,
    fallback: string,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<string>> {
    return this.resolve(flagKey, fallback, context, 'string');
  }

  resolveNumberEvaluation(
    flagKey: string,
    fallback: number,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<number>> {
    return this.resolve(flagKey, fallback, context, 'number');
  }

  resolveObjectEvaluation<T extends JsonValue>(
    flagKey: string,
    fallback: T,
    context: EvaluationContext,
  ): Promise<ResolutionDetails<T>> {
    return this.resolve(flagKey, fallback, context, 'object');
  }

  track(name: string, context: EvaluationContext, details: TrackingEventDetails = {}): void {
    this.current?.track(name, contextOf(context), details);
  }

  private resolve<T>(
    flagKey: string,
    fallback: T,
    context: EvaluationContext,
    kind: Kind,
  ): Promise<ResolutionDetails<T>> {
    const { current } = this;
    const asked = contextOf(context);
    // With the fallback, so that nobody is exposed to what is of another type.
    const result = current?.evaluate(flagKey, asked, fallback as JsonValue) ?? NOT_READY;
    const lacksUnit = asked.targetingKey === undefined && result.reason === 'SPLIT';
    const told = lacksUnit && current ? unlessUnitNeeded(current, result, asked) : result;
    return Promise.resolve(resolutionOf(told, fallback, kind) as unknown as ResolutionDetails<T>);
  }

  /** From now on: until then the SDK itself says what has come of `initialize`. */
  private listen(client: ServerClient): void {
    this.silence();
    this.silence = tellProvider(client, {
      onReady: () => this.events.emit(ProviderEvents.Ready),
      onStale: (message) => this.events.emit(ProviderEvents.Stale, { message }),
      onChange: (flagsChanged) => this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
      onError: (message) => this.events.emit(ProviderEvents.Error, { message }),
    });
  }
}

const isClient = (given: VexilProviderOptions | ServerClient): given is ServerClient => 'evaluate' in given;

/**
 * Elsewhere whoever is in no rollout gets the off variant. In OpenFeature the code's default applies where a unit is needed and
 * nobody is named, and so the service's own OFREP has it.
 */
function unlessUnitNeeded(
  client: ServerClient,
  result: EvaluationResult,
  context: Context,
): EvaluationResult {
  const { explanation } = client.evaluate(result.flagKey, context, undefined, { explain: true });
  const rollout = explanation?.trace.serve?.rollout;
  if (rollout?.attribute !== 'targetingKey' || typeof rollout.bucket === 'number') return result;
  return {
    ...result,
    value: undefined,
    variant: undefined,
    reason: 'ERROR',
    errorCode: 'TARGETING_KEY_MISSING',
  };
}
