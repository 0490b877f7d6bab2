import { Injectable } from '@nestjs/common';
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { KEEP_ALIVE } from './kept-connections.js';

const CLOSE_IDLE_EVERY_MS = 50;
/** Who opens a connection to ask something has asked by then; others opened it in advance. */
const FIRST_WORD_MS = 500;

/**
 * Empties a server without breaking off anybody. From `begin` on every answer says `Connection: close`, so that a client
 * which keeps connections open ends them itself, between two requests; Node says so neither while it closes nor before, and
 * a connection that the server ends may have the next request on it.
 */
@Injectable()
export class Drain {
  private readonly underWay = new Set<ServerResponse>();
  /** When each was opened. */
  private readonly sockets = new Map<Socket, number>();
  private server: Server | undefined;
  private hasBegun = false;

  /** Watches what the server is asked from now on. */
  watch(server: Server): void {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.sockets.set(socket, performance.now());
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.prependListener('request', (_request, response: ServerResponse) => {
      this.underWay.add(response);
      response.once('close', () => this.underWay.delete(response));
      if (this.hasBegun) response.setHeader('Connection', 'close');
    });
  }

  get isDraining(): boolean {
    return this.hasBegun;
  }

  /** Goes on answering, on connections that end with the answer. */
  begin(): void {
    this.hasBegun = true;
    for (const response of this.underWay) {
      if (response.headersSent) continue;
      response.setHeader('Connection', 'close');
      response.removeHeader(KEEP_ALIVE[0]);
    }
  }

  /** Takes no new connection, and waits for what is under way. @returns how many requests had no answer when the time was up */
  async finish(patienceMs: number): Promise<number> {
    // Those who wait to be taken would be reset; they are taken just before this phase of the event loop.
    await new Promise(setImmediate);
    const { server } = this;
    if (!server) return 0;
    const closed = new Promise<void>((resolve) => {
      // Not `server.close`: it hangs up on whoever has not read all of an answer that is complete here.
      NetServer.prototype.close.call(server, () => resolve());
    });
    this.closeIdle(server);
    // Those whose answer had begun before the draining did.
    const sweep = setInterval(() => this.closeIdle(server), CLOSE_IDLE_EVERY_MS);
    await Promise.race([closed, sleep(patienceMs, undefined, { ref: false })]);
    clearInterval(sweep);
    return [...this.underWay].filter(({ req }) => !req.socket.destroyed).length;
  }

  /** To Node a connection is idle once its answer is complete, wherever that is; and one that was never asked anything is not. */
  private closeIdle(server: Server): void {
    const now = performance.now();
    for (const [socket, openedAt] of this.sockets)
      if (socket.bytesRead === 0 && now - openedAt > FIRST_WORD_MS) socket.destroy();
    for (const { writableLength } of this.sockets.keys()) if (writableLength > 0) return;
    server.closeIdleConnections();
  }
}
