import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reasonOf } from '../http.js';
import { unref } from '../sse.js';

/** A ruleset as it stands in a file. */
export interface SavedRuleset {
  /** Names the state to the service. */
  readonly id: string | undefined;
  readonly ruleset: unknown;
}

/** How long between two writes, however fast changes come. */
const WRITE_EVERY_MS = 1_000;

/**
 * Keeps the last ruleset in a file. The first line is a SHA-256 of the rest, so that a file that was cut or altered is not taken for
 * a ruleset. Written aside, synced and renamed: a crash at any moment leaves a whole one.
 */
export class RulesetFile {
  private waiting: SavedRuleset | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly path: string,
    private readonly onFailure: (message: string) => void,
  ) {}

  /** Writes soon; of those that come meanwhile only the last. */
  save(saved: SavedRuleset): void {
    this.waiting = saved;
    if (this.timer) return;
    this.timer = setTimeout(() => void this.flush(), WRITE_EVERY_MS);
    unref(this.timer);
  }

  /** Writes what waits, and resolves when it is on the disk. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting) {
      this.writing = this.writing.then(() =>
        this.write(waiting).catch((error: unknown) =>
          this.onFailure(`${this.path} cannot be written: ${reasonOf(error)}`),
        ),
      );
    }
    await this.writing;
  }

  private async write(saved: SavedRuleset): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const body = JSON.stringify(saved);
    // Several clients may keep the same file, in this process and in others.
    const aside = `${this.path}.${randomUUID()}.tmp`;
    try {
      const handle = await open(aside, 'wx', 0o600);
      try {
        await handle.writeFile(`${digestOf(body)}\n${body}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(aside, this.path);
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  }
}

/**
 * Reads a file of `RulesetFile`, or one with the JSON of a ruleset as `GET /ruleset` gives it.
 * @returns `undefined` when there is no such file
 * @throws Error when there is one that cannot be trusted
 */
export function readSaved(path: string): SavedRuleset | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const end = text.indexOf('\n');
  if (!/^[0-9a-f]{64}$/.test(text.slice(0, Math.max(end, 0))))
    return { id: undefined, ruleset: JSON.parse(text) };
  const body = text.slice(end + 1);
  if (digestOf(body) !== text.slice(0, end)) throw new Error('its checksum is wrong: it was cut or altered');
  const { id, ruleset } = JSON.parse(body) as SavedRuleset;
  return { id: typeof id === 'string' ? id : undefined, ruleset };
}

const digestOf = (body: string): string => createHash('sha256').update(body).digest('hex');
