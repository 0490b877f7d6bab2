import pg from 'pg';
import { msLeft } from './deadline.js';
import { DatabaseUnavailable } from './faults.js';

/** What node-postgres says when `query_timeout` is over. */
const UNANSWERED = 'Query read timeout';

/** A ROLLBACK is sent even when there is no time left, for a connection that answers is worth keeping. */
const LAST_WORD_MS = 250;

/**
 * A client that hangs up when a query is not answered in time: that of its connection, or what is left to whoever asks. Without
 * any left it asks nothing, so that nothing is committed either.
 *
 * node-postgres itself only stops waiting: the query may still be done later, and the ROLLBACK that follows it is
 * dropped unsent when it too is not answered. The connection would go back to the pool with a transaction open, and the
 * next one to use it would commit what was never acknowledged, together with its own work. A connection that
 * is gone is rolled back by the server.
 */
export class ImpatientClient extends pg.Client {
  override query(...args: unknown[]): never {
    const left = msLeft();
    const [text, ...more] = args;
    if (left !== undefined && typeof text === 'string') {
      const isLastWord = text.startsWith('ROLLBACK');
      if (left <= 0 && !isLastWord) return Promise.reject(new DatabaseUnavailable()) as never;
      const mostMs = Math.max(isLastWord ? LAST_WORD_MS : 1, Math.ceil(left));
      return this.ask({ text, query_timeout: Math.min(mostMs, this.usualTimeoutMs) }, ...more);
    }
    return this.ask(...args);
  }

  private ask(...args: unknown[]): never {
    const result = (super.query as (...all: unknown[]) => unknown).apply(this, args);
    if (result instanceof Promise)
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === UNANSWERED) this.hangUp(error);
      });
    return result as never;
  }

  private get usualTimeoutMs(): number {
    const { connectionParameters } = this as unknown as {
      connectionParameters: { query_timeout?: number | false };
    };
    return connectionParameters.query_timeout || Number.POSITIVE_INFINITY;
  }

  private hangUp(error: Error): void {
    const { connection } = this as unknown as { connection: { stream: { destroy(error: Error): void } } };
    connection.stream.destroy(error);
  }
}
