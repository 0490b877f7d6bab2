import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { reasonableRequestId, REQUEST_LOG_LEVEL } from '../logging/request-log.js';
import { readArrivedBody } from './arrived-body.js';
import { commonHeaders } from './common-headers.js';
import type { CrossOriginRequest } from './cross-origin.js';
import type { Drain } from './drain.js';
import { isKept, KEEP_ALIVE } from './kept-connections.js';
import { plainHeaders, type PlainHeaders } from './plain-headers.js';
import { plainHead, sendPlain, type PlainHead } from './plain-response.js';
import type { RequestMetrics } from './request-metrics.js';

export interface DirectAnswer {
  /** 200 unless said otherwise. */
  readonly status?: number;
  /** JSON; empty where the status has none. */
  readonly body: string | Buffer;
  /** How long the body is as UTF-8, where that is known. */
  readonly bytes?: number;
  /** Bytes before the body, in its memory, that may be written over. */
  readonly room?: number | undefined;
  /** Names and values in turn, of this answer alone. */
  readonly headers?: readonly string[] | undefined;
  /** Called once the body has been sent. */
  readonly sent?: (() => void) | undefined;
}

export interface DirectRequest {
  readonly url: string;
  readonly headers: PlainHeaders;
  /** Of the client, with TRUST_PROXY taken into account. */
  readonly address: string | undefined;
  /** JSON, not read yet; `undefined` for methods that have none. */
  readonly body: Buffer | undefined;
}

/** A route whose plain requests are answered in front of the application. */
export interface DirectRoute {
  readonly method: 'GET' | 'POST';
  /** What its paths begin with. */
  readonly prefix: string;
  /** Its pattern, as the application knows it. */
  readonly route: string;
  /** Of all its answers: names and values in turn. */
  readonly headers: readonly string[];
  /**
   * Answers what the application would, byte for byte, from memory.
   * @returns `undefined` for whatever is not plain, or throws where it is refused, having changed and counted nothing: the
   * application answers it
   */
  answer(request: DirectRequest): DirectAnswer | undefined;
}

/**
 * Answers plain requests of the few routes that are asked millions of times, before Express and Nest see them: those take four
 * fifths of the time of such an answer (ADR 0017). Whatever is not plain, every failure included, goes on to the application, so
 * there is nothing that only this door does.
 */
export class FrontDoor {
  private readonly routes: Route[] = [];

  constructor(
    private readonly addressOf: (request: IncomingMessage) => string | undefined,
    /** What an answer to a page of another origin has beside the rest: names and values in turn. */
    private readonly forPage: (request: CrossOriginRequest) => readonly string[],
    private readonly metrics: RequestMetrics,
    private readonly drain: Drain,
    private readonly logger: Logger,
  ) {}

  add(...routes: DirectRoute[]): this {
    for (const direct of routes) {
      const before = commonHeaders(direct.prefix);
      const after = [...direct.headers, 'Content-Type', JSON_TYPE];
      this.routes.push({ direct, before, after, head: plainHead([...KEEP_ALIVE, ...before], after) });
    }
    return this;
  }

  /** Puts the door in front of whatever listens to `server` by now. */
  open(server: Server): void {
    // Requests that are logged are logged by the application.
    if (this.logger.isLevelEnabled(REQUEST_LOG_LEVEL.quiet)) return;
    const application = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    const handOn: RequestListener = (request, response) => {
      for (const listener of application) listener(request, response);
    };
    server.on('request', (request, response) => {
      const headers = plainHeaders(request.rawHeaders) ?? request.headers;
      const route = this.routeOf(request, headers);
      if (route?.direct.method === 'POST')
        readArrivedBody(
          request,
          Number(headers['content-length']),
          (body) => this.answers(route, request, headers, response, body),
          () => {
            handOn(request, response);
          },
        );
      else if (!route || !this.answers(route, request, headers, response, undefined))
        handOn(request, response);
    });
  }

  /** The route that may answer a request, as far as its head tells. */
  private routeOf({ method, url = '' }: IncomingMessage, headers: PlainHeaders): Route | undefined {
    for (const route of this.routes) {
      const { direct } = route;
      if (direct.method !== method || !url.startsWith(direct.prefix)) continue;
      return (method === 'GET' ? hasNoBody(headers) : hasPlainBody(headers)) ? route : undefined;
    }
    return undefined;
  }

  private answers(
    route: Route,
    request: IncomingMessage,
    headers: PlainHeaders,
    response: ServerResponse,
    body: Buffer | undefined,
  ): boolean {
    // An answer of the door is over at once, so there is nothing to wait for; but its connection must end with it.
    if (this.drain.isDraining) return false;
    const startedAt = performance.now();
    const { direct } = route;
    const answer = this.ask(direct, request, headers, body);
    if (!answer) return false;
    const { origin } = headers;
    // What pages of other origins may read differs from key to key.
    const forPage = origin === undefined ? undefined : this.pageHeaders(request, headers, origin);
    send(headers, response, route, answer, forPage);
    this.metrics.observe(direct.method, direct.route, answer.status ?? 200, startedAt);
    return true;
  }

  private pageHeaders(
    { method = '', url = '' }: IncomingMessage,
    headers: PlainHeaders,
    origin: string,
  ): readonly string[] {
    // An address with more than that is not plain, and not answered here.
    const path = url.split('?', 1)[0] ?? '';
    return this.forPage({ method, path, query: {}, headers, origin });
  }

  private ask(
    direct: DirectRoute,
    request: IncomingMessage,
    headers: PlainHeaders,
    body: Buffer | undefined,
  ): DirectAnswer | undefined {
    const { url = '' } = request;
    try {
      return direct.answer({ url, headers, address: this.addressOf(request), body });
    } catch {
      // Refused: the application finds the same, and says it.
      return undefined;
    }
  }
}

/** `If-None-Match` of a route without an ETag: Express has its own opinion of what is not modified. */
const hasNoBody = (headers: PlainHeaders): boolean =>
  headers['content-length'] === undefined &&
  headers['transfer-encoding'] === undefined &&
  headers['if-none-match'] === undefined;

const hasPlainBody = (headers: PlainHeaders): boolean =>
  headers['content-length'] !== undefined &&
  headers['content-encoding'] === undefined &&
  headers.expect === undefined &&
  PLAIN_TYPE.test(headers['content-type'] ?? '');

const PLAIN_TYPE = /^application\/json(; ?charset=utf-8)?$/i;

export const JSON_TYPE = 'application/json; charset=utf-8';

interface Route {
  readonly direct: DirectRoute;
  /** What comes before and after the headers of one answer, names and values in turn. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Both, of an answer that went well. */
  readonly head: PlainHead;
}

function send(
  asked: PlainHeaders,
  response: ServerResponse,
  { before, after, head }: Route,
  { status = 200, body, bytes = Buffer.byteLength(body), room, headers, sent }: DirectAnswer,
  forPage: readonly string[] | undefined,
): void {
  const id = reasonableRequestId(asked['x-request-id']);
  // ASCII needs no encoding.
  const isAscii = body.length === bytes;
  const isPlain = status === 200 && isAscii && id === undefined;
  if (isPlain && !forPage && sendPlain(response, head, headers, { body, room, sent })) return;
  const all = [...(isKept(response) ? KEEP_ALIVE : []), ...before, ...(forPage ?? []), ...(headers ?? [])];
  if (id !== undefined) all.unshift('X-Request-Id', id);
  if (status !== 304) all.push(...after, 'Content-Length', String(bytes));
  // As every failure has one, whoever found it.
  if (status >= 400 && id === undefined) all.push('X-Request-Id', randomUUID());
  response.writeHead(status, all);
  if (sent) response.once('finish', sent);
  if (isAscii) response.end(body, 'latin1');
  else response.end(body);
}
