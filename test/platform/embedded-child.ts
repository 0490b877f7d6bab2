/**
 * The other process in the tests of the data folder: `<command> <folder>`. Prints one line per event. It runs as plain
 * JavaScript, made by `compiledChild`.
 */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { DataLock } from '../../src/platform/database/embedded/data-lock.js';
import { EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';

const [command = '', folder = ''] = process.argv.slice(2);
const line = (text: string) => process.stdout.write(`${text}\n`);
const open = () => EmbeddedDatabase.open({ folder, onFatal: (error) => line(`fatal ${error.message}`) });
const refused = (error: Error & { pid?: number }) => line(`${error.name} ${error.pid ?? ''}`);
/** Until the parent ends us. */
const stay = () => setInterval(() => undefined, 60_000);

const commands: Record<string, () => Promise<unknown>> = {
  /** Opens the database, closes it when told to by a line on standard input, and then should end by itself. */
  async serve() {
    const db = await open();
    line(`ready ${db.socketPath}`);
    process.stdin.once('data', () => {
      process.stdin.destroy();
      void db.close().then(() => line('closed'));
    });
  },
  /** Writes rows one by one, and prints the id of each after its COMMIT. */
  async write() {
    const db = await open();
    const client = new pg.Client({ stream: () => db.connectStream() });
    await client.connect();
    await client.query('CREATE TABLE IF NOT EXISTS written (id int GENERATED ALWAYS AS IDENTITY, text text)');
    for (;;) {
      await client.query('BEGIN');
      const { rows } = await client.query<{ id: number }>(
        'INSERT INTO written (text) VALUES ($1) RETURNING id',
        ['x'.repeat(500)],
      );
      await client.query('COMMIT');
      line(`id ${rows[0]?.id ?? ''}`);
    }
  },
  /** Waits until the given moment, so that several do it at once; then keeps what it got. */
  async lock() {
    const start = Number(readFileSync(`${folder}.start`, 'utf8'));
    await new Promise((resolve) => setTimeout(resolve, start - Date.now()));
    await DataLock.acquire(folder, `${folder}/db.sock`).then(() => line('won'), refused);
    stay();
  },
  async open() {
    await open().then(() => line('won'), refused);
    stay();
  },
};

await commands[command]?.();
