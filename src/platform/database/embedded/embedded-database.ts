import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionStream, isListening, PathSocket } from './connection-stream.js';
import { DataFolder } from './data-folder.js';
import { DataFolderInUse, isAlive, readHolder } from './data-lock.js';
import { Maintenance } from './maintenance.js';
import { Multiplexer, type MultiplexerOptions } from './multiplexer.js';
import { WorkerBackend } from './worker-backend.js';

export interface EmbeddedDatabaseOptions extends Partial<MultiplexerOptions> {
  /** Where the data is kept, made when it is not there; undefined keeps it in memory, for tests. */
  readonly folder: string | undefined;
  /** What `dumpDataDir` gave, or the path of a file that holds it: a new database begins with it instead of empty. */
  readonly loadDataDir?: Uint8Array | Blob | string | undefined;
  /** How often the database looks after itself, in milliseconds; see `Maintenance`. */
  readonly maintenanceIntervalMs?: number;
  /** Called once when the database breaks down. Every connection has failed then, and nothing can be saved any more. */
  readonly onFatal: (error: Error) => void;
}

const ATTACH_PATIENCE_MS = 5_000;

/**
 * The database that is used when none is configured: Postgres 18 in WebAssembly (PGlite) in a thread of this process,
 * which speaks the Postgres protocol to ordinary clients, inside the process and, by a socket, beside it.
 *
 * One process at a time has the folder. An acknowledged COMMIT has been handed to the operating system, so it survives
 * the death of this process, even by SIGKILL. It is not fsynced: a power cut or a crash of the machine can lose the
 * last seconds or damage the files, so use a real Postgres where that matters.
 *
 * All connections share one backend in turns; what that means is said at `Multiplexer`. Startup parameters
 * (`statement_timeout` and the like) and requests to cancel are ignored, and so are user names and passwords: whoever
 * can open the socket, which is to say this user, is in. COPY ... FROM STDIN is refused.
 */
export class EmbeddedDatabase {
  private closing: Promise<void> | undefined;
  private readonly maintenance: Maintenance;

  private constructor(
    private readonly backend: WorkerBackend,
    private readonly multiplexer: Multiplexer,
    private readonly folder: DataFolder | undefined,
    maintenanceIntervalMs: number,
  ) {
    this.maintenance = new Maintenance(multiplexer, maintenanceIntervalMs);
  }

  /**
   * Starts the database in `folder`, making it first when there is none (which takes a few seconds longer).
   * @throws DataFolderInUse when another live process has the folder
   */
  static async open(options: EmbeddedDatabaseOptions): Promise<EmbeddedDatabase> {
    const {
      turnTimeoutMs = 5_000,
      idleTransactionTimeoutMs = 10_000,
      maintenanceIntervalMs = 300_000,
    } = options;
    const loadDataDir = await bytesOf(options.loadDataDir);
    const folder = options.folder === undefined ? undefined : await DataFolder.take(resolve(options.folder));
    let database: EmbeddedDatabase | undefined;
    try {
      const start = (dataDir: string | undefined) =>
        WorkerBackend.start({ dataDir, loadDataDir }, (error) => {
          // While it starts, the error goes to the caller.
          if (!database) return;
          database.maintenance.stop();
          database.multiplexer.fail(error);
          options.onFatal(error);
        });
      const backend = await (folder ? folder.starting(start) : start(undefined));
      const multiplexer = new Multiplexer(backend, { turnTimeoutMs, idleTransactionTimeoutMs });
      database = new EmbeddedDatabase(backend, multiplexer, folder, maintenanceIntervalMs);
      folder?.serve((peer) => multiplexer.connect(peer));
      return database;
    } catch (error) {
      await folder?.release();
      throw error;
    }
  }

  /**
   * Finds the database in `folder` in the process that runs it, for another process such as a command-line tool.
   * @returns a factory for node-postgres' `stream` option; undefined when no process holds the folder, so that the
   *   caller may open it itself
   * @throws DataFolderInUse when a process holds the folder but cannot be reached
   */
  static async attach(folder: string): Promise<(() => Duplex) | undefined> {
    const path = resolve(folder);
    const deadline = Date.now() + ATTACH_PATIENCE_MS;
    for (;;) {
      const holder = await readHolder(path);
      if (!holder || !(await isAlive(holder))) return undefined;
      const { socketPath, pid } = holder;
      if (await isListening(socketPath, 1_000)) return () => new PathSocket(socketPath);
      if (Date.now() > deadline) throw new DataFolderInUse(path, pid);
      await sleep(50);
    }
  }

  /** A new connection, for node-postgres' `stream` option. */
  connectStream(): Duplex {
    return new ConnectionStream((peer) => this.multiplexer.connect(peer));
  }

  /** Where other processes of this user can connect; '' for a database in memory. */
  get socketPath(): string {
    return this.folder?.socketPath ?? '';
  }

  /** The database's files as they are between two transactions: an uncompressed tar archive for `loadDataDir`. */
  async dumpDataDir(): Promise<Uint8Array> {
    return this.multiplexer.exclusively(() => this.backend.dump());
  }

  /** Ends every connection, stops the thread and gives the folder back. Harmless when done twice or after a crash. */
  async close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    try {
      this.maintenance.stop();
      await this.multiplexer.stop();
      await this.backend.close();
    } finally {
      await this.folder?.release();
    }
  }
}

async function bytesOf(source: EmbeddedDatabaseOptions['loadDataDir']): Promise<Uint8Array | undefined> {
  if (typeof source === 'string') return readFile(source);
  if (source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  return source;
}
