import type { PGlite as PGliteClass } from '@electric-sql/pglite';

/** What the worker is given to begin with. */
export interface WorkerInput {
  /** Where the PGlite module is; the worker has no folder of its own to resolve it from. */
  readonly pgliteUrl: string;
  /** The folder for the database's files; undefined keeps everything in memory. */
  readonly dataDir: string | undefined;
  /** A dump to begin with. */
  readonly loadDataDir: Uint8Array | undefined;
}

/** To the worker: protocol messages to run, or an order. */
export type WorkerRequest = Uint8Array | 'dump' | 'close';

/**
 * From the worker: first the parameters a server announces, then one answer per request, in order: the protocol's bytes,
 * the dump, or 'closed'. 'broken' can come at any time and is the last.
 */
export type WorkerResponse =
  | Uint8Array
  | { readonly parameters: Readonly<Record<string, string>> }
  | { readonly broken: string }
  | 'closed';

/**
 * The whole program of the worker thread. It is started from its own source text (`workerBody.toString()`), so that it
 * runs the same from `dist` and from TypeScript under Jest, on every supported Node, with nothing to build first or to
 * find on disk. The price: it can use nothing from outside itself but types.
 */
/* istanbul ignore next -- counters from outside would not exist in the worker */
export async function workerBody(): Promise<void> {
  const threads = await import('node:worker_threads');
  const port = threads.parentPort;
  if (!port) return;
  const input = threads.workerData as WorkerInput;
  const { PGlite } = (await import(input.pgliteUrl)) as { PGlite: typeof PGliteClass };

  const respond = (response: WorkerResponse, transfer: ArrayBuffer[] = []) =>
    port.postMessage(response, transfer);

  const db = await PGlite.create({
    relaxedDurability: false,
    // A fifth of what PGlite takes; what does not fit is cached by the operating system.
    startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'],
    ...(input.dataDir === undefined ? {} : { dataDir: input.dataDir }),
    ...(input.loadDataDir ? { loadDataDir: new Blob([input.loadDataDir as Uint8Array<ArrayBuffer>]) } : {}),
  });

  // PGlite swallows what Postgres does not mean to throw (a trap, a stack overflow, the exit after a PANIC), and goes on
  // with a broken backend, at worst for ever. 100 is how it throws an ordinary SQL error.
  const backend = db.Module as unknown as { _PostgresMainLoopOnce: () => void };
  const mainLoopOnce = backend._PostgresMainLoopOnce;
  backend._PostgresMainLoopOnce = () => {
    try {
      mainLoopOnce();
    } catch (error) {
      if ((error as { status?: number } | null)?.status !== 100) {
        respond({ broken: String(error) });
        process.exit(1);
      }
      throw error;
    }
  };

  // PGlite hands out views of its memory, a few kilobytes at a time; they are gathered here.
  let answer = new Uint8Array(65_536);
  let answerBytes = 0;
  const gather = (bytes: Uint8Array) => {
    if (answerBytes + bytes.length > answer.length) {
      const larger = new Uint8Array(Math.max(answer.length * 2, answerBytes + bytes.length));
      larger.set(answer.subarray(0, answerBytes));
      answer = larger;
    }
    answer.set(bytes, answerBytes);
    answerBytes += bytes.length;
  };

  const execute = async (messages: Uint8Array) => {
    answerBytes = 0;
    await db.execProtocolRawStream(messages, { onRawData: gather });
    // A large one is given away, a small one copied, so that the buffer can be used again.
    const isLarge = answer.length > 1_048_576;
    const bytes = isLarge ? answer.subarray(0, answerBytes) : answer.slice(0, answerBytes);
    if (isLarge) answer = new Uint8Array(65_536);
    respond(bytes, [bytes.buffer]);
  };

  const dump = async () => {
    const blob = await db.dumpDataDir('none');
    const bytes = new Uint8Array(await blob.arrayBuffer());
    respond(bytes, [bytes.buffer]);
  };

  const close = async () => {
    await db.close();
    respond('closed');
    port.close();
  };

  port.on('message', (request: WorkerRequest) => {
    if (request === 'dump') void dump();
    else if (request === 'close') void close();
    else void execute(request);
  });

  const { rows } = await db.query<{ name: string; setting: string }>(
    `SELECT name, setting FROM pg_settings WHERE name IN ('server_version', 'server_encoding', 'client_encoding',
       'DateStyle', 'IntervalStyle', 'TimeZone', 'integer_datetimes', 'standard_conforming_strings', 'is_superuser',
       'session_authorization', 'application_name', 'default_transaction_read_only', 'in_hot_standby')`,
  );
  respond({ parameters: Object.fromEntries(rows.map(({ name, setting }) => [name, setting])) });
}
