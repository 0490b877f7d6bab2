import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { Drill, Durations, outOf, scaled } from '../support/drill.js';
import { HttpClient } from '../support/http-client.js';
import { Service } from '../support/service-process.js';
import { StreamConnection } from '../support/stream-client.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const MB = 1024 * 1024;
/** How much the process may grow, garbage that it has not collected included. */
const GROWTH_MB = 200;
const SLOW_SOCKETS = scaled(200, 500);
const STREAMS = scaled(150, 1_000);
const MAX_PER_CALLER = 100;
const REFUSALS = [400, 413, 415, 422, 429, 503];

let service: Service;
let token: string;
let key: string;
beforeAll(async () => {
  await ensureBuilt();
  service = await Service.running({ STREAM_MAX_PER_CALLER: String(MAX_PER_CALLER) });
  token = await service.setUp();
  const flag = { key: 'calm', name: 'Calm', environment_key: 'development', is_enabled: true };
  await service.client.ask('/flags', { method: 'POST', token, body: flag });
  key = await newKey();
}, 300_000);
afterAll(() => service.close());

async function newKey(): Promise<string> {
  const body = { name: 'k', kind: 'server', environment_key: 'development', rate_limit_per_minute: 0 };
  const made = await service.client.ask('/auth/api-keys', { method: 'POST', token, body });
  expect(made.status).toBe(201);
  return made.body.secret as string;
}

/** Resident memory of the service in MB. Linux only. */
const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.process.child.pid}/status`, 'utf8'))?.[1]) /
  1024;

/** Evaluates with a key of its own as long as `attack` goes on: nothing of it may fail. */
async function whileCalm<T>(
  name: string,
  attack: () => Promise<T>,
  counted: (result: T) => Record<string, number | object>,
): Promise<T> {
  const drill = new Drill('T18', name);
  const calm = new HttpClient(service.client.url);
  const durations = new Durations();
  const failed: unknown[] = [];
  let [asked, mostMb, isOver] = [0, 0, false];
  const before = residentMb();
  const evaluating = (async () => {
    while (!isOver) {
      asked += 1;
      try {
        const path = '/evaluate/calm?environment_key=development&user_id=u';
        const { status, body, durationMs } = await calm.ask(path, { token: key });
        durations.add(durationMs);
        if (status !== 200 || body.value !== true) failed.push([status, body]);
      } catch (error) {
        failed.push(String(error));
      }
      mostMb = Math.max(mostMb, residentMb());
      await sleep(5);
    }
  })();
  const result = await attack();
  isOver = true;
  await evaluating;
  calm.close();
  drill.report(
    {
      'failed evaluations of another key': outOf(failed.length, asked),
      'memory before and at the most (MB)': [Math.round(before), Math.round(mostMb)],
      ...counted(result),
    },
    { evaluations: durations },
  );
  expect(failed).toEqual([]);
  expect(mostMb - before).toBeLessThan(GROWTH_MB);
  expect(service.process.isRunning).toBe(true);
  return result;
}

/** Sends a body piece by piece for as long as it is taken. @returns the status; `closed` when the connection broke without one */
function pour(
  path: string,
  headers: Record<string, string>,
  body: Iterable<Buffer>,
): Promise<number | 'closed'> {
  return new Promise((resolve) => {
    const outgoing = request(new URL(path, service.client.url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', ...headers },
    });
    outgoing.setMaxListeners(0);
    const seen = { answer: false };
    outgoing.on('response', (response) => {
      seen.answer = true;
      response.resume();
      resolve(response.statusCode ?? 0);
      response.on('end', () => outgoing.destroy());
    });
    // What was refused is not read to its end.
    outgoing.on('error', () => {
      if (!seen.answer) setTimeout(() => resolve('closed'), 100);
    });
    void (async () => {
      for (const piece of body) {
        if (seen.answer || outgoing.destroyed) return;
        if (!outgoing.write(piece))
          await new Promise<void>((go) => {
            outgoing.once('drain', go).once('close', go).once('response', go);
          });
      }
      outgoing.end();
    })();
  });
}

function* times(count: number, piece: Buffer): Iterable<Buffer> {
  for (let index = 0; index < count; index += 1) yield piece;
}

/** In pieces, so that the one who sends it does not stand still either. */
function* pieces(text: string): Iterable<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const manyKeys = (count: number): string => {
  const keys = Array.from({ length: count }, (_, index) => `"k${index}":1`);
  return `{"context":{${keys.join()}}}`;
};
const MILLION = manyKeys(1_000_000);
const AS_MANY_AS_FIT = manyKeys(85_000);

const PATHS = ['/evaluate', '/ofrep/v1/evaluate/flags', '/flags', '/segments', '/auth/login'];
const megabyte = Buffer.alloc(MB, 'x');

it.each<[string, () => [Record<string, string>, Iterable<Buffer>]]>([
  ['a body of 100 MB', () => [{ 'Content-Length': String(100 * MB) }, times(100, megabyte)]],
  ['a body of 100 MB that does not say its length', () => [{}, times(100, megabyte)]],
  ['a million keys', () => [{}, pieces(MILLION)]],
  ['as many keys as fit', () => [{}, pieces(AS_MANY_AS_FIT)]],
  ['a depth of 100,000', () => [{}, pieces('['.repeat(100_000) + ']'.repeat(100_000))]],
  ['a depth of 20,000 of objects', () => [{}, pieces(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)]],
  ['a bomb of gzip', () => [{ 'Content-Encoding': 'gzip' }, [gzipSync(Buffer.alloc(100 * MB, ' '))]]],
])('T18: %s is refused, and the memory for it is bounded', async (name, make) => {
  const statuses = await whileCalm(
    name,
    async () => {
      const all: (number | 'closed')[] = [];
      for (const path of PATHS) all.push(await pour(path, ...make()));
      return all;
    },
    (all) => ({ answers: Object.fromEntries(PATHS.map((path, index) => [path, all[index]])) }),
  );
  for (const status of statuses) expect([...REFUSALS, 'closed']).toContain(status);
  expect(statuses.some((status) => status !== 'closed')).toBe(true);
});

it('T18: sockets that never finish their requests are ended, and keep nobody waiting', async () => {
  const sockets: Socket[] = [];
  const opening = `POST /evaluate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
  const left = await whileCalm(
    `${SLOW_SOCKETS} slow sockets`,
    async () => {
      for (let index = 0; index < SLOW_SOCKETS; index += 1) {
        const socket = connect(service.port, '127.0.0.1', () => socket.write(opening));
        socket.on('error', () => undefined);
        socket.resume();
        sockets.push(socket);
      }
      // One more header every second, as a slow line would bring it; in the short form not until the service has had enough.
      const drip = setInterval(() => {
        for (const socket of sockets) if (socket.writable) socket.write(`X-Slow: ${Date.now()}\r\n`);
      }, 1_000);
      const open = () => sockets.filter(({ closed }) => !closed).length;
      if (scaled(0, 1) === 1) await eventually(() => open() === 0, 90_000).catch(() => undefined);
      else await sleep(3_000);
      clearInterval(drip);
      return open();
    },
    (open) => ({ 'still open': outOf(open, SLOW_SOCKETS) }),
  );
  for (const socket of sockets) socket.destroy();
  if (scaled(0, 1) === 1) expect(left).toBe(0);
});

it.each([
  ['by the application', 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['by the door', `GET /evaluate/calm?environment_key=development&user_id=u HTTP/1.1\r\nHost: x\r\n\r\n`],
])('T18: answers that nobody reads, asked for by the thousand (%s), do not pile up', async (by, question) => {
  const sockets: Socket[] = [];
  const asked = await whileCalm(
    `answers that nobody reads, ${by}`,
    async () => {
      const questions = Buffer.from(question.repeat(5_000));
      for (let index = 0; index < 4; index += 1) {
        const socket = connect(service.port, '127.0.0.1', () => socket.write(questions));
        socket.on('error', () => undefined);
        socket.pause();
        sockets.push(socket);
      }
      // Until nothing more is taken of them.
      const sent = () =>
        sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0);
      let last = -1;
      while (last !== sent()) {
        last = sent();
        await sleep(1_000);
      }
      return sockets.length * 5_000;
    },
    (questions) => ({ asked: questions }),
  );
  expect(asked).toBe(20_000);
  // Who goes on reading gets on, unless that took longer than a request may take to come: the next one was half read.
  const [first] = sockets as [Socket, ...Socket[]];
  let text = '';
  first.setEncoding('latin1').on('data', (piece: string) => (text = (text + piece).slice(-100_000)));
  const before = first.bytesRead;
  first.resume();
  await eventually(
    () => first.closed || first.bytesRead > before + 20 * MB || /HTTP\/1.1 200/.test(text),
    60_000,
  );
  for (const socket of sockets) socket.destroy();
});

it('T18: streams beyond what one caller may have are refused', async () => {
  const stormy = await newKey();
  const streams: StreamConnection[] = [];
  const counts = await whileCalm(
    `${STREAMS} streams of one key`,
    async () => {
      const byStatus = new Map<number, number>();
      for (let index = 0; index < STREAMS; index += 50) {
        const batch = Array.from({ length: 50 }, () =>
          StreamConnection.open(service.client.url, { token: stormy }),
        );
        for (const stream of await Promise.all(batch)) {
          streams.push(stream);
          byStatus.set(stream.status, (byStatus.get(stream.status) ?? 0) + 1);
        }
      }
      return byStatus;
    },
    (byStatus) => ({ 'answers by status': Object.fromEntries(byStatus) }),
  );
  for (const stream of streams) stream.cut();
  expect(counts.get(200)).toBe(MAX_PER_CALLER);
  for (const status of counts.keys()) expect([200, 429, 503]).toContain(status);
});
