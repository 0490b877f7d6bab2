import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotDocument } from '../flags/flag-snapshot.reader.js';
import type { ServedState } from './ruleset-text.js';

/** A snapshot as it was last written to disk. */
export interface StoredSnapshot extends SnapshotDocument {
  /** When it was known to be true. */
  readonly savedAt: string;
}

type Named = Record<Exclude<keyof StoredSnapshot, 'ruleset'>, unknown>;

/**
 * The last snapshot of each environment on disk, for a start while everything else is down. The first line is a
 * SHA-256 of the rest. Written aside, synced and renamed, with the one before kept: a crash at any moment, or a file that was cut
 * or altered, leaves a whole one to read. Only a file that can be trusted takes the place of the one before it.
 */
export class SnapshotFiles {
  /** Environments whose file was written here, or read and found good. */
  private readonly trusted = new Set<string>();

  /** @param isReadable whether a ruleset is one that this version understands: another may have left the file */
  constructor(
    private readonly folder: string,
    private readonly isReadable: (ruleset: unknown) => boolean,
  ) {}

  /** @param savedAt when it was known to be true */
  async write({ environmentId, stamp, ruleset }: ServedState, savedAt: Date): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const head = JSON.stringify({ environmentId, stamp, savedAt } satisfies Named).slice(0, -1);
    const body = function* (): Generator<string> {
      yield `${head},"ruleset":`;
      yield* ruleset.pieces();
      yield '}';
    };
    const hash = createHash('sha256');
    for (const piece of body()) hash.update(piece);
    const file = this.file(environmentId);
    const aside = `${file}.tmp`;
    const handle = await open(aside, 'w', 0o600);
    try {
      await handle.writeFile(`${hash.digest('hex')}\n`);
      for (const piece of body()) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Somebody may have taken it away.
    if (await this.isGood(environmentId)) await rename(file, previousOf(file)).catch(() => undefined);
    this.trusted.delete(environmentId);
    await rename(aside, file);
    this.trusted.add(environmentId);
    await this.syncFolder();
  }

  async remove(environmentId: string): Promise<void> {
    const file = this.file(environmentId);
    this.trusted.delete(environmentId);
    await Promise.all([file, previousOf(file), `${file}.tmp`].map((name) => rm(name, { force: true })));
  }

  /** Every snapshot that can be trusted, the newest of each environment; `refused` names the files that cannot. */
  async readAll(): Promise<{ snapshots: StoredSnapshot[]; refused: string[] }> {
    const names = await readdir(this.folder).catch(() => []);
    const ids = new Set(
      names.map((name) => /^([0-9a-f-]{36})\.json/.exec(name)?.[1]).filter((id) => id !== undefined),
    );
    const snapshots: StoredSnapshot[] = [];
    const refused: string[] = [];
    for (const id of ids) {
      const file = this.file(id);
      for (const name of [file, previousOf(file)]) {
        const snapshot = await this.readTrusted(name);
        if (snapshot === 'broken') refused.push(name);
        if (snapshot === 'broken' || snapshot === undefined) continue;
        if (name === file) this.trusted.add(id);
        snapshots.push(snapshot);
        break;
      }
    }
    return { snapshots, refused };
  }

  private async isGood(environmentId: string): Promise<boolean> {
    if (this.trusted.has(environmentId)) return true;
    const found = await this.readTrusted(this.file(environmentId));
    return found !== undefined && found !== 'broken';
  }

  private async readTrusted(file: string): Promise<StoredSnapshot | 'broken' | undefined> {
    try {
      const text = await readFile(file, 'utf8');
      const end = text.indexOf('\n');
      const body = text.slice(end + 1);
      if (end < 0 || digestOf(body) !== text.slice(0, end)) return 'broken';
      const snapshot: unknown = JSON.parse(body);
      return isStored(snapshot) && this.isReadable(snapshot.ruleset) ? snapshot : 'broken';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : 'broken';
    }
  }

  private file(environmentId: string): string {
    return join(this.folder, `${environmentId}.json`);
  }

  private async syncFolder(): Promise<void> {
    const handle = await open(this.folder, 'r');
    try {
      await handle.sync();
    } catch {
      // Some systems cannot sync a folder; the rename is then as durable as they make it.
    } finally {
      await handle.close();
    }
  }
}

/** Whether it has the outer shape of a stored snapshot; its ruleset is the core's to read. */
export function isStored(value: unknown): value is StoredSnapshot {
  const { environmentId, stamp, savedAt, ruleset } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isText = [environmentId, stamp, savedAt].every((part) => typeof part === 'string');
  const isRuleset = typeof ruleset === 'object' && ruleset !== null && 'environment_key' in ruleset;
  return isText && isRuleset && typeof ruleset.environment_key === 'string';
}

const previousOf = (file: string): string => `${file}.previous`;

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex');
