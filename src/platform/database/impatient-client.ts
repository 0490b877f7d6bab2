import pg from 'pg';

/** What node-postgres says when `query_timeout` is over. */
const UNANSWERED = 'Query read timeout';

/**
 * A client that hangs up when a query is not answered in time.
 *
 * node-postgres itself only stops waiting: the query may still be done later, and the ROLLBACK that follows it is
 * dropped unsent when it too is not answered. The connection would go back to the pool with a transaction open, and the
 * next one to use it would commit what was never acknowledged, together with its own work. A connection that
 * is gone is rolled back by the server.
 */
export class ImpatientClient extends pg.Client {
  override query(...args: unknown[]): never {
    const result = (super.query as (...all: unknown[]) => unknown).apply(this, args);
    if (result instanceof Promise)
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === UNANSWERED) this.hangUp(error);
      });
    return result as never;
  }

  private hangUp(error: Error): void {
    const { connection } = this as unknown as { connection: { stream: { destroy(error: Error): void } } };
    connection.stream.destroy(error);
  }
}
