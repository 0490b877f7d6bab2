import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isListening } from './connection-stream.js';

/** Another live process has the database in this folder open; two at a time would destroy it. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse';

  constructor(
    readonly folder: string,
    /** The process that has it, or 0 when it is just being decided who. */
    readonly pid: number,
  ) {
    super(
      `The data folder ${folder} is in use by ${pid === 0 ? 'another process' : `process ${pid}`}. ` +
        'Stop that process, or give this one a folder of its own.',
    );
  }
}

/** The content of lock.json: who has the folder, and where it can be reached. */
export interface LockHolder {
  readonly pid: number;
  /** Tells this process from a later one with the same pid; undefined where that cannot be known. */
  readonly startedAt: string | undefined;
  readonly socketPath: string;
  readonly token: string;
}

const LOCK_NAME = 'lock.json';
const GUARD_NAME = 'lock.guard';
/** The guard is held for little more than a second; what is older was left by a process that died holding it. */
const GUARD_STALE_MS = 5_000;
const GUARD_PATIENCE_MS = 15_000;
const PROBE_TIMEOUT_MS = 1_000;
const ENDED = 'ended';

/**
 * Holds a data folder for this process, by a file that says who holds it. A file whose process has died is taken over.
 * Who looks and then writes does so under a second, short-lived file, so of several processes exactly one wins.
 */
export class DataLock {
  private constructor(
    private readonly path: string,
    private holder: LockHolder,
  ) {}

  /**
   * @param socketPath where this process will accept other processes' connections
   * @param onStale called with what is left of a dead holder
   * @throws DataFolderInUse
   */
  static async acquire(
    folder: string,
    socketPath: string,
    onStale: (left: LockHolder) => void = () => undefined,
  ): Promise<DataLock> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, LOCK_NAME);
    const token = randomBytes(16).toString('hex');
    const holder = { pid: process.pid, startedAt: startOfProcess(process.pid), socketPath, token };
    const lock = new DataLock(path, holder);
    const releaseGuard = await takeGuard(folder);
    try {
      const other = await readHolder(folder);
      if (other && (await isAlive(other))) throw new DataFolderInUse(folder, other.pid);
      if (other) onStale(other);
      await lock.write();
    } finally {
      await releaseGuard();
    }
    return lock;
  }

  get socketPath(): string {
    return this.holder.socketPath;
  }

  /** Says that the socket is elsewhere than was said at first. */
  async moveSocket(socketPath: string): Promise<void> {
    this.holder = { ...this.holder, socketPath };
    await this.write();
  }

  /** Gives the folder back. Synchronous, so that it can also be done as the process ends. */
  release(): void {
    if (parseHolder(readIfThere(this.path))?.token === this.holder.token) unlinkSync(this.path);
  }

  /** Written aside and renamed, so that nobody ever reads half of it. */
  private async write(): Promise<void> {
    const draft = `${this.path}.${this.holder.token}`;
    await writeFile(draft, `${JSON.stringify(this.holder, undefined, 2)}\n`, { flag: 'wx', mode: 0o600 });
    await rename(draft, this.path);
  }
}

/** Who holds the folder, dead or alive; undefined when nobody does. */
export async function readHolder(folder: string): Promise<LockHolder | undefined> {
  return parseHolder(await readFile(join(folder, LOCK_NAME), 'utf8').catch(() => undefined));
}

/** Whether the holder still runs: its pid does and belongs to the same process, or its socket answers. */
export async function isAlive(holder: LockHolder): Promise<boolean> {
  if (runs(holder.pid)) {
    const startedAt = startOfProcess(holder.pid);
    const isUnknown = startedAt === undefined || (holder.startedAt === undefined && startedAt !== ENDED);
    if (isUnknown || startedAt === holder.startedAt) return true;
  }
  // It may be in another container, where pids mean something else, with the folder mounted in both.
  return isListening(holder.socketPath, PROBE_TIMEOUT_MS);
}

/** @returns a function that gives the guard back */
async function takeGuard(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, GUARD_NAME);
  const deadline = Date.now() + GUARD_PATIENCE_MS;
  while (Date.now() < deadline) {
    try {
      await (await open(path, 'wx', 0o600)).close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
      const ageMs = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
      if (ageMs > GUARD_STALE_MS) await unlink(path).catch(() => undefined);
    }
    await sleep(20);
  }
  throw new DataFolderInUse(folder, 0);
}

function parseHolder(text: string | undefined): LockHolder | undefined {
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Partial<LockHolder> | null;
    if (typeof value?.pid !== 'number' || typeof value.socketPath !== 'string') return undefined;
    const { pid, socketPath, startedAt, token = '' } = value;
    return { pid, socketPath, startedAt, token };
  } catch {
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/**
 * When a process started, as the operating system tells it; `ENDED` when it has, though nobody has taken note of it yet
 * (a zombie); undefined where that is not told, or there is no such process.
 */
function startOfProcess(pid: number): string | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses, which may contain anything. Source: proc(5), fields 3 and 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return ENDED;
  const boot = readIfThere('/proc/sys/kernel/random/boot_id')?.trim();
  return `${boot ?? ''}:${fields[19] ?? ''}`;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}
