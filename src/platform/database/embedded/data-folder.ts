import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataLock } from './data-lock.js';
import type { Peer, Session } from './session.js';
import { chooseSocketPath, privateSocketPath, removeSocket, SocketServer } from './socket-server.js';

/** A data folder that this process holds, with its socket: lock.json, db.sock, and Postgres' own files in pgdata. */
export class DataFolder {
  private constructor(
    private readonly path: string,
    private readonly lock: DataLock,
    private readonly server: SocketServer,
  ) {}

  /** @throws DataFolderInUse when another live process has the folder */
  static async take(path: string): Promise<DataFolder> {
    const socketPath = chooseSocketPath(path);
    const lock = await DataLock.acquire(path, socketPath, (dead) => removeSocket(dead.socketPath)).catch(
      (error: unknown) => {
        // The temporary folder that may have been made for it; the holder's own socket is left alone.
        if (!socketPath.startsWith(path)) removeSocket(socketPath);
        throw error;
      },
    );
    try {
      const server = await SocketServer.listen(socketPath).catch(async () => {
        // Some file systems, such as those of mounted volumes, have no sockets.
        await lock.moveSocket(privateSocketPath());
        return SocketServer.listen(lock.socketPath);
      });
      return new DataFolder(path, lock, server);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get socketPath(): string {
    return this.lock.socketPath;
  }

  /**
   * Calls `start`, and sees to it that a database whose making was broken off is made anew: nobody can have stored
   * anything in it.
   */
  async starting<T>(start: (dataDir: string) => Promise<T>): Promise<T> {
    const dataDir = join(this.path, 'pgdata');
    const marker = join(this.path, 'pgdata.creating');
    if (existsSync(marker)) await rm(dataDir, { recursive: true, force: true });
    const isNew = !existsSync(dataDir);
    if (isNew) await writeFile(marker, '');
    const started = await start(dataDir);
    if (isNew) await rm(marker);
    return started;
  }

  serve(open: (peer: Peer) => Session): void {
    this.server.serve(open);
  }

  async release(): Promise<void> {
    await this.server.close();
    this.lock.release();
  }
}
