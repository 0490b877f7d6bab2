import { connect as connectSocket, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Peer, Session } from './session.js';

/**
 * A connection inside the process, with as much of `net.Socket` as node-postgres uses. What is written is read by a
 * session of the embedded database, and its answers can be read.
 */
export class ConnectionStream extends Duplex {
  private session: Session | undefined;

  /** @param open begins the session; called once the client connects */
  constructor(private readonly open: (peer: Peer) => Session) {
    super({ allowHalfOpen: false });
  }

  connect(): this {
    // Later, as with a socket: the client begins to listen for the event after this call.
    process.nextTick(() => {
      if (this.destroyed) return;
      this.session = this.open({
        send: (bytes) => {
          if (!this.destroyed) this.push(bytes);
        },
        end: () => {
          if (!this.destroyed) this.push(null);
        },
        destroy: (error) => {
          this.destroy(error);
        },
      });
      if (!this.isGone()) this.emit('connect');
    });
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed as they come; the client has asked for every one of them.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.session?.receive(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.session?.leave();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.session?.abandon();
    done(error);
  }

  /** Opening may have destroyed it, which the type checker cannot know. */
  private isGone(): boolean {
    return this.destroyed;
  }
}

/** A connection to the socket at `path`, wherever the client is told to connect. */
export class PathSocket extends Socket {
  constructor(private readonly path: string) {
    super();
  }

  override connect(): this {
    return super.connect({ path: this.path });
  }
}

/** Whether somebody accepts connections at `path`; answers within `timeoutMs`. */
export async function isListening(path: string, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(path);
    const settle = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle(false), timeoutMs);
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
