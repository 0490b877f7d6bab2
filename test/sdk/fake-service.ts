/** A service that does what a test tells it to: answers, streams, breaks, lies. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Wire } from '../support/builders.js';

export interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly retryAfter?: string;
  readonly location?: string;
}

export class FakeService {
  /** What `GET /ruleset` and new streams give; the id is made of the revision. */
  ruleset: Wire;
  /** Says no to everything. */
  refusal: Refusal | undefined;
  /** Says no to streams. */
  streamRefusal: Refusal | undefined;
  /** `GET /ruleset` says that nothing has changed, whatever was asked. */
  isUnchanged = false;
  /** What else `GET /ruleset` says beside the ruleset; `etag` is left out when it is empty. */
  rulesetHeaders: Record<string, string> = {};
  /** Streams are taken, and nothing is ever said. */
  isMute = false;
  readonly requests: { path: string; headers: IncomingMessage['headers']; at: number }[] = [];
  readonly streams = new Set<ServerResponse>();

  private constructor(
    private readonly server: Server,
    private readonly base: string,
  ) {
    this.ruleset = rulesetAt(1, []);
  }

  static async start(base = ''): Promise<FakeService> {
    const server = createServer();
    const fake = new FakeService(server, base);
    server.on('request', (request, response) => fake.answer(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.base}`;
  }

  get id(): string {
    return `${String(this.ruleset['revision'])}-abc`;
  }

  count(path: string): number {
    return this.requests.filter((request) => request.path === path).length;
  }

  last(path: string): IncomingMessage['headers'] {
    return this.requests.filter((request) => request.path === path).at(-1)?.headers ?? {};
  }

  /** To all who follow. */
  say(text: string): void {
    for (const stream of this.streams) stream.write(text);
  }

  event(type: string, data: unknown, id?: string): void {
    this.say(eventText(type, data, id));
  }

  /** Moves on by one revision, and tells it. */
  change(flags: { put?: Wire[]; removed?: string[] }): void {
    const before = this.ruleset;
    const revision = Number(before['revision']) + 1;
    const { put = [], removed = [] } = flags;
    const kept = (before['flags'] as Wire[]).filter(
      ({ key }) => !removed.includes(String(key)) && !put.some((flag) => flag['key'] === key),
    );
    this.ruleset = rulesetAt(revision, [...kept, ...put]);
    this.event('change', changeTo(revision, revision - 1, put, removed), this.id);
  }

  cut(): void {
    for (const stream of this.streams) stream.destroy();
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '', 'http://x');
    const path = pathname.startsWith(this.base) ? pathname.slice(this.base.length) : `?${pathname}`;
    this.requests.push({ path, headers: request.headers, at: performance.now() });
    const refusal = this.refusal ?? (path === '/stream' ? this.streamRefusal : undefined);
    if (refusal) refuse(response, refusal);
    else if (path === '/ruleset') this.answerRuleset(request, response);
    else if (path === '/stream') this.answerStream(request, response);
    else refuse(response, { status: 404, code: 'not_found' });
  }

  private answerRuleset(request: IncomingMessage, response: ServerResponse): void {
    const etag = `"${this.id}"`;
    const isKnown = this.isUnchanged || request.headers['if-none-match'] === etag;
    const headers = { etag, 'content-type': 'application/json', ...this.rulesetHeaders };
    const said = Object.entries(headers).filter(([, value]) => value !== '');
    response.writeHead(isKnown ? 304 : 200, Object.fromEntries(said));
    response.end(isKnown ? undefined : JSON.stringify(this.ruleset));
  }

  private answerStream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
    if (this.isMute) return;
    response.write('retry: 10\n\n');
    const known = request.headers['last-event-id'];
    if (known === this.id) return;
    if (known !== undefined) response.write(eventText('resync', { reason: 'id_unknown' }));
    response.write(eventText('ruleset', this.ruleset, this.id));
  }
}

export const rulesetAt = (revision: number, flags: readonly Wire[], environment = 'production'): Wire => ({
  spec_version: 1,
  environment_key: environment,
  revision,
  flags,
  segments: [],
});

export const changeTo = (revision: number, prev: number, put: readonly Wire[], removed: string[] = []) => ({
  environment_key: 'production',
  prev_revision: prev,
  revision,
  flags: { put, removed },
  segments: { put: [], removed: [] },
});

export const eventText = (type: string, data: unknown, id?: string): string =>
  `event: ${type}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;

function refuse(response: ServerResponse, { status, code = 'refused', retryAfter, location }: Refusal): void {
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
    ...(location === undefined ? {} : { location }),
  });
  response.end(JSON.stringify({ status, code, detail: `refused with ${status}`, request_id: 'r-1' }));
}
