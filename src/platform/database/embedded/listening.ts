import { quoted, type SessionCommand } from './session-commands.js';

/**
 * The channels one session listens on. As in Postgres, LISTEN and UNLISTEN count from the COMMIT of their transaction
 * on, and not at all when it, or the savepoint they stand in, is rolled back.
 */
export class Listening {
  private channels: ReadonlySet<string> = new Set();
  private pending: SessionCommand[] = [];

  hears(channel: string): boolean {
    return this.channels.has(channel);
  }

  /** Takes note of what was run successfully, inside a transaction or not. */
  note(commands: readonly SessionCommand[]): void {
    for (const command of commands) {
      if (command.kind === 'rollback to') {
        const savepoint = this.pending.findLastIndex(
          (earlier) => earlier.kind === 'savepoint' && earlier.name === command.name,
        );
        this.pending.length = savepoint + 1;
      } else this.pending.push(command);
    }
  }

  /**
   * The transaction, explicit or not, is over.
   * @returns whether it took channels away, which the backend then has done for every session
   */
  settle(isCommitted: boolean): boolean {
    const commands = this.pending;
    this.pending = [];
    if (!isCommitted || commands.length === 0) return false;
    const channels = new Set(this.channels);
    for (const command of commands) {
      if (command.kind === 'listen') channels.add(command.channel);
      else if (command.kind === 'unlisten') channels.delete(command.channel);
      else if (command.kind === 'unlisten all') channels.clear();
    }
    this.channels = channels;
    return commands.some(({ kind }) => kind === 'unlisten' || kind === 'unlisten all');
  }

  stop(): void {
    this.channels = new Set();
    this.pending = [];
  }

  /** The statements that make the backend listen on all these channels again. */
  static statements(sessions: Iterable<Listening>): string {
    const channels = new Set([...sessions].flatMap((session) => [...session.channels]));
    return [...channels].map((channel) => `LISTEN ${quoted(channel)}`).join('; ');
  }
}
