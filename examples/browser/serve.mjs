// Serves the page, the SDK's module for pages, and what the page has to know. A bundler would do the same.
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const { VEXIL_URL = 'http://localhost:8000', VEXIL_CLIENT_KEY, PORT = '5173' } = process.env;
if (!VEXIL_CLIENT_KEY) {
  console.error('Set VEXIL_CLIENT_KEY to a client key; examples/README.md says how to make one.');
  process.exit(1);
}

const page = join(dirname(fileURLToPath(import.meta.url)), 'index.html');
const sdk = dirname(fileURLToPath(import.meta.resolve('@vexil/sdk/browser')));

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const module = join(sdk, basename(pathname));
  if (pathname === '/') send(response, 'text/html; charset=utf-8', page);
  else if (pathname === '/config.json') {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ baseUrl: VEXIL_URL, clientKey: VEXIL_CLIENT_KEY }));
  } else if (/^\/sdk\/[\w-]+\.js$/.test(pathname) && existsSync(module))
    send(response, 'text/javascript', module);
  else response.writeHead(404).end();
});

function send(response, type, path) {
  response.setHeader('Content-Type', type);
  createReadStream(path).pipe(response);
}

server.listen(Number(PORT), 'localhost', () => {
  console.log(`The page is on http://localhost:${server.address().port}`);
});
