import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Writable } from 'node:stream';
import { EnvironmentRevisions } from '../../src/environments/environment-revisions.js';
import { SnapshotsService } from '../../src/evaluation/snapshots.service.js';
import { StreamAddresses } from '../../src/ofrep/stream-addresses.js';
import { startApp, type TestApp } from '../support/app.js';
import { Api, eventually } from '../support/api.js';
import { StreamConnection } from '../support/stream-client.js';
import { clientKey, serverKey, withKey, type MadeKey } from '../api-keys/support.js';
import { ALICE, ask, BULK, makeFlags } from './support.js';

const HALF_A_DAY = 12 * 60 * 60 * 1000;

let vexil: TestApp;
let api: Api;
let client: MadeKey;
let log = '';
const open: StreamConnection[] = [];
beforeAll(async () => {
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  vexil = await startApp({}, { log: sink });
  api = new Api(vexil);
  await makeFlags(api);
  client = await clientKey(vexil, { origins: ['https://acme.com'] });
});
afterAll(async () => {
  for (const stream of open) stream.cut();
  await vexil.close();
});

const bulk = (key = client, headers: object = {}) => ask(vexil, key, BULK, ALICE, headers);
const addressFor = async (key = client): Promise<string> =>
  (await bulk(key)).body.eventStreams[0].endpoint.requestUri;

async function follow(path: string, lastEventId?: string, origin?: string): Promise<StreamConnection> {
  const stream = await StreamConnection.open(vexil.url, { path, lastEventId, origin });
  open.push(stream);
  return stream;
}

const toggle = async (key = 'shop-banner') => {
  const { is_enabled: isOn } = await api.flag(key);
  await api.change(key, { is_enabled: !isOn });
};

describe('the address', () => {
  it('is on this service, is the same for as long as nothing changes, and is in no log', async () => {
    const { body } = await bulk();
    expect(body.eventStreams).toEqual([
      {
        type: 'sse',
        endpoint: {
          requestUri: expect.stringMatching(/^\/ofrep\/v1\/stream\?token=[\w-]{48}&since=\d+-[\da-f]{12}$/),
        },
        inactivityDelaySec: 120,
      },
    ]);
    const address = await addressFor();
    expect(address).toBe(body.eventStreams[0].endpoint.requestUri);
    const stream = await follow(address);
    expect(stream.status).toBe(200);
    stream.cut();
    await eventually(() => log.includes('GET /ofrep/v1/stream'));
    expect(log).not.toContain(/token=([\w-]+)/.exec(address)?.[1]);
    expect(address).not.toContain(client.secret.slice(-43));
  });

  it.each([
    ['none', 400, 'PARSE_ERROR'],
    ['rubbish', 401, 'GENERAL'],
    ['another mark', 401, 'GENERAL'],
    ['one of the day before', 401, 'GENERAL'],
    ['one of tomorrow', 401, 'GENERAL'],
    ['one for a key that is none', 401, 'GENERAL'],
  ])('is refused: %s', async (what, status, errorCode) => {
    const addresses = vexil.app.get(StreamAddresses, { strict: false });
    const right = addresses.tokenFor(client.id);
    const tokens: Record<string, string> = {
      rubbish: 'x',
      'another mark': `${right.slice(0, -2)}${right.endsWith('A') ? 'BA' : 'AA'}`,
      'one of the day before': addresses.tokenFor(client.id, Date.now() - 2 * HALF_A_DAY),
      'one of tomorrow': addresses.tokenFor(client.id, Date.now() + HALF_A_DAY),
      'one for a key that is none': addresses.tokenFor('00000000-0000-4000-8000-000000000000'),
    };
    const token = tokens[what];
    const answer = await vexil.http.get(`/ofrep/v1/stream${token === undefined ? '' : `?token=${token}`}`);
    expect([answer.status, answer.body]).toEqual([status, { errorCode, errorDetails: expect.any(String) }]);
  });

  it('is good into the next half of a day, and after the signing secret was changed', () => {
    const addresses = vexil.app.get(StreamAddresses, { strict: false });
    const earlier = addresses.tokenFor(client.id, Date.now() - HALF_A_DAY);
    expect(addresses.keyOf(earlier)).toBe(client.id);
    const config = { ...vexil.config, jwtSecretKey: 'x'.repeat(64) };
    const other = new StreamAddresses(config);
    expect(other.keyOf(earlier)).toBeUndefined();
    const turned = new StreamAddresses({ ...config, jwtSecretKeyPrevious: vexil.config.jwtSecretKey });
    expect(turned.keyOf(earlier)).toBe(client.id);
  });

  it('is for the pages of its key alone', async () => {
    const address = await addressFor();
    const stream = await new Promise<Headers>((resolve, reject) => {
      const end = new AbortController();
      fetch(`${vexil.url}${address}`, { headers: { Origin: 'https://acme.com' }, signal: end.signal })
        .then(({ headers }) => {
          resolve(headers);
          end.abort();
        })
        .catch(reject);
    });
    expect(stream.get('access-control-allow-origin')).toBe('https://acme.com');
    const refused = await vexil.http.get(address).set('Origin', 'https://evil.example');
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });
});

describe('the stream', () => {
  it('says that there is something new, under which id, and not what', async () => {
    const stream = await follow(await addressFor());
    expect(stream.headers['content-type']).toBe('text/event-stream');
    await toggle();
    const { id, data } = await stream.first();
    expect(data).toEqual({ type: 'refetchEvaluation', etag: id });
    expect(id).toMatch(/^\d+-[\da-f]{12}$/);
    expect(stream.text).toMatch(/^retry: \d+\n\n(:\n\n)*id: [\w-]+\ndata: \{[^\n]*\}\n\n$/);
    expect(await addressFor()).toContain(`since=${id}`);
  });

  it('misses nothing between the answer and the stream, nor between two streams', async () => {
    const before = await addressFor();
    await toggle();
    await toggle();
    const late = await follow(before);
    const { id } = await late.first();
    late.cut();
    const again = await follow(before, id);
    await toggle();
    expect((await again.first()).id).not.toBe(id);
    // What came while nobody listened is told once.
    expect(late.events).toHaveLength(1);
    const lost = await follow(before, '99-000000000000');
    await lost.first();
  });

  it('ends with its key, without a word', async () => {
    const key = await serverKey(vexil);
    const stream = await follow(await addressFor(key));
    await vexil.http
      .delete(`/auth/api-keys/${key.id}`)
      .set(await vexil.bearer('admin'))
      .expect(204);
    await stream.ended;
    expect(stream.text).not.toContain('data:');
    expect((await bulk(key)).status).toBe(401);
  });
});

it('a stream ends, too, when its page is no longer among those of the key', async () => {
  const key = await clientKey(vexil, { origins: ['https://acme.com', 'https://shop.example'] });
  const path = await addressFor(key);
  const gone = await follow(path, undefined, 'https://shop.example');
  const stays = await follow(path, undefined, 'https://acme.com');
  await vexil.http
    .patch(`/auth/api-keys/${key.id}`)
    .set(await vexil.bearer('admin'))
    .send({ origins: ['https://acme.com'] })
    .expect(200);
  await gone.ended;
  expect(stays.isEnded).toBe(false);
  await toggle();
  await stays.first();
});

describe('whoever asks for the stream', () => {
  it('is counted with the other requests of the key behind the address', async () => {
    const key = await serverKey(vexil, { rate_limit_per_minute: 3 });
    const address = await addressFor(key);
    for (const remaining of ['1', '0']) {
      const { status, headers } = await follow(address);
      expect([status, headers['x-ratelimit-limit'], headers['x-ratelimit-remaining']]).toEqual([
        200,
        '3',
        remaining,
      ]);
    }
    const refused = await vexil.http.get(address);
    expect([refused.status, refused.body.errorCode]).toEqual([429, 'GENERAL']);
    expect(refused.headers['retry-after']).toMatch(/^[1-9]\d?$/);
    expect((await bulk(key)).status).toBe(429);
  });

  it('is counted for its network when the address is none', async () => {
    const own = await startApp({ RATE_LIMIT_PER_MINUTE: '3' });
    try {
      const statuses: number[] = [];
      for (let n = 0; n < 5; n += 1) statuses.push((await own.http.get('/ofrep/v1/stream?token=x')).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
    } finally {
      await own.close();
    }
  });

  it('cannot make the database be asked as often as it likes, whatever state it says it has', async () => {
    const own = await startApp({ REVISION_POLL_SECONDS: '300' });
    const key = await serverKey(own, { rate_limit_per_minute: 0 });
    const token = own.app.get(StreamAddresses, { strict: false }).tokenFor(key.id);
    const asked = jest.spyOn(own.app.get(EnvironmentRevisions, { strict: false }), 'current');
    const visits: StreamConnection[] = [];
    const visit = async (n: number) => {
      const path = `/ofrep/v1/stream?token=${token}&since=9${n}-000000000000`;
      visits.push(await StreamConnection.open(own.url, { path }));
    };
    try {
      const startedAt = performance.now();
      // One after the other, so that they do not simply share one question.
      for (let n = 0; n < 8; n += 1) await visit(n);
      const tookMs = performance.now() - startedAt;
      expect(visits.map(({ status }) => status)).toEqual(Array<number>(8).fill(200));
      // The first, one for each quarter of a second, and one for a timer that is early by a hair.
      expect(asked.mock.calls.length).toBeLessThanOrEqual(Math.floor(tookMs / 250) + 2);
      expect(asked.mock.calls.length).toBeGreaterThan(0);
    } finally {
      asked.mockRestore();
      for (const each of visits) each.cut();
      await own.close();
    }
  });
});

describe('If-None-Match', () => {
  const tagged = async (tag: string, headers: object = {}) => {
    const answer = await bulk(client, { 'If-None-Match': tag, ...headers });
    return { status: answer.status, tag: answer.headers['etag'], text: answer.text, headers: answer.headers };
  };

  it('is 304 for as long as the answer is the same', async () => {
    const { etag = '' } = (await bulk()).headers;
    expect(etag).toMatch(/^W\/"[0-9a-z]+-[0-9a-z]+"$/);
    const same = await tagged(etag);
    expect([same.status, same.text, same.tag, same.headers['content-type']]).toEqual([
      304,
      '',
      etag,
      undefined,
    ]);
    for (const form of [`"x", ${etag}`, etag.replace('W/', ''), '*'])
      expect((await tagged(form)).status).toBe(304);
    expect((await tagged('"x"')).status).toBe(200);
    // What this key may not know of changes nothing.
    await toggle('secret-plan');
    expect((await tagged(etag)).status).toBe(304);
    await toggle();
    const changed = await tagged(etag);
    expect([changed.status, changed.tag === etag]).toEqual([200, false]);
  });

  it('is 200 for another context, and for another key', async () => {
    const { etag } = (await bulk()).headers;
    const pro = { context: { targetingKey: 'alice', plan: 'pro' } };
    expect((await ask(vexil, client, BULK, pro, { 'If-None-Match': etag })).status).toBe(200);
    const other = await clientKey(vexil);
    expect((await bulk(other, { 'If-None-Match': etag })).status).toBe(200);
  });
});

describe('flagConfigEtag', () => {
  it('of a state that is not known here makes the database be asked; one that is known does not', async () => {
    const snapshots = vexil.app.get(SnapshotsService, { strict: false });
    const catchUp = jest.spyOn(snapshots, 'catchUp');
    const since = /since=(.*)/.exec(await addressFor())?.[1] ?? '';
    const send = (id: string) =>
      vexil.http
        .post(`${BULK}?flagConfigEtag=${id}&flagConfigLastModified=1771622898&other=1`)
        .set(withKey(client))
        .send(ALICE);
    await send(since).expect(200);
    await send('whatever').expect(200);
    expect(catchUp).not.toHaveBeenCalled();
    await send('9999-000000000000').expect(200);
    expect(catchUp).toHaveBeenCalledTimes(1);
    catchUp.mockRejectedValueOnce(new Error('away'));
    // Better what is here than nothing.
    await send('9999-000000000000').expect(200);
    catchUp.mockRestore();
  });
});
