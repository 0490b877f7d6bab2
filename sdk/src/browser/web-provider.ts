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
} from '@openfeature/web-sdk';
import { contextOf } from '../openfeature/context.js';
import { isRefused, tellProvider } from '../openfeature/provider-events.js';
import { NOT_READY, resolutionOf, type Kind } from '../openfeature/resolution.js';
import { createBrowserClient, type BrowserClient, type BrowserClientOptions } from './browser-client.js';

export interface VexilWebProviderOptions extends Omit<BrowserClientOptions, 'context'> {
  /** How long the first answers may take before initializing fails, in milliseconds; 10,000 unless said otherwise. It goes on trying then. */
  readonly readyTimeoutMs?: number;
}

/**
 * Vexil for OpenFeature's SDK for the web: is sent answers for OpenFeature's context, never rules.
 *
 *     await OpenFeature.setProviderAndWait(new VexilWebProvider({ baseUrl, clientKey }));
 */
export class VexilWebProvider implements Provider {
  readonly metadata = { name: 'Vexil' } as const;
  readonly runsOn = 'client' as const;
  readonly events = new OpenFeatureEventEmitter();
  private current: BrowserClient | undefined;
  private silence: () => void = () => undefined;

  constructor(private readonly options: VexilWebProviderOptions) {}

  /** The client that answers; `undefined` unless the provider is initialized. */
  get client(): BrowserClient | undefined {
    return this.current;
  }

  /** @throws ProviderFatalError when the key is refused; GeneralError when there are no answers in time */
  async initialize(context: EvaluationContext = {}): Promise<void> {
    const { readyTimeoutMs = 10_000, ...options } = this.options;
    const client = createBrowserClient({ ...options, context: contextOf(context) });
    this.current = client;
    try {
      await client.ready({ timeoutMs: readyTimeoutMs });
    } catch (error) {
      this.listen(client);
      const { message } = error as Error;
      throw isRefused(error) ? new ProviderFatalError(message) : new GeneralError(message);
    }
    this.listen(client);
    // The SDK says that it is ready when this has resolved; with answers of the last visit it is, and stale.
    if (!client.isStale) return;
    setTimeout(() => {
      if (client.isStale) this.events.emit(ProviderEvents.Stale);
    }, 0);
  }

  /** @throws GeneralError when the answers for the new context cannot be had for now; those of the old one stay until they can */
  async onContextChange(_: EvaluationContext, context: EvaluationContext): Promise<void> {
    const client = this.current;
    if (!client) return;
    await client.setContext(contextOf(context));
    if (client.isStale) throw new GeneralError('The service is out of reach');
  }

  async onClose(): Promise<void> {
    this.silence();
    const client = this.current;
    this.current = undefined;
    await client?.close();
  }

  resolveBooleanEvaluation(flagKey: string, fallback: boolean): ResolutionDetails<boolean> {
    return this.resolve(flagKey, fallback, 'boolean');
  }

  resolveStringEvaluation(flagKey: string, fallback: string): ResolutionDetails<string> {
    return this.resolve(flagKey, fallback, 'string');
  }

  resolveNumberEvaluation(flagKey: string, fallback: number): ResolutionDetails<number> {
    return this.resolve(flagKey, fallback, 'number');
  }

  resolveObjectEvaluation<T extends JsonValue>(flagKey: string, fallback: T): ResolutionDetails<T> {
    return this.resolve(flagKey, fallback, 'object');
  }

  /** OpenFeature's context is the one that answers are for. */
  track(name: string, _: EvaluationContext, details: TrackingEventDetails = {}): void {
    this.current?.track(name, details);
  }

  private resolve<T>(flagKey: string, fallback: T, kind: Kind): ResolutionDetails<T> {
    // With the fallback, so that nobody is exposed to what is of another type.
    const result = this.current?.evaluate(flagKey, fallback as JsonValue) ?? NOT_READY;
    return resolutionOf(result, fallback, kind) as unknown as ResolutionDetails<T>;
  }

  /** From now on: until then the SDK itself says what has come of `initialize`. */
  private listen(client: BrowserClient): void {
    this.silence();
    this.silence = tellProvider(client, {
      onReady: () => this.events.emit(ProviderEvents.Ready),
      onStale: (message) => this.events.emit(ProviderEvents.Stale, { message }),
      onChange: (flagsChanged) => this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged }),
      onError: (message) => this.events.emit(ProviderEvents.Error, { message }),
    });
  }
}
