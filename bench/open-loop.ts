import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, requestsFor } from './http-load.js';

/**
 * Sends requests at a constant rate, as many people who know nothing of each other: whether or not those before are answered. Those due
 * are sent with each tick of the clock, a millisecond or a little more apart, as every generator does that does not need a core of its
 * own just to wait; what a request waits for its tick counts, and so does its wait for a free connection.
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
    let due = 0;
    const sendDue = (): void => {
      while (sent < due && free.length > 0) send(free.pop()!);
    };
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
            sendDue();
          },
          (error: unknown) => (failure = error as Error),
        );
    };
    while (answered < total) {
      if (failure) throw failure;
      due = Math.min(total, Math.ceil(((performance.now() - startedAt) * perSecond) / 1000));
      sendDue();
      await sleep(1);
    }
    const lateMs = performance.now() - startedAt - (total * 1000) / perSecond;
    return { latencies: latencies.sort(), lateMs };
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}
