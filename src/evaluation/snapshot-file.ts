import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { SnapshotDocument } from '../flags/flag-snapshot.reader.js';

/** A snapshot as it was last written to disk. */
export interface StoredSnapshot extends SnapshotDocument {
  /** When it was known to be true. */
  readonly savedAt: string;
}

/**
 * The last snapshot of each environment on disk, for a start while everything else is down. The first line is a
 * SHA-256 of the rest. Written aside, synced and renamed, with the one before kept: a crash at any moment, or a file that was cut
 * or altered, leaves a whole one to read.
 */
export class SnapshotFiles {
  constructor(private readonly folder: string) {}

  async write(snapshot: StoredSnapshot): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const body = JSON.stringify(snapshot);
    const file = this.file(snapshot.environmentId);
    const aside = `${file}.tmp`;
    const handle = await open(aside, 'w', 0o600);
    try {
      await handle.writeFile(`${digestOf(body)}\n${body}`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(file, `${file}.previous`).catch(() => undefined);
    await rename(aside, file);
    await this.syncFolder();
  }

  async remove(environmentId: string): Promise<void> {
    const file = this.file(environmentId);
    await Promise.all([rm(file, { force: true }), rm(`${file}.previous`, { force: true })]);
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
      for (const file of [this.file(id), `${this.file(id)}.previous`]) {
        const snapshot = await readTrusted(file);
        if (snapshot === 'broken') refused.push(file);
        if (snapshot === 'broken' || snapshot === undefined) continue;
        snapshots.push(snapshot);
        break;
      }
    }
    return { snapshots, refused };
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

async function readTrusted(file: string): Promise<StoredSnapshot | 'broken' | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const end = text.indexOf('\n');
  const body = text.slice(end + 1);
  if (end < 0 || digestOf(body) !== text.slice(0, end)) return 'broken';
  const snapshot: unknown = JSON.parse(body);
  return isStored(snapshot) ? snapshot : 'broken';
}

/** Whether it has the outer shape of a stored snapshot; its ruleset is the core's to read. */
export function isStored(value: unknown): value is StoredSnapshot {
  const { environmentId, stamp, savedAt, ruleset } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isText = [environmentId, stamp, savedAt].every((part) => typeof part === 'string');
  const isRuleset = typeof ruleset === 'object' && ruleset !== null && 'environment_key' in ruleset;
  return isText && isRuleset && typeof ruleset.environment_key === 'string';
}

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex');
