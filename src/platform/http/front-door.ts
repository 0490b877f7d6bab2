import type {
  IncomingHttpHeaders,
  IncomingMessage,
  RequestListener,
  Server,
  ServerResponse,
} from 'node:http';
import type { Logger } from 'pino';
import { givenRequestId, REQUEST_LOG_LEVEL } from '../logging/request-log.js';
import { commonHeaders } from './common-headers.js';
import type { Drain } from './drain.js';
import type { RequestMetrics } from './request-metrics.js';

/** An answer with status 200. */
export interface DirectAnswer {
  /** JSON. */
  readonly body: string;
  /** Names and values in turn, of this answer alone. */
  readonly headers?: readonly string[] | undefined;
}

/** A request without a body. */
export interface DirectRequest {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Of the client, with TRUST_PROXY taken into account. */
  readonly address: string | undefined;
}

/** A route whose plain requests are answered in front of the application. */
export interface DirectRoute {
  readonly method: string;
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
    private readonly metrics: RequestMetrics,
    private readonly drain: Drain,
    private readonly logger: Logger,
  ) {}

  add(...routes: DirectRoute[]): this {
    for (const direct of routes) {
      const before = commonHeaders(direct.prefix);
      const after = [...direct.headers, ...JSON_HEADERS];
      this.routes.push({ direct, before, after, usual: [...before, ...after] });
    }
    return this;
  }

  /** Puts the door in front of whatever listens to `server` by now. */
  open(server: Server): void {
    // Requests that are logged are logged by the application.
    if (this.logger.isLevelEnabled(REQUEST_LOG_LEVEL.quiet)) return;
    const application = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      if (!this.answers(request, response)) for (const listener of application) listener(request, response);
    });
  }

  private answers(request: IncomingMessage, response: ServerResponse): boolean {
    // An answer of the door is over at once, so there is nothing to wait for; but its connection must end with it.
    if (this.drain.isDraining) return false;
    const { url = '', method } = request;
    for (const route of this.routes) {
      const { direct } = route;
      if (direct.method !== method || !url.startsWith(direct.prefix)) continue;
      const { headers } = request;
      if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) return false;
      // What pages of other origins may read differs from key to key.
      if (headers.origin !== undefined) return false;
      // Express has its own opinion of what is not modified.
      if (headers['if-none-match'] !== undefined) return false;
      const startedAt = performance.now();
      const answer = this.ask(direct, request, url);
      if (!answer) return false;
      send(request, response, route, answer);
      this.metrics.observe(method, direct.route, 200, startedAt);
      return true;
    }
    return false;
  }

  private ask(direct: DirectRoute, request: IncomingMessage, url: string): DirectAnswer | undefined {
    try {
      return direct.answer({ url, headers: request.headers, address: this.addressOf(request) });
    } catch {
      // Refused: the application finds the same, and says it.
      return undefined;
    }
  }
}

/** Of every answer; the length comes last. */
const JSON_HEADERS = ['Content-Type', 'application/json; charset=utf-8', 'Content-Length'];

interface Route {
  readonly direct: DirectRoute;
  /** What comes before and after the headers of one answer. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Both, for an answer that has none of its own. */
  readonly usual: readonly string[];
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { before, after, usual }: Route,
  { body, headers }: DirectAnswer,
): void {
  const id = givenRequestId(request);
  const length = String(Buffer.byteLength(body));
  const all =
    id === undefined && !headers
      ? [...usual, length]
      : [...(id === undefined ? [] : ['X-Request-Id', id]), ...before, ...(headers ?? []), ...after, length];
  response.writeHead(200, all);
  response.end(body);
}
