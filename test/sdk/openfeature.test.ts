/** Our providers in OpenFeature's SDKs, against the running service; held to OpenFeature's own scenarios where they are about a provider. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AsyncLocalStorageTransactionContextPropagator,
  OpenFeature as ServerOpenFeature,
  ProviderEvents as ServerEvents,
  ProviderStatus as ServerStatus,
  type EvaluationContext,
} from '@openfeature/server-sdk';
import {
  OpenFeature as WebOpenFeature,
  ProviderEvents as WebEvents,
  ProviderStatus as WebStatus,
} from '@openfeature/web-sdk';
import { VexilWebProvider, type VexilWebProviderOptions } from '../../sdk/src/browser/web-provider.js';
import type { TrackedEvent } from '../../sdk/src/exposures.js';
import { VexilProvider, type VexilProviderOptions } from '../../sdk/src/openfeature/server-provider.js';
import { createServerClient, type ServerClient } from '../../sdk/src/server/client.js';
import type { Fetch } from '../../sdk/src/types.js';
import { clientKey, serverKey, type MadeKey } from '../api-keys/support.js';
import { makeFlags } from '../ofrep/support.js';
import { Api, eventually } from '../support/api.js';
import { startApp, type TestApp } from '../support/app.js';
import {
  makeTestFlags,
  Scenario,
  scenariosOf,
  titleOf,
  type Attributes,
  type Details,
  type Question,
  type RecordingHook,
  type State,
  type Subject,
} from './openfeature-gherkin.js';
import { broken, SILENT, silent } from './scripted-service.js';

/** Scenarios that no provider of ours can be held to, and why. */
const NOT_OURS: Readonly<Record<string, string>> = {
  'Returns metadata': 'flags here have no metadata of their makers',
  'Flag metadata in evaluation details': 'the same',
  'Returns no metadata': 'every answer tells the version of its flag',
  'CACHED reason': 'the first answer and the second come from the same place',
};

const applicable = (feature: string) =>
  scenariosOf(feature).filter(({ name }) => NOT_OURS[name] === undefined);

const REFUSED = (kind: string) => `vx_${kind}_00000000_${'0'.repeat(43)}`;

let vexil: TestApp;
let api: Api;
let server: MadeKey;
let client: MadeKey;
beforeAll(async () => {
  const quiet = { ...SILENT, info: SILENT.warn, debug: SILENT.warn };
  ServerOpenFeature.setLogger(quiet);
  WebOpenFeature.setLogger(quiet);
  vexil = await startApp();
  api = new Api(vexil);
  await makeTestFlags(api);
  await makeFlags(api);
  server = await serverKey(vexil);
  client = await clientKey(vexil);
});
afterAll(() => vexil.close());
afterEach(async () => {
  await ServerOpenFeature.close();
  await ServerOpenFeature.clearProviders();
  await WebOpenFeature.close();
  await WebOpenFeature.clearProviders();
  await WebOpenFeature.clearContexts();
});

/** A way to the service that can be cut. */
function cuttable(): { fetch: Fetch; cut: () => void } {
  const open = new Set<AbortController>();
  let isCut = false;
  const cutFetch: Fetch = (url, init) => {
    if (isCut) return Promise.reject(new TypeError('fetch failed'));
    const controller = new AbortController();
    open.add(controller);
    init.signal.addEventListener('abort', () => controller.abort());
    return fetch(url, { ...init, signal: controller.signal });
  };
  return {
    fetch: cutFetch,
    cut: () => {
      isCut = true;
      for (const controller of open) controller.abort();
    },
  };
}

const unreachable = (url: string, init: Parameters<Fetch>[1]) =>
  Promise.resolve(broken({ url, init, body: {} }));
const unanswered = (url: string, init: Parameters<Fetch>[1]): Promise<Response> =>
  new Promise((resolve, reject) => {
    init.signal.addEventListener('abort', () => reject(init.signal.reason as Error));
    void Promise.resolve(silent({ url, init, body: {} })).then(resolve);
  });

const optionsFor = (state: State): { fetch?: Fetch; cut?: () => void } => {
  if (state === 'not ready') return { fetch: unanswered };
  if (state === 'error') return { fetch: unreachable };
  return state === 'stale' ? cuttable() : {};
};

describe('given the SDK for servers', () => {
  const serverOptions = (more: Partial<VexilProviderOptions> = {}): VexilProviderOptions => ({
    baseUrl: vexil.url,
    apiKey: server.secret,
    environment: 'development',
    logger: SILENT,
    ...more,
  });

  /** Takes down what reaches it. */
  class WatchedProvider extends VexilProvider {
    seen: EvaluationContext = {};
    override resolveBooleanEvaluation(key: string, fallback: boolean, context: EvaluationContext) {
      this.seen = context;
      return super.resolveBooleanEvaluation(key, fallback, context);
    }
  }

  class ServerSubject implements Subject {
    private provider: WatchedProvider | undefined;
    private readonly transaction: Attributes = {};
    private readonly domain = `server-${(domains += 1)}`;
    private readonly features = ServerOpenFeature.getClient(this.domain);

    async provide(state: State): Promise<void> {
      if (state === 'stable') {
        // Where nothing happens to it one client will do for all scenarios.
        shared ??= createServerClient(serverOptions());
        this.provider = new WatchedProvider(shared);
        await ServerOpenFeature.setProviderAndWait(this.domain, this.provider);
        return;
      }
      const { cut, ...options } = optionsFor(state);
      const apiKey = state === 'fatal' ? REFUSED('server') : server.secret;
      this.provider = new WatchedProvider(
        serverOptions({
          apiKey,
          readyTimeoutMs: state === 'error' ? 50 : 20_000,
          staleAfterMs: 0,
          pollIntervalMs: 1_000,
          requestTimeoutMs: 2_000,
          ...options,
        }),
      );
      if (state === 'not ready') {
        ServerOpenFeature.setProvider(this.domain, this.provider);
        return;
      }
      await ServerOpenFeature.setProviderAndWait(this.domain, this.provider).catch(() => undefined);
      if (!cut) return;
      cut();
      await eventually(() => this.status() === 'STALE');
    }
    status(): string {
      return this.features.providerStatus;
    }
    addClientHook(hook: RecordingHook): void {
      this.features.addHooks(hook);
    }
    addContext(level: 'API' | 'Transaction' | 'Client', context: Attributes): void {
      if (level === 'API') ServerOpenFeature.setContext({ ...ServerOpenFeature.getContext(), ...context });
      else if (level === 'Client') this.features.setContext({ ...this.features.getContext(), ...context });
      else Object.assign(this.transaction, context);
    }
    evaluate({ kind, key, fallback, context, hooks }: Question): Promise<Details> {
      ServerOpenFeature.setTransactionContextPropagator(new AsyncLocalStorageTransactionContextPropagator());
      return new Promise((resolve, reject) => {
        ServerOpenFeature.setTransactionContext(this.transaction, () => {
          const { features } = this;
          const ask = (): Promise<Details> => {
            if (kind === 'boolean')
              return features.getBooleanDetails(key, fallback as boolean, context, { hooks });
            if (kind === 'string')
              return features.getStringDetails(key, fallback as string, context, { hooks });
            if (kind === 'number')
              return features.getNumberDetails(key, fallback as number, context, { hooks });
            return features.getObjectDetails(key, fallback as Record<string, never>, context, { hooks });
          };
          ask().then(resolve, reject);
        });
      });
    }
    mergedContext(): Attributes {
      return this.provider?.seen as Attributes;
    }
  }
  let domains = 0;
  let shared: ServerClient | undefined;
  afterEach(() => void ServerOpenFeature.setContext({}));
  afterAll(() => shared?.close());

  describe.each(['evaluation_v2', 'hooks', 'contextMerging'])('%s', (feature) => {
    for (const scenario of applicable(feature)) {
      it(titleOf(scenario), () => new Scenario(new ServerSubject()).run(scenario));
    }
  });

  async function connected(options: Partial<VexilProviderOptions> = {}) {
    const provider = new VexilProvider(serverOptions(options));
    const events: [ServerEvents, unknown][] = [];
    const domain = `own-${(domains += 1)}`;
    const features = ServerOpenFeature.getClient(domain);
    await ServerOpenFeature.setProviderAndWait(domain, provider);
    for (const event of Object.values(ServerEvents))
      features.addHandler(event, (details) => {
        events.push([event, details?.['flagsChanged' as never]]);
      });
    return { provider, features, events };
  }

  it('tells which flags have changed, and that what is served may be old', async () => {
    const { fetch, cut } = cuttable();
    const { features, events } = await connected({
      fetch,
      staleAfterMs: 0,
      pollIntervalMs: 1_000,
      requestTimeoutMs: 2_000,
    });
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(() => events.some(([event]) => event === ServerEvents.ConfigurationChanged));
    expect(await features.getStringValue('shop-color', 'x')).toBe('rot');
    cut();
    await eventually(() => events.some(([event]) => event === ServerEvents.Stale));
    expect(events).toEqual([
      [ServerEvents.Ready, undefined],
      [ServerEvents.ConfigurationChanged, ['shop-color']],
      [ServerEvents.Stale, undefined],
    ]);
    expect(await features.getStringDetails('shop-color', 'x')).toMatchObject({
      value: 'rot',
      flagMetadata: { stale: true, version: expect.any(Number), revision: expect.any(Number) },
    });
    await api.change('shop-color', { default_serve: { variant: 'a' } });
  });

  it('is ready after all when the service comes late', async () => {
    let isUp = false;
    const late: Fetch = (url, init) => (isUp ? fetch(url, init) : unreachable(url, init));
    const provider = new VexilProvider(serverOptions({ fetch: late, readyTimeoutMs: 50, minBackoffMs: 20 }));
    await expect(ServerOpenFeature.setProviderAndWait('late', provider)).rejects.toThrow();
    const features = ServerOpenFeature.getClient('late');
    expect(features.providerStatus).toBe('ERROR');
    expect(await features.getBooleanDetails('secret-plan', false)).toMatchObject({
      value: false,
      errorCode: 'PROVIDER_NOT_READY',
    });
    isUp = true;
    await eventually(() => features.providerStatus === ServerStatus.READY);
    expect(await features.getBooleanValue('secret-plan', false)).toBe(true);
  });

  it('needs to know who asks where a flag is rolled out by that, as over OFREP', async () => {
    const { features } = await connected();
    expect(await features.getBooleanDetails('shop-split', false, {})).toMatchObject({
      value: false,
      reason: 'ERROR',
      errorCode: 'TARGETING_KEY_MISSING',
    });
    expect(await features.getBooleanDetails('shop-split', false, { targetingKey: 'alice' })).toMatchObject({
      value: true,
      reason: 'SPLIT',
    });
    expect(await features.getStringDetails('shop-none', 'mine')).toMatchObject({
      value: 'mine',
      reason: 'DISABLED',
    });
    expect(await features.getBooleanDetails('shop-gated', true)).toMatchObject({
      value: false,
      reason: 'PREREQUISITE_FAILED',
    });
  });

  it('reads dates in a context as the times they are', async () => {
    await api.newFlag({
      key: 'since-2026',
      is_enabled: true,
      default_serve: { variant: 'off' },
      rules: [
        {
          name: 'r',
          conditions: { all: [{ attribute: 'joined', operator: 'after', values: ['2026-01-01'] }] },
          serve: { variant: 'on' },
        },
      ],
    });
    const { features } = await connected();
    const asked = async (joined: Date) => features.getBooleanValue('since-2026', false, { joined });
    expect(await asked(new Date('2026-06-01'))).toBe(true);
    expect(await asked(new Date('2025-06-01'))).toBe(false);
    expect(await asked(new Date(Number.NaN))).toBe(false);
  });

  it('is not held up by a context that turns in circles', async () => {
    const { features } = await connected();
    const knot: unknown[] = [];
    for (let count = 0; count < 3; count += 1) knot.push(knot);
    const request: Record<string, unknown> = { at: new Date(), knot };
    request['self'] = request;
    const since = performance.now();
    for (const context of [{ knot }, { request }] as never[])
      expect(await features.getBooleanDetails('secret-plan', false, context)).toMatchObject({
        value: true,
      });
    expect(performance.now() - since).toBeLessThan(2_000);
  });

  it('tells what users saw and did', async () => {
    const taken: TrackedEvent[] = [];
    const send = (events: readonly TrackedEvent[]) => {
      taken.push(...events);
      return Promise.resolve();
    };
    const { features } = await connected({ exposures: { sink: { send } } });
    await features.getBooleanValue('secret-plan', false, { targetingKey: 'alice' });
    expect(await features.getStringDetails('shop-banner', 'x', { targetingKey: 'alice' })).toMatchObject({
      value: 'x',
      errorCode: 'TYPE_MISMATCH',
      errorMessage: "Flag 'shop-banner': serves a value of another type",
    });
    features.track('bought', { targetingKey: 'alice' }, { value: 5, sku: 'x' });
    await ServerOpenFeature.close();
    expect(taken).toMatchObject([
      { type: 'exposure', flagKey: 'secret-plan', variant: 'on', unit: 'alice' },
      { type: 'metric', name: 'bought', unit: 'alice', value: 5, attributes: { sku: 'x' } },
    ]);
  });

  it('leaves a client that it was given to its maker', async () => {
    const own = createServerClient(serverOptions());
    await ServerOpenFeature.setProviderAndWait('given', new VexilProvider(own));
    expect(await ServerOpenFeature.getClient('given').getBooleanValue('secret-plan', false)).toBe(true);
    await ServerOpenFeature.close();
    expect(own.isEnabled('secret-plan', {})).toBe(true);
    await own.close();
  });
});

describe('given the SDK for the web', () => {
  const webOptions = (more: Partial<VexilWebProviderOptions> = {}): VexilWebProviderOptions => ({
    baseUrl: vexil.url,
    clientKey: client.secret,
    logger: SILENT,
    ...more,
  });
  let domains = 0;

  class WebSubject implements Subject {
    private readonly domain = `web-${(domains += 1)}`;
    private readonly features = WebOpenFeature.getClient(this.domain);

    async provide(state: State): Promise<void> {
      const { cut, ...options } = optionsFor(state);
      const key = state === 'fatal' ? REFUSED('client') : client.secret;
      const provider = new VexilWebProvider(
        webOptions({
          clientKey: key,
          readyTimeoutMs: state === 'error' ? 50 : 20_000,
          pollIntervalMs: 1_000,
          ...options,
        }),
      );
      if (state === 'not ready') {
        WebOpenFeature.setProvider(this.domain, provider);
        return;
      }
      await WebOpenFeature.setProviderAndWait(this.domain, provider).catch(() => undefined);
      if (!cut) return;
      cut();
      await eventually(() => this.status() === 'STALE');
    }
    status(): string {
      return this.features.providerStatus;
    }
    addClientHook(hook: RecordingHook): void {
      this.features.addHooks(hook);
    }
    addContext(): void {
      throw new Error('a page has one context');
    }
    async evaluate({ kind, key, fallback, context, hooks }: Question): Promise<Details> {
      if (Object.keys(context).length > 0) await WebOpenFeature.setContext(this.domain, context);
      const options = { hooks } as never;
      const { features } = this;
      if (kind === 'boolean') return features.getBooleanDetails(key, fallback as boolean, options);
      if (kind === 'string') return features.getStringDetails(key, fallback as string, options);
      if (kind === 'number') return features.getNumberDetails(key, fallback as number, options);
      return features.getObjectDetails(key, fallback as Record<string, never>, options);
    }
    mergedContext(): Attributes {
      return {};
    }
  }

  describe.each(['evaluation_v2', 'hooks'])('%s', (feature) => {
    for (const scenario of applicable(feature)) {
      it(titleOf(scenario), () => new Scenario(new WebSubject()).run(scenario));
    }
  });

  async function connected(
    options: Partial<VexilWebProviderOptions> = {},
    context: Attributes = { targetingKey: 'alice' },
  ) {
    const provider = new VexilWebProvider(webOptions(options));
    const events: [WebEvents, unknown][] = [];
    const domain = `own-${(domains += 1)}`;
    const features = WebOpenFeature.getClient(domain);
    await WebOpenFeature.setContext(domain, context);
    await WebOpenFeature.setProviderAndWait(domain, provider);
    for (const event of Object.values(WebEvents))
      features.addHandler(event, (details) => {
        events.push([event, details?.['flagsChanged' as never]]);
      });
    return { domain, provider, features, events };
  }

  it('answers for the context of the page, the one of the beginning and every later one', async () => {
    const { domain, features, events } = await connected({}, { targetingKey: 'alice', plan: 'pro' });
    expect(features.getBooleanValue('shop-ruled', true)).toBe(false);
    await WebOpenFeature.setContext(domain, { targetingKey: 'alice' });
    expect(features.getBooleanValue('shop-ruled', false)).toBe(true);
    expect(features.getBooleanDetails('secret-plan', false)).toMatchObject({ errorCode: 'FLAG_NOT_FOUND' });
    expect(events.map(([event]) => event)).toEqual([
      WebEvents.Ready,
      WebEvents.Reconciling,
      WebEvents.ConfigurationChanged,
      WebEvents.ContextChanged,
    ]);
  });

  it('tells which flags have changed, and that what is served may be old', async () => {
    const { fetch, cut } = cuttable();
    const { domain, features, events } = await connected({ fetch });
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(() => features.getStringValue('shop-color', 'x') === 'rot');
    cut();
    await eventually(() => features.providerStatus === WebStatus.STALE);
    expect(events).toEqual([
      [WebEvents.Ready, undefined],
      [WebEvents.ConfigurationChanged, ['shop-color']],
      [WebEvents.Stale, undefined],
    ]);
    expect(features.getStringDetails('shop-color', 'x')).toMatchObject({
      value: 'rot',
      flagMetadata: { stale: true },
    });
    // A context that nobody can answer for is an error.
    await WebOpenFeature.setContext(domain, { targetingKey: 'bob' });
    expect(features.providerStatus).toBe('ERROR');
    await api.change('shop-color', { default_serve: { variant: 'a' } });
  });

  it('tells what its user saw and did', async () => {
    const taken: TrackedEvent[] = [];
    const send = (events: readonly TrackedEvent[]) => {
      taken.push(...events);
      return Promise.resolve();
    };
    const { features } = await connected({ exposures: { sink: { send } } });
    features.getBooleanValue('shop-banner', false);
    expect(features.getStringDetails('shop-color', 'x').value).toBe('grün');
    expect(features.getNumberDetails('shop-layout', 5)).toMatchObject({
      value: 5,
      errorCode: 'TYPE_MISMATCH',
    });
    features.track('bought', { value: 5, sku: 'x' });
    await WebOpenFeature.close();
    expect(taken).toMatchObject([
      { type: 'exposure', flagKey: 'shop-banner', variant: 'on', unit: 'alice' },
      { type: 'exposure', flagKey: 'shop-color', unit: 'alice' },
      { type: 'metric', name: 'bought', unit: 'alice', value: 5, attributes: { sku: 'x' } },
    ]);
  });
});
