/**
 * The limit of evaluate-http: what one would write by hand on node:http to give the same answer. It parses the query, looks
 * the flag up in a Map, hashes with murmur3 and serialises. No other route, no other kind of flag, ASCII only.
 * Told on standard input: the flags' thresholds and the environment's revision. Says its port on standard output.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { parse } from 'node:querystring';
import { murmur3OfAscii } from './by-hand.js';

export interface Limit {
  readonly environmentKey: string;
  readonly revision: number;
  /** Of the one API key, for OFREP. */
  readonly secret: string;
  /** Flag key and basis points. */
  readonly thresholds: readonly (readonly [string, number])[];
}

const { environmentKey, revision, secret, thresholds } = JSON.parse(await text(process.stdin)) as Limit;
const flags = new Map(thresholds);
const PREFIX = '/evaluate/';

const OFREP_PREFIX = '/ofrep/v1/evaluate/flags/';

const server = createServer((request, response) => {
  const url = request.url ?? '';
  if (request.method === 'GET' && url.startsWith(PREFIX)) evaluate(url, response);
  else if (request.method === 'POST' && url.startsWith(OFREP_PREFIX)) {
    const key = decodeURIComponent(url.slice(OFREP_PREFIX.length));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.headers['x-api-key'] !== secret) response.writeHead(401).end();
      else evaluateOfrep(key, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), response);
    });
  } else response.writeHead(404).end();
});

function evaluate(url: string, response: ServerResponse): void {
  const mark = url.indexOf('?');
  const { environment_key: environment, user_id: user } = parse(url.slice(mark + 1));
  const key = decodeURIComponent(url.slice(PREFIX.length, mark));
  const threshold = flags.get(key);
  if (environment !== environmentKey || typeof user !== 'string' || threshold === undefined) {
    response.writeHead(404).end();
    return;
  }
  const bucket = murmur3OfAscii(`${user}:${key}`) % 10_000;
  const isOn = bucket < threshold;
  send(
    response,
    JSON.stringify({
      enabled: isOn,
      flag_key: key,
      value: isOn,
      variant: isOn ? 'on' : 'off',
      reason: `User bucket ${bucket} is ${isOn ? 'within' : 'outside'} ${threshold / 100}% rollout`,
      reason_code: 'SPLIT',
      cached: true,
      flag_version: 1,
      revision,
    }),
  );
}

function evaluateOfrep(key: string, body: Buffer, response: ServerResponse): void {
  const { context } = JSON.parse(body.toString()) as { context: { targetingKey?: unknown } };
  const threshold = flags.get(key);
  if (typeof context.targetingKey !== 'string' || threshold === undefined) {
    response.writeHead(404).end();
    return;
  }
  const isOn = murmur3OfAscii(`${context.targetingKey}:${key}`) % 10_000 < threshold;
  const variant = isOn ? 'on' : 'off';
  send(response, JSON.stringify({ key, value: isOn, reason: 'SPLIT', variant, metadata: { version: 1 } }));
}

function send(response: ServerResponse, body: string): void {
  response.writeHead(200, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

// Its connections wait while the other side is timed.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
