import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that are worked at while an earlier answer of it is still on its way. */
const MOST_UNDER_WAY = 16;
/** Bytes of answers that one connection may leave unread before its next request is looked at. */
const MOST_UNREAD = 1024 * 1024;
/** More than come in one piece. Nothing more is read while any of them waits, so that only who means harm gets here. */
const MOST_WAITING = 4_096;

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * Makes requests wait that come on a connection faster than their answers are read: each answer would stay in memory, and
 * there may be thousands of requests in what was read at once, before which everybody else would wait. They are answered, in
 * their order, as room is made and others have had their turn; meanwhile nothing more is read of that connection. Where the next
 * request stays half read for longer than a request may take to come, Node ends the connection. Before everything that
 * listens to `server` by now.
 */
export function pacePipelines(server: Server): void {
  const listeners = server.listeners('request') as RequestListener[];
  const take: RequestListener = (request, response) => {
    for (const listener of listeners) listener(request, response);
  };
  const lines = new WeakMap<Socket, Line>();
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    // Node hands the connection to a response at once, unless an earlier one has it: all that others pay is this look.
    if (response.socket) {
      take(request, response);
      return;
    }
    const { socket } = request;
    let line = lines.get(socket);
    if (!line) {
      line = new Line(socket, take);
      lines.set(socket, line);
    }
    line.add({ request, response });
  });
}

/** The requests of one connection that came before the answer to an earlier one had gone. */
class Line {
  private readonly underWay = new Set<ServerResponse>();
  private waiting: Asked[] = [];
  private turn: NodeJS.Immediate | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly take: RequestListener,
  ) {}

  add(asked: Asked): void {
    if (this.waiting.length === 0 && this.hasRoom()) this.begin(asked);
    else if (this.waiting.length >= MOST_WAITING) this.socket.destroy();
    else {
      this.waiting.push(asked);
      this.socket.pause();
    }
  }

  private begin({ request, response }: Asked): void {
    this.underWay.add(response);
    response.once('close', () => {
      this.underWay.delete(response);
      if (this.waiting.length === 0) return;
      // Node reads on once a request is done with.
      this.socket.pause();
      // Not at once: other connections would wait until all of this one is answered.
      this.turn ??= setImmediate(() => {
        this.turn = undefined;
        this.goOn();
      });
    });
    this.take(request, response);
  }

  private goOn(): void {
    if (this.socket.destroyed) {
      this.waiting = [];
      return;
    }
    while (this.hasRoom()) {
      const next = this.waiting.shift();
      if (!next) break;
      this.begin(next);
    }
    if (this.waiting.length === 0) this.socket.resume();
  }

  private hasRoom(): boolean {
    const { size } = this.underWay;
    return size === 0 || (size < MOST_UNDER_WAY && this.unread() < MOST_UNREAD);
  }

  private unread(): number {
    let bytes = 0;
    for (const { writableLength } of this.underWay) bytes += writableLength;
    return bytes;
  }
}
