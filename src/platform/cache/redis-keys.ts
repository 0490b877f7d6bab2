import type { RedisClientType } from 'redis';
import type { Breaker } from './breaker.js';
import type { Deletion, KeyIndex } from './key-index.js';

/** Keys looked at per SCAN: well under a millisecond of Redis's only thread. */
const PAGE = 1000;
const COUNT_LIMIT_MS = 250;
const DELETE_LIMIT_MS = 2000;

/** The keys of a Redis database by prefix, with SCAN and UNLINK: nothing here blocks the server or ends late. */
export class RedisKeys implements KeyIndex {
  constructor(
    private readonly client: RedisClientType,
    private readonly breaker: Breaker,
  ) {}

  /** Approximate while the database is changing: SCAN may then report a key twice. */
  async count(prefix: string): Promise<number | undefined> {
    let total = 0;
    const complete = await this.eachPage(prefix, COUNT_LIMIT_MS, (keys) => {
      total += keys.length;
      return Promise.resolve(true);
    });
    return complete ? total : undefined;
  }

  async deleteByPrefix(prefix: string): Promise<Deletion> {
    let deleted = 0;
    const complete = await this.eachPage(prefix, DELETE_LIMIT_MS, async (keys) => {
      const removed = await this.breaker.run<number | undefined>(() => this.client.unlink(keys), undefined);
      deleted += removed ?? 0;
      return removed !== undefined;
    });
    return { deleted, complete };
  }

  /** @returns whether every key with the prefix was visited */
  private async eachPage(
    prefix: string,
    limitMs: number,
    visit: (keys: string[]) => Promise<boolean>,
  ): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    const match = { MATCH: `${escapeGlob(prefix)}*`, COUNT: PAGE };
    let cursor = 0;
    do {
      if (performance.now() > endMs) return false;
      const at = cursor;
      const page = await this.breaker.run<{ cursor: number; keys: string[] } | undefined>(
        () => this.client.scan(at, match),
        undefined,
      );
      if (page === undefined) return false;
      if (page.keys.length > 0 && !(await visit(page.keys))) return false;
      cursor = page.cursor;
    } while (cursor !== 0);
    return true;
  }
}

/** Makes the pattern that matches exactly this text, in the glob dialect of Redis's `MATCH`. */
export function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
