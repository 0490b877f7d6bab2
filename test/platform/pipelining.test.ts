import { afterEach, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { pacePipelines } from '../../src/platform/http/pipelining.js';
import { eventually } from '../support/api.js';

const servers: Server[] = [];
const clients: Socket[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function paced(answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  pacePipelines(server);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function client(server: Server): { socket: Socket; answers: () => string[] } {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  clients.push(socket);
  let text = '';
  socket.setEncoding('latin1');
  socket.pause();
  socket.on('data', (piece: string) => (text += piece));
  socket.on('error', () => undefined);
  return {
    socket,
    answers: () => [...text.matchAll(/^X-Number: (\d+)\r$/gm)].map(([, number = '']) => number),
  };
}

const ask = (count: number, body = ''): string =>
  Array.from(
    { length: count },
    (_, n) =>
      `${body === '' ? 'GET' : 'POST'} /${n} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  ).join('');
const numbers = (count: number): string[] => Array.from({ length: count }, (_, n) => String(n));
const numberOf = (url = ''): Record<string, string> => ({ 'X-Number': url.slice(1) });

/** Waits until something counted does not grow any more. */
async function settled(count: () => number): Promise<number> {
  let last = -1;
  while (last !== count()) {
    last = count();
    await sleep(300);
  }
  return last;
}

it('answers no more than a connection reads, and all of it once it does', async () => {
  const large = Buffer.alloc(256 * 1024, 'x');
  let asked = 0;
  const server = await paced(({ url }, response) => {
    asked += 1;
    response.writeHead(200, { ...numberOf(url), 'Content-Length': large.length });
    response.end(large);
  });
  const { socket, answers } = client(server);
  socket.write(ask(400));
  await eventually(() => asked > 0);
  // What the system keeps on the way is some megabytes; all of it would be a hundred.
  const before = await settled(() => asked);
  expect(before).toBeLessThan(120);
  socket.resume();
  await eventually(() => answers().length === 400, 60_000);
  expect(answers()).toEqual(numbers(400));
});

it('works at few requests of a connection at the same time, and takes all in their order', async () => {
  const open: (() => void)[] = [];
  const order: string[] = [];
  let most = 0;
  const server = await paced((request, response) => {
    order.push((request.url ?? '').slice(1));
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      open.push(() => {
        response.writeHead(200, { ...numberOf(request.url), 'Content-Length': body.length });
        response.end(body);
      });
      most = Math.max(most, open.length);
    });
  });
  const { socket, answers } = client(server);
  socket.resume();
  socket.write(ask(1_000, 'some body'));
  await eventually(() => open.length > 0);
  await settled(() => open.length);
  const answering = setInterval(() => {
    for (const answer of open.splice(0).reverse()) answer();
  }, 1);
  try {
    await eventually(() => answers().length === 1_000, 60_000);
  } finally {
    clearInterval(answering);
  }
  expect(most).toBeLessThanOrEqual(17);
  expect(order).toEqual(numbers(1_000));
  expect(answers()).toEqual(numbers(1_000));
});

it('lets moderate pipelines through at once, again and again', async () => {
  let underWay = 0;
  let most = 0;
  const server = await paced(({ url }, response) => {
    underWay += 1;
    most = Math.max(most, underWay);
    setImmediate(() => {
      underWay -= 1;
      response.writeHead(200, { ...numberOf(url), 'Content-Length': 2 });
      response.end('ok');
    });
  });
  const { socket, answers } = client(server);
  socket.resume();
  for (let round = 1; round <= 50; round += 1) {
    socket.write(ask(10));
    await eventually(() => answers().length === 10 * round);
  }
  expect(most).toBe(10);
});

it('lets other connections have their turn', async () => {
  let asked = 0;
  let before: number | undefined;
  const server = await paced(({ url }, response) => {
    if (url === '/other') before = asked;
    else asked += 1;
    response.writeHead(200, { ...numberOf(url), 'Content-Length': 2 });
    response.end('ok');
  });
  const [many, other] = [client(server), client(server)];
  for (const { socket } of [many, other]) await once(socket.resume(), 'connect');
  many.socket.write(ask(1_000));
  other.socket.write('GET /other HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => many.answers().length === 1_000, 60_000);
  expect(before).toBeLessThan(500);
});

it('forgets what waits of a connection that breaks', async () => {
  let asked = 0;
  const server = await paced((_request, response) => {
    asked += 1;
    response.end(Buffer.alloc(1024 * 1024));
  });
  const { socket } = client(server);
  socket.write(ask(500));
  await eventually(() => asked > 0);
  const before = await settled(() => asked);
  socket.destroy();
  await eventually(
    () =>
      new Promise<boolean>((resolve) => {
        server.getConnections((_error, count) => resolve(count === 0));
      }),
  );
  expect(asked).toBeLessThanOrEqual(before + 1);
  expect(asked).toBeLessThan(500);
});
