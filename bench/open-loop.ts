import { Connection, requestsFor } from './http-load.js';

/**
 * Sends requests at a constant rate, as many people who know nothing of each other: each when it is due, whether or not those before
 * it are answered. One that finds no connection free waits for it, and the wait counts.
 */
export class OpenLoop {
  private constructor(
    private readonly connections: readonly Connection[],
    private readonly requests: readonly Buffer[],
  ) {}

  /** @param paths asked for in turn, over and over */
  static async open(port: number, connections: number, paths: readonly string[]): Promise<OpenLoop> {
    const opened = Array.from({ length: connections }, () => Connection.open(port));
    return new OpenLoop(await Promise.all(opened), requestsFor(paths));
  }

  /**
   * @returns milliseconds from when each request was due to its answer, from shortest to longest; and for how long after the last
   * was due answers were outstanding
   * @throws on any answer but 200, and when a connection breaks
   */
  async run(perSecond: number, forMs: number): Promise<{ latencies: Float64Array; lateMs: number }> {
    const total = Math.floor((perSecond * forMs) / 1000);
    const latencies = new Float64Array(total);
    const free = [...this.connections];
    let [sent, answered] = [0, 0];
    let failure: Error | undefined;
    const startedAt = performance.now();
    const send = (connection: Connection): void => {
      const index = sent;
      sent += 1;
      const dueAt = startedAt + (index * 1000) / perSecond;
      let request = this.requests[index % this.requests.length];
      connection
        .ask(() => {
          const once = request;
          request = undefined;
          return once;
        })
        .then(
          () => {
            latencies[index] = performance.now() - dueAt;
            answered += 1;
            free.push(connection);
          },
          (error: unknown) => (failure = error as Error),
        );
    };
    // Timers are a millisecond apart, which is longer than an answer takes: look again at each turn of the loop instead.
    while (answered < total) {
      if (failure) throw failure;
      const due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000));
      while (sent < due && free.length > 0) send(free.pop()!);
      await new Promise(setImmediate);
    }
    const lateMs = performance.now() - startedAt - (total * 1000) / perSecond;
    return { latencies: latencies.sort(), lateMs };
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}
