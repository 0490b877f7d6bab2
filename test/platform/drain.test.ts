import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { Drain } from '../../src/platform/http/drain.js';
import { eventually } from '../support/api.js';

const MB = 1024 * 1024;
/** More than the system keeps on the way. */
const LARGE = Buffer.alloc(16 * MB, 'x');

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function draining(
  answer: RequestListener,
): Promise<{ drain: Drain; server: Server; accepted: Socket[] }> {
  const server = createServer(answer);
  servers.push(server);
  const accepted: Socket[] = [];
  server.on('connection', (socket: Socket) => accepted.push(socket));
  const drain = new Drain();
  drain.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { drain, server, accepted };
}

/** A client that reads nothing until it is told to. */
async function slowClient(server: Server, text: string): Promise<{ read: () => Promise<Buffer> }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.pause();
  const ended = new Promise<void>((resolve) => {
    socket.on('error', () => undefined).once('close', () => resolve());
  });
  await once(socket, 'connect');
  socket.write(text);
  return {
    read: async () => {
      const pieces: Buffer[] = [];
      socket.on('data', (piece: Buffer) => pieces.push(piece));
      socket.resume();
      await ended;
      return Buffer.concat(pieces);
    },
  };
}

const bodyOf = (answer: Buffer): Buffer => answer.subarray(answer.indexOf('\r\n\r\n') + 4);
const ASK = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

it.each([
  ['one that was complete before', ASK, 1],
  ['several on one connection', ASK + ASK + ASK, 3],
])('delivers answers to a slow reader while it drains: %s', async (_name, text, count) => {
  let asked = 0;
  const { drain, server, accepted } = await draining((_request, response) => {
    asked += 1;
    response.end(LARGE);
  });
  const client = await slowClient(server, text);
  await eventually(() => asked === count && (accepted[0]?.writableLength ?? 0) > 0);
  drain.begin();
  const finished = drain.finish(60_000);
  // Time to hang up, for who would.
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
  const answer = await client.read();
  expect(answer.toString('latin1').split('HTTP/1.1 200 OK').length - 1).toBe(count);
  expect(bodyOf(answer).length).toBeGreaterThanOrEqual(count * LARGE.length);
  expect(await finished).toBe(0);
});

it('does not wait for connections on which nothing moves', async () => {
  const { drain, server, accepted } = await draining((_request, response) => void response.end('ok'));
  const clients = [await slowClient(server, ASK), await slowClient(server, ASK)];
  await eventually(() => accepted.length === 2 && accepted.every(({ bytesWritten }) => bytesWritten > 0));
  drain.begin();
  expect(await drain.finish(60_000)).toBe(0);
  await Promise.all(clients.map((client) => client.read()));
}, 60_000);

it('does not wait for connections that were opened in advance', async () => {
  const { drain, server, accepted } = await draining((_request, response) => void response.end('ok'));
  const client = await slowClient(server, '');
  await eventually(() => accepted.length === 1);
  drain.begin();
  const begun = performance.now();
  expect(await drain.finish(60_000)).toBe(0);
  // Not by its patience running out.
  expect(performance.now() - begun).toBeLessThan(30_000);
  await client.read();
}, 90_000);

it('waits no longer than it may for who never reads, and says how many had no answer', async () => {
  const { drain, server, accepted } = await draining((request, response) => {
    if (request.url === '/large') response.end(LARGE);
  });
  await slowClient(server, 'GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
  await slowClient(server, 'GET /never HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => accepted.some(({ writableLength }) => writableLength > 0));
  await eventually(() => accepted.length === 2);
  drain.begin();
  expect(await drain.finish(300)).toBeGreaterThanOrEqual(1);
});
