import {
  Agent,
  request,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyChange, type Ruleset, type RulesetChange } from '../../src/core/index.js';
import { eventually } from './api.js';

export interface StreamEvent {
  readonly name: string;
  readonly id: string | undefined;
  // Whatever came; each test says what it expects of it.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  readonly data: any;
}

export interface Opening {
  readonly token?: string | undefined;
  readonly environment?: string;
  readonly lastEventId?: string | undefined;
  /** Of the page that asks. */
  readonly origin?: string | undefined;
  readonly path?: string;
  readonly onEvent?: (event: StreamEvent) => void;
}

/** One connection to a stream, and everything that came on it. */
export class StreamConnection {
  readonly events: StreamEvent[] = [];
  heartbeats = 0;
  retryMs: number | undefined;
  text = '';
  isEnded = false;
  readonly ended: Promise<void>;
  private rest = '';
  private finish: () => void = () => undefined;

  private constructor(
    private readonly outgoing: ClientRequest,
    private readonly incoming: IncomingMessage,
    private readonly onEvent: (event: StreamEvent) => void,
  ) {
    this.ended = new Promise((resolve) => (this.finish = resolve));
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => this.take(chunk));
    incoming.on('error', () => undefined);
    incoming.on('close', () => {
      this.isEnded = true;
      this.finish();
    });
  }

  /** Resolves with the headers. @throws when there is no answer */
  static async open(
    url: string,
    { token, environment = 'development', lastEventId, origin, path, onEvent }: Opening = {},
  ): Promise<StreamConnection> {
    const target = new URL(path ?? `/stream?environment_key=${environment}`, url);
    return new Promise((resolve, reject) => {
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        ...(origin === undefined ? {} : { origin }),
      };
      const outgoing = request(target, { agent: new Agent(), headers }, (incoming) =>
        resolve(new StreamConnection(outgoing, incoming, onEvent ?? (() => undefined))),
      );
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  get status(): number {
    return this.incoming.statusCode ?? 0;
  }

  get headers(): IncomingHttpHeaders {
    return this.incoming.headers;
  }

  get names(): string[] {
    return this.events.map(({ name }) => name);
  }

  /** Waits until so many events have come. */
  async until(count: number, limitMs = 10_000): Promise<readonly StreamEvent[]> {
    await eventually(() => this.events.length >= count || this.isEnded, limitMs);
    if (this.events.length < count)
      throw new Error(`the stream ended after ${this.names.join()}: ${this.text.slice(0, 300)}`);
    return this.events;
  }

  async first(): Promise<StreamEvent> {
    return (await this.until(1))[0]!;
  }

  /** Takes nothing any more. */
  pause(): void {
    this.incoming.pause();
  }

  resume(): void {
    this.incoming.resume();
  }

  cut(): void {
    this.outgoing.destroy();
    this.finish();
  }

  private take(chunk: string): void {
    if (this.text.length < 1_000) this.text += chunk;
    const blocks = (this.rest + chunk).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) this.read(block.split('\n'));
  }

  private read(lines: readonly string[]): void {
    const field = (name: string) =>
      lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    if (lines.some((line) => line.startsWith(':'))) this.heartbeats += 1;
    const retry = field('retry');
    if (retry !== undefined) this.retryMs = Number(retry);
    const [name, data] = [field('event'), field('data')];
    if (data === undefined) return;
    // Of those that do not say.
    const event = { name: name ?? 'message', id: field('id'), data: JSON.parse(data) as unknown };
    this.events.push(event);
    this.onEvent(event);
  }
}

/** A client as it should be: it keeps a ruleset, comes again when its connection breaks, and notes what should not be. */
export class Follower {
  ruleset: Ruleset | undefined;
  id: string | undefined;
  readonly flaws: string[] = [];
  readonly counts = { connects: 0, refused: 0, ruleset: 0, change: 0, resync: 0, closed: 0 };
  private connection: StreamConnection | undefined;
  private mayGoBack = true;
  private readonly over = new AbortController();
  private readonly running: Promise<void>;

  constructor(
    private readonly url: () => string,
    private readonly token: () => string,
    private readonly environment = 'development',
  ) {
    this.running = this.run();
  }

  /** Breaks the connection, wherever it is. */
  cut(): void {
    this.connection?.cut();
  }

  async stop(): Promise<void> {
    this.over.abort();
    this.cut();
    await this.running;
  }

  private isOver(): boolean {
    return this.over.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.isOver()) {
      try {
        const { environment, id: lastEventId } = this;
        const onEvent = (event: StreamEvent) => this.take(event);
        const opening = { token: this.token(), environment, lastEventId, onEvent };
        this.connection = await StreamConnection.open(this.url(), opening);
        if (this.connection.status === 200) this.counts.connects += 1;
        else this.counts.refused += 1;
        if (this.isOver()) this.cut();
        await this.connection.ended;
      } catch {
        this.counts.refused += 1;
      }
      if (!this.isOver()) await sleep(20);
    }
  }

  private take({ name, id, data }: StreamEvent): void {
    this.counts[name as 'change'] += 1;
    if (name === 'resync') this.mayGoBack = true;
    if (name === 'ruleset') {
      if (!this.mayGoBack && data.revision < (this.ruleset?.revision ?? 0))
        this.flaws.push(`a ruleset of ${data.revision} after ${String(this.ruleset?.revision)}`);
      this.ruleset = data;
      this.mayGoBack = false;
    }
    if (name === 'change') {
      const next = this.ruleset && applyChange(this.ruleset, data as RulesetChange);
      if (!next) this.flaws.push(`a change from ${data.prev_revision} at ${String(this.ruleset?.revision)}`);
      else if (next.revision <= this.ruleset!.revision)
        this.flaws.push(`${next.revision} after ${this.ruleset!.revision}`);
      this.ruleset = next ?? this.ruleset;
    }
    if (id !== undefined) this.id = id;
  }
}
