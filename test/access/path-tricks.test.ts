import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect } from 'node:net';
import { startApp, type TestApp } from '../support/app.js';
import { MATRIX } from './matrix.js';

let vexil: TestApp;
beforeAll(async () => {
  vexil = await startApp();
});
afterAll(() => vexil.close());

const PROTECTED = Object.entries(MATRIX)
  .filter(([, { access }]) => access !== 'public')
  .map(([route, { dialect }]) => {
    const [method = '', pattern = ''] = route.split(' ');
    const path = pattern
      .replace(':id', '00000000-0000-4000-8000-000000000000')
      .replace(':key', pattern.startsWith('/environments') ? 'development' : 'a-flag');
    return { method, path, missing: dialect?.missing ?? 401 };
  });

const [firstOf, restOf] = [(path: string) => path.slice(0, 2), (path: string) => path.slice(2)];
const encoded = (text: string) => text.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`);

/** Ways to write a path that one layer may take for another than the next one does. */
const TRICKS: Readonly<Record<string, (path: string) => string>> = {
  'a slash at the end': (path) => `${path}/`,
  'two slashes at the end': (path) => `${path}//`,
  'two slashes at the start': (path) => `/${path}`,
  'two slashes inside': (path) => `${firstOf(path)}${restOf(path).replace('/', '//')}//`,
  'a dot segment': (path) => `/.${path}`,
  'a dot segment at the end': (path) => `${path}/.`,
  'an encoded dot segment': (path) => `/%2e${path}`,
  'a way out and in again': (path) => `/health/..${path}`,
  'an encoded way out and in again': (path) => `/health/%2e%2e${path}`,
  'a way out with an encoded slash': (path) => `/health/..%2f${path.slice(1)}`,
  'an encoded slash at the start': (path) => `/%2f${path.slice(1)}`,
  'an encoded slash at the end': (path) => `${path}%2f`,
  'an encoded letter': (path) => encoded(path),
  'a twice encoded letter': (path) => encoded(path).replace('%', '%25'),
  capitals: (path) => path.toUpperCase(),
  'one capital': (path) => `/${path.charAt(1).toUpperCase()}${path.slice(2)}`,
  'a path parameter': (path) => `${path};x`,
  'a path parameter with a public name': (path) => `${path};/health`,
  'a path parameter inside': (path) => path.replace('/', '/;x/'),
  'a backslash': (path) => path.replaceAll('/', '\\').replace('\\', '/'),
  'a NUL': (path) => `${path}%00`,
  'a NUL and a public name': (path) => `${path}%00/health`,
  'a line end': (path) => `${path}%0d%0a`,
  'a broken escape': (path) => `${path}%`,
  'a broken UTF-8 sequence': (path) => `${path}%ff`,
  'a file name': (path) => `${path}.json`,
  'a question mark, encoded': (path) => `${path}%3f`,
  'a query that names a public path': (path) => `${path}?/health`,
  'a hash, encoded': (path) => `${path}%23`,
  'the whole address': (path) => `http://127.0.0.1${path}`,
  'the whole address of another host': (path) => `http://example.com${path}`,
};

const HEADERS: readonly Record<string, string>[] = [
  { 'X-HTTP-Method-Override': 'OPTIONS' },
  { 'X-HTTP-Method': 'HEAD' },
  { 'X-Method-Override': 'GET' },
  { 'X-Original-URL': '/health' },
  { 'X-Rewrite-URL': '/health' },
  { 'X-Forwarded-Path': '/health' },
  { 'X-Forwarded-Prefix': '/health' },
  { 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1', Forwarded: 'for=127.0.0.1' },
  { 'X-Forwarded-User': 'admin', 'X-Remote-User': 'admin', 'X-User-Role': 'admin' },
  { Connection: 'close, Authorization' },
];

/** Sends the target exactly as it is, which clients do not. @returns the status and the body */
async function send(
  method: string,
  target: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port } = new URL(vexil.url);
  const lines = Object.entries({
    Host: hostname,
    Connection: 'close',
    'Content-Length': '0',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const text = await new Promise<string>((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () =>
      socket.end(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`),
    );
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (received += chunk));
    socket.on('end', () => resolve(received));
    socket.on('error', reject);
  });
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), head, body };
}

describe('T3: without a token', () => {
  it.each(Object.keys(TRICKS))('no protected route answers to %s', async (name) => {
    for (const { method, path } of PROTECTED) {
      const target = TRICKS[name]!(path);
      const { status } = await send(method, target);
      expect({ method, target, status, isSafe: status >= 400 && status < 500 }).toMatchObject({
        isSafe: true,
      });
    }
  });

  it.each(HEADERS)('no protected route believes %j', async (headers) => {
    for (const { method, path, missing } of PROTECTED) {
      const { status } = await send(method, path, headers);
      expect({ method, path, status }).toEqual({ method, path, status: missing });
    }
  });

  it('HEAD is refused wherever GET is', async () => {
    for (const { path, missing } of PROTECTED.filter(({ method }) => method === 'GET')) {
      const { status, body } = await send('HEAD', path);
      expect({ path, status, body }).toEqual({ path, status: missing, body: '' });
    }
  });

  it('a public path does not lead to a protected one by the header of its original URL', async () => {
    const { status, body } = await send('GET', '/health/live', {
      'X-Original-URL': '/auth/users',
      'X-Rewrite-URL': '/auth/users',
    });
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({ status: 'alive' });
  });

  it('a public method does not turn into another by an override', async () => {
    const before = await vexil.query<{ n: number }>('SELECT count(*)::int AS n FROM environments');
    for (const header of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']) {
      const { status } = await send('POST', '/environments/development?_method=DELETE', {
        [header]: 'DELETE',
      });
      expect(status).toBe(405);
    }
    expect(await vexil.query('SELECT count(*)::int AS n FROM environments')).toEqual(before);
  });

  it('OPTIONS tells browsers what CORS allows, and nothing else', async () => {
    for (const { path } of PROTECTED) {
      const { status, head, body } = await send('OPTIONS', path, {
        Origin: 'https://evil.example',
        'Access-Control-Request-Method': 'DELETE',
      });
      expect({ path, status, body }).toEqual({ path, status: 204, body: '' });
      expect(head).not.toMatch(/access-control-allow-origin/i);
    }
  });

  it.each(['TRACE', 'PROPFIND', 'PATCH', 'MERGE', 'PURGE', 'LINK', 'REPORT'])(
    'the method %s is refused',
    async (method) => {
      for (const path of ['/flags', '/environments/development', '/auth/users']) {
        const { status } = await send(method, path);
        expect({ path, status }).toEqual({ path, status: 405 });
      }
    },
  );
});
