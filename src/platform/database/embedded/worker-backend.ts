import { Worker } from 'node:worker_threads';
import type { Backend } from './multiplexer.js';
import { workerBody, type WorkerInput, type WorkerRequest, type WorkerResponse } from './worker-body.js';

/**
 * Postgres recurses as deep as its `max_stack_depth` allows (2 MB of its own), and each of its calls also takes a frame
 * on the thread's stack. With Node's default of 4 MB that overflows first, on JSON nested 100 000 deep for instance,
 * and leaves a broken backend instead of an SQL error. Only what is used takes memory.
 */
const STACK_SIZE_MB = 256;

interface Waiting {
  readonly resolve: (response: WorkerResponse) => void;
  readonly reject: (error: Error) => void;
}

/** PGlite in a thread of its own: a heavy query does not hold up the event loop. */
export class WorkerBackend implements Backend {
  parameters: Readonly<Record<string, string>> = {};
  private readonly waiting: Waiting[] = [];
  private death: Error | undefined;
  private isClosing = false;

  private constructor(
    private readonly worker: Worker,
    private readonly onDeath: (error: Error) => void,
  ) {
    worker.on('message', (response: WorkerResponse) => this.receive(response));
    worker.on('error', (cause) => this.die(new Error('The embedded database has crashed.', { cause })));
    worker.on('exit', (code) => {
      if (!this.isClosing) this.die(new Error(`The embedded database has stopped (exit code ${code}).`));
    });
  }

  /**
   * @param onDeath called once when the thread ends without having been asked to, before the calls it has not answered
   *   are rejected
   * @throws when the database cannot be started
   */
  static async start(
    input: Omit<WorkerInput, 'pgliteUrl'>,
    onDeath: (error: Error) => void,
  ): Promise<WorkerBackend> {
    const workerData: WorkerInput = { ...input, pgliteUrl: import.meta.resolve('@electric-sql/pglite') };
    const worker = new Worker(`(${workerBody.toString()})()`, {
      eval: true,
      name: 'embedded-database',
      workerData,
      // Neither the flags nor the secrets of this process are its business.
      execArgv: [],
      env: {},
      resourceLimits: { stackSizeMb: STACK_SIZE_MB },
    });
    const backend = new WorkerBackend(worker, onDeath);
    const response = await backend.next();
    if (typeof response === 'object' && 'parameters' in response) backend.parameters = response.parameters;
    return backend;
  }

  async execute(messages: readonly Uint8Array[], byteLength: number): Promise<Buffer> {
    // Unpooled, so that its memory can be handed over to the thread as it is.
    const bytes = Buffer.allocUnsafeSlow(byteLength);
    let at = 0;
    for (const message of messages) {
      bytes.set(message, at);
      at += message.length;
    }
    const answer = (await this.ask(bytes, [bytes.buffer])) as Uint8Array;
    return Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength);
  }

  /** The database's files, as an uncompressed tar archive. */
  async dump(): Promise<Uint8Array> {
    return (await this.ask('dump')) as Uint8Array;
  }

  async close(): Promise<void> {
    if (this.death) return;
    const exited = new Promise((resolve) => this.worker.once('exit', resolve));
    const closed = this.ask('close');
    this.isClosing = true;
    // It may also die of it.
    await Promise.race([closed, exited]);
    await exited;
  }

  private async ask(request: WorkerRequest, transfer: ArrayBuffer[] = []): Promise<WorkerResponse> {
    if (this.death) throw this.death;
    const response = this.next();
    this.worker.postMessage(request, transfer);
    return response;
  }

  private async next(): Promise<WorkerResponse> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  private receive(response: WorkerResponse): void {
    if (typeof response === 'object' && 'broken' in response)
      this.die(new Error(`The embedded database has broken down: ${response.broken}`));
    else this.waiting.shift()?.resolve(response);
  }

  private die(error: Error): void {
    if (this.death) return;
    this.death = error;
    this.onDeath(error);
    for (const { reject } of this.waiting.splice(0)) reject(error);
    void this.worker.terminate();
  }
}
