import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdtempSync, rmdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Peer, Session } from './session.js';

const SOCKET_NAME = 'db.sock';
const PRIVATE_FOLDER_PREFIX = 'vexil-db-';
/** The longest path of a Unix socket is 107 bytes on Linux and 103 on macOS. */
const MAX_PATH_BYTES = 100;
const CLOSE_PATIENCE_MS = 1_000;

/** Where the socket for the database in `folder` will be. A path that does not fit there gets a private temporary folder. */
export function chooseSocketPath(folder: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\vexil-db-${randomBytes(16).toString('hex')}`;
  const path = join(folder, SOCKET_NAME);
  return Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : privateSocketPath();
}

/** A path in a new temporary folder that only this user can enter and nobody can guess. */
export function privateSocketPath(): string {
  return join(mkdtempSync(join(tmpdir(), PRIVATE_FOLDER_PREFIX)), SOCKET_NAME);
}

/** Removes what a service has left at a path that `chooseSocketPath` gave; touches nothing that is not a socket. */
export function removeSocket(path: string): void {
  if (process.platform === 'win32' || basename(path) !== SOCKET_NAME) return;
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // Gone already.
  }
  const folder = dirname(path);
  if (!basename(folder).startsWith(PRIVATE_FOLDER_PREFIX)) return;
  try {
    rmdirSync(folder);
  } catch {
    // Gone already, or not ours.
  }
}

/** Lets other processes of the same user on this machine connect, as clients of Postgres do. */
export class SocketServer {
  private readonly sockets = new Set<Socket>();
  private open: ((peer: Peer) => Session) | undefined;

  private constructor(
    private readonly server: Server,
    private readonly path: string,
  ) {
    server.on('connection', (socket) => {
      this.sockets.add(socket);
      // A client that breaks off is no event for the service; 'close' follows.
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
      this.accept(socket);
    });
  }

  /**
   * Takes connections from now on. They wait until `serve` is called.
   * @throws when the socket cannot be made, for instance on a file system that has none
   */
  static async listen(path: string): Promise<SocketServer> {
    removeSocketFile(path);
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
      // Binding is synchronous, so nobody connects before this.
      restrict(path);
    });
    return new SocketServer(server, path);
  }

  /** Gives every connection, also those that wait, a session. */
  serve(open: (peer: Peer) => Session): void {
    this.open = open;
    for (const socket of this.sockets) this.accept(socket);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroySoon();
    // Who does not read what is left for him must not keep us from ending.
    const patience = setTimeout(() => this.destroyAll(), CLOSE_PATIENCE_MS);
    await closed;
    clearTimeout(patience);
    removeSocket(this.path);
  }

  private destroyAll(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    const session = this.open?.({
      send: (bytes) => {
        if (socket.writable) socket.write(bytes);
      },
      end: () => socket.end(),
      destroy: (error) => {
        socket.destroy(error);
      },
    });
    if (!session) return;
    socket.on('data', (chunk) => session.receive(chunk));
    socket.on('end', () => session.leave());
    socket.on('close', () => session.abandon());
  }
}

function removeSocketFile(path: string): void {
  try {
    if (process.platform !== 'win32' && lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // There is none.
  }
}

function restrict(path: string): void {
  if (process.platform === 'win32') return;
  try {
    chmodSync(path, 0o600);
  } catch {
    // Binding has failed, which the server reports in a moment.
  }
}
