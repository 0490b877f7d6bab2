/** The providers of OpenFeature as people install them, against the running service. */
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider, type OFREPWebProviderOptions } from '@openfeature/ofrep-web-provider';
import {
  OpenFeature as ServerOpenFeature,
  type Client as ServerClient,
  type EvaluationContext,
} from '@openfeature/server-sdk';
import {
  OpenFeature,
  ProviderEvents,
  ProviderStatus,
  type Client,
  type Provider,
} from '@openfeature/web-sdk';
import { EventSource } from 'eventsource';
import { startApp, type TestApp } from '../support/app.js';
import { Api, eventually } from '../support/api.js';
import { clientKey, serverKey, type MadeKey } from '../api-keys/support.js';
import { makeFlags } from './support.js';

const NOBODY = { secret: `vx_client_00000000_${'0'.repeat(43)}` };

let vexil: TestApp;
let api: Api;
let server: MadeKey;
let client: MadeKey;
beforeAll(async () => {
  vexil = await startApp();
  api = new Api(vexil);
  await makeFlags(api);
  server = await serverKey(vexil);
  client = await clientKey(vexil);
});
afterAll(() => vexil.close());

let domains = 0;

describe('@openfeature/ofrep-provider', () => {
  afterEach(() => ServerOpenFeature.close());

  async function connect(key: { secret: string } = server): Promise<ServerClient> {
    const domain = `server-${(domains += 1)}`;
    const provider = new OFREPProvider({
      baseUrl: vexil.url,
      headers: [['Authorization', `Bearer ${key.secret}`]],
    });
    await ServerOpenFeature.setProviderAndWait(domain, provider);
    return ServerOpenFeature.getClient(domain);
  }
  const alice = { targetingKey: 'alice' };

  it('gets values of every type, with reason, variant and metadata', async () => {
    const features = await connect();
    expect(await features.getBooleanDetails('secret-plan', false, alice)).toMatchObject({
      value: true,
      reason: 'STATIC',
      variant: 'on',
      flagMetadata: { version: expect.any(Number) },
    });
    expect(await features.getStringValue('shop-color', 'x', alice)).toBe('grün');
    expect(await features.getNumberValue('shop-count', 0, alice)).toBe(7);
    expect(await features.getNumberValue('shop-ratio', 0, alice)).toBe(0.25);
    expect(await features.getObjectValue('shop-layout', {}, alice)).toEqual({ columns: [1, 2] });
    expect(await features.getBooleanValue('shop-ruled', true, { ...alice, plan: 'pro' })).toBe(false);
  });

  it('gets the default of the code where there is no value, and knows why', async () => {
    const features = await connect();
    expect((await features.getStringDetails('shop-none', 'mine', alice)).value).toBe('mine');
    const failure = async (key: string, context: EvaluationContext = alice) => {
      const { value, errorCode } = await features.getBooleanDetails(key, true, context);
      return [value, errorCode];
    };
    expect(await failure('absent')).toEqual([true, 'FLAG_NOT_FOUND']);
    expect(await failure('shop-split', {})).toEqual([true, 'TARGETING_KEY_MISSING']);
    expect(await failure('shop-color')).toEqual([true, 'TYPE_MISMATCH']);
    expect(await failure('shop-banner', { targetingKey: {} as string })).toEqual([true, 'INVALID_CONTEXT']);
  });

  it('gets the default with a key that is none', async () => {
    const features = await connect(NOBODY);
    expect(await features.getBooleanDetails('secret-plan', false, alice)).toMatchObject({
      value: false,
      errorCode: 'GENERAL',
    });
  });

  it('waits as long as it is told when it asks too often', async () => {
    const features = await connect(await serverKey(vexil, { rate_limit_per_minute: 1 }));
    expect(await features.getBooleanValue('secret-plan', false, alice)).toBe(true);
    expect((await features.getBooleanDetails('secret-plan', false, alice)).errorCode).toBe('GENERAL');
    const { errorMessage } = await features.getBooleanDetails('secret-plan', false, alice);
    expect(errorMessage).toMatch(/paused due to TooManyRequests until \d{4}-/);
  });
});

describe('@openfeature/ofrep-web-provider', () => {
  beforeAll(() => {
    Object.assign(globalThis, { EventSource });
  });
  afterEach(() => OpenFeature.close());
  afterAll(() => {
    Reflect.deleteProperty(globalThis, 'EventSource');
  });

  interface Connected {
    readonly features: Client;
    readonly statuses: number[];
    /** When each request was made, and how many seconds to wait it was told. */
    readonly requests: { at: number; toldAt: number; retryAfter: number }[];
    readonly events: string[];
    readonly provider: OFREPWebProvider;
  }

  async function connect(
    options: Partial<OFREPWebProviderOptions> = {},
    {
      key = client,
      context = { targetingKey: 'alice' },
    }: { key?: { secret: string }; context?: EvaluationContext } = {},
  ): Promise<Connected> {
    const domain = `web-${(domains += 1)}`;
    const statuses: number[] = [];
    const requests: Connected['requests'] = [];
    const provider = new OFREPWebProvider({
      baseUrl: vexil.url,
      headers: [['X-API-Key', key.secret]],
      cacheMode: 'disabled',
      changeDetection: 'none',
      fetchImplementation: async (request: Request, init?: RequestInit) => {
        const at = performance.now();
        const answer = await fetch(request, init);
        statuses.push(answer.status);
        const retryAfter = Number(answer.headers.get('retry-after') ?? 0);
        requests.push({ at, toldAt: performance.now(), retryAfter });
        return answer;
      },
      ...options,
    });
    const features = OpenFeature.getClient(domain);
    const events: string[] = [];
    for (const event of [ProviderEvents.ConfigurationChanged, ProviderEvents.Stale, ProviderEvents.Error])
      features.addHandler(event, () => events.push(event));
    await OpenFeature.setContext(domain, context);
    // Its types were made without exactOptionalPropertyTypes.
    await OpenFeature.setProviderAndWait(domain, provider as Provider);
    return { features, statuses, requests, events, provider };
  }

  it('gets values of every type, and what it may not know of is not there', async () => {
    const { features, provider } = await connect();
    const details = features.getBooleanDetails('shop-banner', false);
    expect(details).toMatchObject({ value: true, reason: 'STATIC', variant: 'on' });
    expect(details.flagMetadata).not.toHaveProperty('version');
    expect(features.getStringValue('shop-color', 'x')).toBe('grün');
    expect(features.getNumberValue('shop-count', 0)).toBe(7);
    expect(features.getNumberValue('shop-ratio', 0)).toBe(0.25);
    expect(features.getObjectValue('shop-layout', {})).toEqual({ columns: [1, 2] });
    expect(features.getStringDetails('shop-none', 'mine')).toMatchObject({
      value: 'mine',
      reason: 'DISABLED',
    });
    expect(features.getBooleanDetails('secret-plan', false).errorCode).toBe('FLAG_NOT_FOUND');
    expect(features.getBooleanDetails('shop-color', false).errorCode).toBe('TYPE_MISMATCH');
    expect(JSON.stringify(provider.flagCache)).not.toContain('secret');
  });

  it('knows which flags need to know who asks', async () => {
    const { features } = await connect({}, { context: {} });
    expect(features.getBooleanDetails('shop-split', false)).toMatchObject({
      value: false,
      errorCode: 'TARGETING_KEY_MISSING',
    });
    expect(features.getBooleanValue('shop-banner', false)).toBe(true);
  });

  it('fails for good with a key that is none', async () => {
    const domain = `web-${(domains += 1)}`;
    const provider = new OFREPWebProvider({
      baseUrl: vexil.url,
      headers: [['X-API-Key', NOBODY.secret]],
      cacheMode: 'disabled',
    });
    await expect(OpenFeature.setProviderAndWait(domain, provider as Provider)).rejects.toThrow();
    expect(OpenFeature.getClient(domain).providerStatus).toBe(ProviderStatus.FATAL);
  });

  it('polls: 304 until something changes', async () => {
    const { features, statuses, events } = await connect({ changeDetection: 'polling', pollInterval: 50 });
    await eventually(() => statuses.filter((status) => status === 304).length >= 2);
    expect(events).toEqual([]);
    await api.change('shop-off', { is_enabled: true });
    await eventually(() => features.getBooleanValue('shop-off', false));
    await eventually(() => events.includes(ProviderEvents.ConfigurationChanged));
    expect(new Set(statuses)).toEqual(new Set([200, 304]));
  });

  it('stops asking for as long as it is told', async () => {
    const key = await clientKey(vexil, { rate_limit_per_minute: 2 });
    const { statuses, requests, events, provider } = await connect(
      { changeDetection: 'polling', pollInterval: 20 },
      { key },
    );
    await eventually(() => statuses.includes(429));
    await eventually(() => events.includes(ProviderEvents.Stale));
    // It goes on looking whether it may ask again.
    const polls = jest.spyOn(provider as unknown as { _refreshFlags(): unknown }, '_refreshFlags');
    await eventually(() => polls.mock.calls.length >= 5);
    const refused = statuses.indexOf(429);
    expect(new Set(statuses.slice(0, refused))).toEqual(new Set([200, 304]));
    const { toldAt, retryAfter } = requests[refused]!;
    expect(retryAfter).toBeGreaterThanOrEqual(1);
    const next = requests[refused + 1]?.at ?? Number.POSITIVE_INFINITY;
    // Its own clock has whole milliseconds.
    expect(next).toBeGreaterThanOrEqual(toldAt + retryAfter * 1000 - 50);
  });

  it('hears of changes by the stream, and asks again then alone', async () => {
    const { features, statuses, events } = await connect({ changeDetection: 'sse' });
    expect(features.getStringValue('shop-color', 'x')).toBe('grün');
    await api.change('shop-color', { default_serve: { variant: 'b' } });
    await eventually(() => features.getStringValue('shop-color', 'x') === 'rot', 10_000);
    await eventually(() => events.includes(ProviderEvents.ConfigurationChanged));
    expect(statuses).toEqual([200, 200]);
    // Nothing that this key may know of.
    await api.change('secret-plan', { is_enabled: false });
    await eventually(() => statuses.length === 3, 10_000);
    expect(statuses).toEqual([200, 200, 304]);
  });
});
