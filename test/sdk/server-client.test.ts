/** The server client against a service that does what it is told to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { build } from 'esbuild';
import {
  ApiError,
  createServerClient,
  type Fetch,
  type ServerClient,
  type ServerClientOptions,
  TimeoutError,
  ValidationError,
  VexilError,
} from '../../sdk/src/index.js';
import { eventually } from '../support/api.js';
import { flagWire, ruleWire } from '../support/builders.js';
import { changeTo, eventText, FakeService, rulesetAt } from './fake-service.js';

const ON = flagWire('new-checkout');
const OFF = flagWire('new-checkout', { is_enabled: false, version: 2 });
const ALICE = { targetingKey: 'alice' };

let service: FakeService;
let folder: string;
const clients: ServerClient[] = [];
const said: string[] = [];

beforeEach(async () => {
  service = await FakeService.start();
  service.ruleset = rulesetAt(1, [ON]);
  folder = mkdtempSync(join(tmpdir(), 'vexil-sdk-'));
  said.length = 0;
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

function clientOf(options: Partial<ServerClientOptions> = {}): ServerClient {
  const client = createServerClient({
    baseUrl: service.url,
    apiKey: 'vx_server_key',
    environment: 'production',
    minBackoffMs: 5,
    maxBackoffMs: 40,
    logger: { warn: (line) => said.push(line), error: (line) => said.push(line) },
    ...options,
  });
  clients.push(client);
  return client;
}

async function readyClient(options: Partial<ServerClientOptions> = {}): Promise<ServerClient> {
  const client = clientOf(options);
  await client.ready();
  return client;
}

const following = () => eventually(() => service.streams.size === 1);

describe('before the first ruleset', () => {
  it('answers the fallback and says that it is not ready', async () => {
    const client = clientOf();
    expect(client.isEnabled('new-checkout', ALICE)).toBe(false);
    expect(client.isEnabled('new-checkout', ALICE, true)).toBe(true);
    expect(client.value('new-checkout', ALICE, 'blue')).toBe('blue');
    expect(client.evaluateAll(ALICE)).toEqual({});
    expect(client.evaluate('new-checkout', ALICE, true)).toEqual({
      flagKey: 'new-checkout',
      value: true,
      variant: undefined,
      reason: 'ERROR',
      errorCode: 'PROVIDER_NOT_READY',
      isEnabled: false,
      flagVersion: undefined,
      revision: undefined,
      stale: true,
    });
    await client.ready();
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });

  it('waits no longer for ready than it is told to', async () => {
    service.refusal = { status: 503 };
    await expect(clientOf().ready({ timeoutMs: 30 })).rejects.toThrow(TimeoutError);
  });

  it('waits as long as it takes when it is told to', async () => {
    service.refusal = { status: 503 };
    const client = clientOf();
    const ready = client.ready({ timeoutMs: Infinity });
    ready.catch(() => undefined);
    await eventually(() => service.requests.length > 3);
    service.refusal = undefined;
    await ready;
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });

  it.each([Number.NaN, -1, '5' as never])('does not take %p for a time to wait', async (timeoutMs) => {
    service.refusal = { status: 503 };
    await expect(clientOf().ready({ timeoutMs })).rejects.toThrow(ValidationError);
  });

  it.each([400, 422])(
    'does not wait for ready when the service cannot use what it asks: %s',
    async (status) => {
      service.refusal = { status, code: 'no' };
      await expect(clientOf().ready()).rejects.toThrow(ValidationError);
    },
  );

  it('does not take "unchanged" for an answer when it has nothing yet', async () => {
    service.isUnchanged = true;
    service.streamRefusal = { status: 503 };
    await expect(clientOf().ready({ timeoutMs: 200 })).rejects.toThrow(TimeoutError);
  });

  it.each([401, 403, 404])('does not wait for ready when the service refuses with %s', async (status) => {
    service.refusal = { status, code: 'no' };
    const failure = await clientOf()
      .ready()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiError);
    expect(failure).toMatchObject({ status, code: 'no', requestId: 'r-1' });
  });

  it('ends waiting when it is closed', async () => {
    service.refusal = { status: 503 };
    const client = clientOf();
    const waiting = client.ready();
    waiting.catch(() => undefined);
    await client.close();
    await expect(waiting).rejects.toThrow(VexilError);
  });
});

describe('an answer', () => {
  it('tells variant, reason, versions, and every step when asked', async () => {
    service.ruleset = rulesetAt(7, [
      flagWire('new-checkout', { rules: [ruleWire('staff', [])], version: 3 }),
    ]);
    const client = await readyClient();
    const { explanation, ...rest } = client.evaluate('new-checkout', ALICE, false, { explain: true });
    expect(rest).toEqual({
      flagKey: 'new-checkout',
      value: true,
      variant: 'on',
      reason: 'TARGETING_MATCH',
      errorCode: undefined,
      isEnabled: true,
      flagVersion: 3,
      revision: 7,
      stale: false,
    });
    expect(explanation?.trace.rules.map(({ rule, matched }) => [rule, matched])).toEqual([['staff', true]]);
    expect(explanation?.sentence).not.toBe('');
    expect(client.evaluateAll(ALICE)).toEqual({ 'new-checkout': rest });
  });

  it.each([
    ['an unknown flag', 'nothing', 'FLAG_NOT_FOUND'],
    ['a flag with an operator of the future', 'future', 'PARSE_ERROR'],
    ['a fallback of another type', 'new-checkout', 'TYPE_MISMATCH'],
  ])('is the fallback with an error for %s', async (_, key, errorCode) => {
    const future = flagWire('future', {
      rules: [ruleWire('r', [{ attribute: 'x', operator: 'psychic', values: [] }])],
    });
    service.ruleset = rulesetAt(1, [ON, future]);
    const client = await readyClient();
    expect(client.evaluate(key, ALICE, 'blue')).toMatchObject({ value: 'blue', reason: 'ERROR', errorCode });
    expect(client.value(key, ALICE, 'blue')).toBe('blue');
    expect(client.isEnabled('future', ALICE, true)).toBe(true);
    expect(said.filter((line) => line.includes('future'))).toHaveLength(1);
  });

  it('is the fallback for what is no context, whatever it does', async () => {
    service.ruleset = rulesetAt(1, [
      flagWire('new-checkout', {
        rules: [ruleWire('r', [{ attribute: 'x', operator: 'is_set', values: [] }])],
      }),
    ]);
    const client = await readyClient();
    const nasty = new Proxy(
      {},
      {
        getOwnPropertyDescriptor: () => {
          throw new Error('no');
        },
      },
    );
    for (const context of [null, 'alice', 5, [], nasty] as never[]) {
      expect(client.evaluate('new-checkout', context, false)).toMatchObject({
        value: false,
        errorCode: 'INVALID_CONTEXT',
      });
      expect(client.isEnabled('new-checkout', context)).toBe(false);
      for (const result of Object.values(client.evaluateAll(context)))
        expect(result.errorCode).toBe('INVALID_CONTEXT');
    }
  });

  it('takes user_id for the unit, and a number for its text, as the service does', async () => {
    const targets = [{ variant: 'on', keys: ['42'] }];
    service.ruleset = rulesetAt(1, [flagWire('f', { targets, default_serve: { variant: 'off' } })]);
    const client = await readyClient();
    const answers = [
      { targetingKey: 42 },
      { user_id: '42' },
      { user_id: 42 },
      { targetingKey: '43', user_id: '42' },
    ];
    expect(answers.map((context) => client.isEnabled('f', context))).toEqual([true, true, true, false]);
  });

  it.each(['text', 5, true])(
    'of a JSON flag is the fallback where it serves %j and an object is asked for',
    async (value) => {
      const variants = [{ key: 'on', value }];
      service.ruleset = rulesetAt(1, [
        flagWire('f', { value_type: 'json', variants, default_serve: { variant: 'on' }, off_variant: null }),
      ]);
      const client = await readyClient();
      expect(client.evaluate('f', ALICE, {})).toMatchObject({ value: {}, errorCode: 'TYPE_MISMATCH' });
      expect(client.value('f', ALICE, null)).toBe(value);
    },
  );

  it('is given also where the unit cannot be read, and nobody is exposed then', async () => {
    const sent: unknown[] = [];
    const sink = { send: (events: readonly unknown[]) => Promise.resolve(sent.push(...events)) };
    const client = await readyClient({ exposures: { sink } });
    const nasty = {
      get targetingKey(): string {
        throw new Error('no');
      },
    };
    expect(client.evaluate('new-checkout', nasty, true).value).toBe(true);
    expect(client.isEnabled('new-checkout', nasty, true)).toBe(true);
    client.track('bought', nasty, null as never);
    client.track('bought', null as never);
    client.track('bought', ALICE, {
      get value(): number {
        throw new Error('mine');
      },
    });
    await client.close();
    expect(sent).toMatchObject([
      { type: 'metric', unit: undefined },
      { type: 'metric', unit: undefined },
    ]);
    expect(said.some((line) => line.includes('bought') && line.includes('mine'))).toBe(true);
  });

  it('does not turn on what is off, whatever the fallback', async () => {
    service.ruleset = rulesetAt(1, [flagWire('f', { is_enabled: false, off_variant: null })]);
    const client = await readyClient();
    expect(client.isEnabled('f', ALICE, true)).toBe(false);
    expect(client.value('f', ALICE, true)).toBe(true);
  });
});

describe('the stream', () => {
  it('is followed from where the ruleset left off, and changes what is answered', async () => {
    const client = await readyClient();
    const changes: unknown[] = [];
    client.on('change', (change) => changes.push(change));
    await following();
    expect(service.last('/stream')).toMatchObject({ 'last-event-id': '1-abc', 'x-api-key': 'vx_server_key' });
    service.change({ put: [OFF] });
    await eventually(() => !client.isEnabled('new-checkout', ALICE));
    expect(changes).toEqual([{ revision: 2, flagsChanged: ['new-checkout'] }]);
    service.change({ removed: ['new-checkout'] });
    await eventually(() => client.evaluate('new-checkout').errorCode === 'FLAG_NOT_FOUND');
    expect(client.revision).toBe(3);
  });

  it('is come back to with the last id when it breaks', async () => {
    const client = await readyClient();
    await following();
    service.change({ put: [OFF] });
    await eventually(() => client.revision === 2);
    service.cut();
    await eventually(() => service.count('/stream') === 2);
    expect(service.last('/stream')['last-event-id']).toBe('2-abc');
    await following();
    expect(client.isStale).toBe(false);
  });

  it('is left for the whole ruleset when a change does not follow', async () => {
    const client = await readyClient();
    await following();
    service.ruleset = rulesetAt(5, [OFF]);
    service.event('change', changeTo(5, 4, [OFF]), '5-abc');
    await eventually(() => client.revision === 5);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(false);
    expect(service.last('/ruleset')['if-none-match']).toBeUndefined();
  });

  it.each([
    ['no JSON', 'event: change\ndata: {"environment_key":\n\n'],
    ['no change', eventText('change', { environment_key: 'production', prev_revision: 1, revision: 2 }, 'x')],
    [
      'a change of another environment',
      eventText('change', { ...changeTo(2, 1, []), environment_key: 'staging' }, 'x'),
    ],
    ['no ruleset', eventText('ruleset', { hello: 'world' }, 'x')],
    ['a ruleset of another environment', eventText('ruleset', rulesetAt(9, [], 'staging'), 'x')],
    ['a ruleset of the future', eventText('ruleset', { ...rulesetAt(9, []), spec_version: 2 }, 'x')],
  ])('does no harm when it sends %s', async (_, text) => {
    const client = await readyClient();
    const errors: VexilError[] = [];
    client.on('error', (error) => errors.push(error));
    await following();
    service.say(text);
    await eventually(() => errors.length > 0);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
    expect(client.revision).toBe(1);
    await following();
    service.change({ put: [OFF] });
    await eventually(() => client.revision === 2);
  });

  it('takes a ruleset of an earlier revision after a resync only', async () => {
    service.ruleset = rulesetAt(9, [ON]);
    const client = await readyClient();
    await following();
    service.event('ruleset', rulesetAt(3, [OFF]), '3-abc');
    await eventually(() => service.count('/stream') === 2);
    expect(client.revision).toBe(9);
    await following();
    service.ruleset = rulesetAt(4, [OFF]);
    service.event('resync', { reason: 'id_unknown' });
    service.event('ruleset', service.ruleset, service.id);
    await eventually(() => client.revision === 4);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(false);
  });

  it('counts as broken when nothing comes for too long, heartbeats count as something', async () => {
    const client = await readyClient({ streamSilenceMs: 1_000 });
    await following();
    const beating = setInterval(() => service.say(':\n\n'), 50);
    const errors: VexilError[] = [];
    client.on('error', (error) => errors.push(error));
    const until = performance.now() + 2_500;
    await eventually(() => performance.now() > until);
    clearInterval(beating);
    const beats = errors.length;
    await eventually(() => errors.some((error) => error instanceof TimeoutError));
    expect(beats).toBe(0);
    await following();
  });

  it('is come back to soon however often it is cut, and nobody sees what is old', async () => {
    const client = await readyClient({ minBackoffMs: 20, maxBackoffMs: 60_000, staleAfterMs: 15_000 });
    const told: unknown[] = [];
    client.on('stale', (event) => told.push(event));
    for (let count = 1; count <= 15; count += 1) {
      await following();
      service.cut();
      await eventually(() => service.count('/stream') > count);
    }
    expect(told).toEqual([]);
  });

  it('is said to have been silent for as long as it was', async () => {
    service.isMute = true;
    const client = await readyClient({ requestTimeoutMs: 200 });
    const errors: VexilError[] = [];
    client.on('error', (error) => errors.push(error));
    await eventually(() => errors.some((error) => error instanceof TimeoutError));
    expect(errors.find((error) => error instanceof TimeoutError)?.message).toContain('for 200 ms');
  });

  it('says that it was closed, and why, and the client comes again unless it was for its key', async () => {
    const client = await readyClient({ deniedRetryMs: 60_000 });
    const errors: string[] = [];
    client.on('error', ({ code }) => errors.push(code));
    await following();
    service.event('closed', { reason: 'shutting_down' });
    await eventually(() => service.count('/stream') === 2);
    await following();
    service.event('closed', { reason: 'access_ended' });
    await eventually(() => errors.includes('stream_access_ended'));
    expect(errors).toEqual(['stream_access_ended']);
    expect(service.count('/stream')).toBe(2);
  });
});

describe('where there is no stream', () => {
  it.each([
    ['is refused', () => (service.streamRefusal = { status: 404 })],
    ['stays mute', () => (service.isMute = true)],
  ])('asks for the ruleset again and again when it %s', async (_, arrange) => {
    arrange();
    const client = await readyClient({ pollIntervalMs: 1_000, requestTimeoutMs: 200 });
    await eventually(() => service.last('/ruleset')['if-none-match'] === '"1-abc"');
    service.ruleset = rulesetAt(2, [OFF]);
    await eventually(() => !client.isEnabled('new-checkout', ALICE));
    expect(client.isStale).toBe(false);
  });

  it('asks only now and then, and never for the stream, when it is not to stream', async () => {
    const client = await readyClient({ streaming: false, pollIntervalMs: 1_000 });
    service.ruleset = rulesetAt(2, [OFF]);
    await eventually(() => client.revision === 2);
    await eventually(() => service.count('/ruleset') >= 3);
    expect(service.last('/ruleset')['if-none-match']).toBe('"2-abc"');
    expect(service.count('/stream')).toBe(0);
  });

  describe('and an earlier revision', () => {
    let passedMs = 0;
    beforeEach(() => {
      const { performance } = globalThis;
      const now = performance.now.bind(performance);
      jest.spyOn(performance, 'now').mockImplementation(() => now() + passedMs);
    });
    afterEach(() => {
      passedMs = 0;
      jest.restoreAllMocks();
    });
    const asked = (times: number) => {
      const before = service.count('/ruleset');
      // The answer to one has been read when the next is asked.
      return eventually(() => service.count('/ruleset') > before + times);
    };
    const backAt9 = async (options: Partial<ServerClientOptions> = {}) => {
      service.ruleset = rulesetAt(9, [ON]);
      const client = await readyClient({ streaming: false, pollIntervalMs: 1_000, ...options });
      service.ruleset = rulesetAt(4, [OFF]);
      return client;
    };

    it('takes it when nothing else has been answered for half a minute', async () => {
      const client = await backAt9();
      await asked(3);
      expect(client.revision).toBe(9);
      passedMs = 30_000;
      await eventually(() => client.revision === 4);
    });

    it('leaves it aside where another instance still has what is known', async () => {
      const client = await backAt9();
      await asked(1);
      service.isUnchanged = true;
      await asked(1);
      service.isUnchanged = false;
      passedMs = 30_000;
      await asked(2);
      expect(client.revision).toBe(9);
    });

    it.each([
      ['is old by its own word', { 'x-snapshot': 'STALE' }],
      ['has no name', { etag: '' }],
    ])('leaves it aside when it %s', async (_, headers) => {
      const client = await backAt9();
      service.rulesetHeaders = headers;
      await asked(2);
      passedMs = 60_000;
      await asked(2);
      expect(client.revision).toBe(9);
    });

    it('leaves it aside where nothing has a name', async () => {
      service.rulesetHeaders = { etag: '' };
      const client = await backAt9();
      await asked(2);
      expect(client.revision).toBe(9);
    });

    it('leaves it aside as long as the stream says that it is behind', async () => {
      service.streamRefusal = { status: 503, code: 'behind_client' };
      const client = await backAt9({ streaming: true });
      await asked(3);
      passedMs = 60_000;
      await asked(3);
      expect(client.revision).toBe(9);
      service.streamRefusal = { status: 404 };
      await asked(1);
      passedMs = 120_000;
      await eventually(() => client.revision === 4);
    });
  });
});

describe('in an outage', () => {
  it('answers by what was known last, and says that it is old, until the service is back', async () => {
    const client = await readyClient({ staleAfterMs: 50 });
    const told: string[] = [];
    client.on('stale', ({ revision }) => told.push(`stale ${revision}`));
    client.on('ready', ({ revision }) => told.push(`ready ${revision}`));
    await following();
    service.refusal = { status: 503 };
    service.cut();
    await eventually(() => client.isStale);
    expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ value: true, stale: true, revision: 1 });
    service.refusal = undefined;
    service.ruleset = rulesetAt(2, [OFF]);
    await eventually(() => !client.isStale && client.revision === 2);
    expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ isEnabled: false, stale: false });
    expect(told).toEqual(['stale 1', expect.stringMatching(/^ready/)]);
  });

  it('says that what it begins with is old when the service stays away', async () => {
    service.refusal = { status: 503 };
    const client = clientOf({ bootstrap: rulesetAt(3, [ON]), staleAfterMs: 50 });
    const told: string[] = [];
    client.on('stale', ({ revision }) => told.push(`stale ${revision}`));
    client.on('ready', () => told.push('ready'));
    await client.ready();
    await eventually(() => told.length > 0);
    service.refusal = undefined;
    await eventually(() => !client.isStale);
    expect(told).toEqual(['stale 3', 'ready']);
  });

  describe('that takes questions and never answers', () => {
    const silent: Fetch = () => new Promise<never>(() => undefined);

    it('begins with what is stored as soon as that counts as stale', async () => {
      const client = clientOf({ bootstrap: rulesetAt(3, [ON]), staleAfterMs: 50, fetch: silent });
      const since = performance.now();
      await client.ready();
      expect(performance.now() - since).toBeLessThan(5_000);
      expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ value: true, stale: true });
    });

    it('begins with what is stored where there is no time to wait for more', async () => {
      const client = clientOf({ bootstrap: rulesetAt(3, [ON]), fetch: silent });
      await client.ready({ timeoutMs: 30 });
      expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ value: true, stale: true });
      await expect(clientOf({ fetch: silent }).ready({ timeoutMs: 30 })).rejects.toThrow(TimeoutError);
    });
  });

  it('is not stale for a connection that breaks and comes back', async () => {
    const client = await readyClient();
    const told: unknown[] = [];
    client.on('stale', (event) => told.push(event));
    for (let count = 1; count <= 5; count += 1) {
      await following();
      service.cut();
      await eventually(() => service.count('/stream') > count);
    }
    await following();
    expect(told).toEqual([]);
    expect(client.isStale).toBe(false);
  });

  it('waits as long as the service asks it to', async () => {
    const client = await readyClient();
    await following();
    service.refusal = { status: 503, retryAfter: '1' };
    const before = service.requests.length;
    service.cut();
    await eventually(() => service.requests.length >= before + 2);
    const [first, second] = service.requests.slice(before);
    expect(second!.at - first!.at).toBeGreaterThan(900);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });

  it('does not wait for days, though the service asks it to', async () => {
    const waits: unknown[] = [];
    const { setTimeout: real } = globalThis;
    service.refusal = { status: 503, retryAfter: '864000' };
    const spy = jest.spyOn(globalThis, 'setTimeout').mockImplementation((run: () => void, ms?: number) => {
      waits.push(ms);
      return real(run, ms);
    });
    clientOf();
    await eventually(() => waits.includes(300_000));
    spy.mockRestore();
  });

  it('keeps what it knows when its key is revoked, says so, and asks slowly', async () => {
    const client = await readyClient({ deniedRetryMs: 200, staleAfterMs: 10 });
    const errors: VexilError[] = [];
    client.on('error', (error) => errors.push(error));
    await following();
    service.refusal = { status: 401, code: 'unauthenticated' };
    service.cut();
    await eventually(() => errors.some((error) => error instanceof ApiError && error.status === 401));
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
    const before = service.requests.length;
    await eventually(() => service.requests.length >= before + 2);
    const [first, second] = service.requests.slice(before);
    expect(second!.at - first!.at).toBeGreaterThan(190);
    service.refusal = undefined;
    await eventually(() => !client.isStale);
  });

  it('says one line for an outage, not one for each attempt', async () => {
    await readyClient();
    await following();
    service.refusal = { status: 503 };
    service.cut();
    const before = service.requests.length;
    await eventually(() => service.requests.length > before + 10);
    expect(said.filter((line) => line.includes('503'))).toHaveLength(1);
  });
});

describe('a stored ruleset', () => {
  const path = () => join(folder, 'deep', 'ruleset.json');

  it('decides from the first moment when it is brought as an object, and is replaced whatever its revision', async () => {
    const client = clientOf({ bootstrap: rulesetAt(90, [OFF]) });
    expect(client.evaluate('new-checkout', ALICE)).toMatchObject({
      isEnabled: false,
      stale: true,
      revision: 90,
    });
    await client.ready();
    await eventually(() => client.revision === 1);
    expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ isEnabled: true, stale: false });
  });

  it('decides from the first moment when it is brought as a file', () => {
    const file = join(folder, 'bootstrap.json');
    writeFileSync(file, JSON.stringify(rulesetAt(1, [OFF])));
    expect(clientOf({ bootstrap: { file } }).evaluate('new-checkout').revision).toBe(1);
  });

  it.each([
    ['no ruleset', () => ({ hello: 'world' })],
    ['of another environment', () => rulesetAt(1, [], 'staging')],
    ['a file that is not there', () => ({ file: join(folder, 'nowhere.json') })],
  ])('is refused when it is %s', (_, bootstrap) => {
    expect(() => clientOf({ bootstrap: bootstrap() })).toThrow(ValidationError);
  });

  it('is kept in a file, and decides after a restart in an outage', async () => {
    const first = await readyClient({ persistTo: path() });
    await following();
    service.change({ put: [OFF] });
    await eventually(() => first.revision === 2);
    await first.close();

    service.refusal = { status: 503 };
    const second = clientOf({ persistTo: path() });
    expect(second.evaluate('new-checkout', ALICE)).toMatchObject({
      isEnabled: false,
      stale: true,
      revision: 2,
    });
    await second.ready();
    service.refusal = undefined;
    await eventually(() => !second.isStale);
    expect(service.requests.some(({ headers }) => headers['if-none-match'] === '"2-abc"')).toBe(true);
  });

  it('is kept while the client runs, and not only at its end', async () => {
    await readyClient({ persistTo: path() });
    await eventually(() => existsSync(path()));
    expect(readFileSync(path(), 'utf8')).toContain('new-checkout');
  });

  it.each([
    ['was cut', (text: string) => text.slice(0, -20)],
    ['was altered', (text: string) => text.replace('"on"', '"of"')],
    ['is empty', () => ''],
  ])('is not used when its file %s', async (_, damage) => {
    const first = await readyClient({ persistTo: path() });
    await first.close();
    writeFileSync(path(), damage(readFileSync(path(), 'utf8')));
    service.refusal = { status: 503 };
    expect(clientOf({ persistTo: path() }).evaluate('new-checkout').errorCode).toBe('PROVIDER_NOT_READY');
    expect(said.some((line) => line.includes('is not used'))).toBe(true);
  });

  it('is kept whole where several clients keep it in the same file', async () => {
    const flags = Array.from({ length: 300 }, (_, index) => flagWire(`flag-${index}`));
    service.ruleset = rulesetAt(1, flags);
    for (let round = 0; round < 5; round += 1) {
      const several = await Promise.all(Array.from({ length: 4 }, () => readyClient({ persistTo: path() })));
      await Promise.all(several.map((client) => client.close()));
    }
    expect(said).toEqual([]);
    service.refusal = { status: 503 };
    expect(clientOf({ persistTo: path() }).revision).toBe(1);
    expect(readdirSync(dirname(path()))).toEqual(['ruleset.json']);
  });

  it('does no harm when its file cannot be written', async () => {
    const client = await readyClient({ persistTo: join(folder, '\0') });
    await client.close();
    expect(said.some((line) => line.includes('cannot be written'))).toBe(true);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });
});

describe('the rest', () => {
  it.each([
    [{ baseUrl: 'flags.example.com' }, 'baseUrl'],
    [{ baseUrl: 'ftp://flags.example.com' }, 'baseUrl'],
    [{ baseUrl: 'http://a:b@flags.example.com' }, 'baseUrl'],
    [{ apiKey: '' }, 'apiKey'],
    [{ apiKey: 'a\nb' }, 'apiKey'],
    [{ environment: undefined as never }, 'environment'],
    [{ pollIntervalMs: 5 }, 'pollIntervalMs'],
    [{ staleAfterMs: Infinity }, 'staleAfterMs'],
    [{ persistTo: '' }, 'persistTo'],
    [{ streaming: 'no' as never }, 'streaming'],
    [{ fetch: {} as never }, 'fetch'],
    [{ logger: {} as never }, 'logger'],
    [{ exposures: {} as never }, 'exposures.sink'],
    [{ exposures: { sink: { send: () => Promise.resolve() }, batchSize: 0 } }, 'exposures.batchSize'],
  ])('refuses the options %j by their name', (options, path) => {
    expect(() => clientOf(options)).toThrow(
      expect.objectContaining({ problems: [expect.objectContaining({ path })] }),
    );
  });

  it.each(['/vexil', '/vexil/'])('finds the service under the base path %s', async (base) => {
    const under = await FakeService.start('/vexil');
    under.ruleset = rulesetAt(1, [ON]);
    const client = await readyClient({ baseUrl: under.url.replace('/vexil', base) });
    await eventually(() => under.streams.size === 1);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
    await client.close();
    await under.close();
  });

  it('is not hurt by a listener that throws', async () => {
    const client = await readyClient();
    client.on('change', () => {
      throw new Error('mine');
    });
    const told: number[] = [];
    const end = client.on('change', ({ revision }) => told.push(revision));
    await following();
    service.change({ put: [OFF] });
    await eventually(() => client.revision === 2);
    end();
    service.change({ put: [ON] });
    await eventually(() => client.revision === 3);
    expect(told).toEqual([2]);
    expect(said.some((line) => line.includes('mine'))).toBe(true);
  });

  it('is not hurt by a listener that fails later', async () => {
    const client = await readyClient();
    const late = (): unknown => Promise.reject(new Error('later'));
    client.on('change', late);
    await following();
    service.change({ put: [OFF] });
    await eventually(() => said.some((line) => line.includes('later')));
  });

  it('is not hurt by a logger that throws', async () => {
    const fail = (): never => {
      throw new Error('mine');
    };
    const client = await readyClient({ logger: { warn: fail, error: fail }, deniedRetryMs: 20 });
    client.on('error', fail);
    await following();
    service.refusal = { status: 401 };
    const before = service.requests.length;
    service.cut();
    await eventually(() => service.requests.length >= before + 4);
    await client.close();
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });

  it.each([
    ['polls', { streaming: false, pollIntervalMs: 1_000 }, undefined],
    ['waits for the service', { minBackoffMs: 100, maxBackoffMs: 200 }, { status: 503 }],
  ])('keeps its process alive until it is closed when it %s', async (_, options, refusal) => {
    service.refusal = refusal;
    const bundle = join(folder, 'sdk.mjs');
    const entryPoints = ['sdk/src/index.ts'];
    await build({ entryPoints, bundle: true, format: 'esm', platform: 'node', outfile: bundle });
    const settings = { baseUrl: service.url, apiKey: 'k', environment: 'production', ...options };
    const program = join(folder, 'program.mjs');
    writeFileSync(
      program,
      `import { createServerClient } from './sdk.mjs';
       const client = createServerClient(${JSON.stringify(settings)});
       process.once('SIGTERM', () => void client.close());`,
    );
    const child = spawn(process.execPath, [program], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    try {
      await eventually(() => service.count('/ruleset') >= 3);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('says that answers are old once it is closed', async () => {
    const client = await readyClient();
    expect(client.isStale).toBe(false);
    await client.close();
    expect(client.isStale).toBe(true);
    expect(client.evaluate('new-checkout', ALICE)).toMatchObject({ value: true, stale: true });
  });

  it('leaves nothing open when it is closed, and goes on answering', async () => {
    const client = await readyClient();
    await following();
    await client.close();
    await eventually(() => service.streams.size === 0);
    expect(client.isEnabled('new-checkout', ALICE)).toBe(true);
  });

  it('does not take its key to where the service is said to have moved', async () => {
    const elsewhere = await FakeService.start();
    service.refusal = { status: 307, location: `${elsewhere.url}/ruleset` };
    const errors: VexilError[] = [];
    const client = clientOf();
    client.on('error', (error) => errors.push(error));
    await eventually(() => errors.length > 1);
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });
});
