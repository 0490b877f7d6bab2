import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { DataFolderInUse, EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';
import { codeOf, connected, withClients } from './embedded-support.js';

const ROOT = process.cwd();
const COMPILED = join(ROOT, '.cache', 'embedded-child');
const children: ChildProcess[] = [];
let scratch: string;
/** A folder with a new database, made once and copied, for making one takes seconds. */
let made: string;

/** A child process is plain Node, which cannot be asked to read TypeScript on every version we support. */
function compile(): void {
  const sources = readdirSync(join(ROOT, 'src/platform/database/embedded'))
    .map((name) => join('src/platform/database/embedded', name))
    .concat('test/platform/embedded-child.ts');
  for (const source of sources) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, source), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    const target = join(COMPILED, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

class Child {
  readonly lines: string[] = [];
  private readonly reader: Interface;

  constructor(readonly process: ChildProcess) {
    this.reader = createInterface({ input: process.stdout! });
    this.reader.on('line', (text) => this.lines.push(text));
  }

  /** The first line that begins so, now or later. */
  async line(start: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((text) => text.startsWith(start));
      if (found !== undefined) return found;
      if (this.process.exitCode !== null)
        throw new Error(`ended without '${start}': ${this.lines.join(', ')}`);
      await Promise.race([once(this.reader, 'line'), once(this.process, 'exit')]);
    }
  }

  async kill(): Promise<void> {
    const exited = once(this.process, 'exit');
    const closed = once(this.reader, 'close');
    this.process.kill('SIGKILL');
    await Promise.all([exited, closed]);
  }
}

function child(command: string, folder: string): Child {
  // From another folder: nothing may depend on where the service is started.
  const started = spawn(
    process.execPath,
    [join(COMPILED, 'test/platform/embedded-child.js'), command, folder],
    {
      cwd: tmpdir(),
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  children.push(started);
  return new Child(started);
}

const open = (folder: string) => EmbeddedDatabase.open({ folder, onFatal: (error) => console.error(error) });

beforeAll(async () => {
  compile();
  scratch = mkdtempSync(join(tmpdir(), 'vexil-test-'));
  made = join(scratch, 'made');
  await (await open(made)).close();
});

afterEach(() => {
  for (const process of children.splice(0)) process.kill('SIGKILL');
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('given a folder that is open in this process', () => {
  let db: EmbeddedDatabase;

  beforeAll(async () => {
    db = await open(made);
  });

  afterAll(async () => db.close());

  it('refuses to open it again, and says who has it', async () => {
    const work = open(made);
    await expect(work).rejects.toThrow(DataFolderInUse);
    await expect(work).rejects.toThrow(`process ${process.pid}`);
    await expect(work).rejects.toMatchObject({ folder: made, pid: process.pid });
  });

  it('refuses to open it in another process', async () => {
    expect(await child('open', made).line('')).toBe(`DataFolderInUse ${process.pid}`);
  });

  it('lets this user’s other processes in by its socket, and nobody else', async () => {
    expect(db.socketPath).toBe(join(made, 'db.sock'));
    expect(statSync(db.socketPath).mode & 0o777).toBe(0o600);
    expect(statSync(join(made, 'lock.json')).mode & 0o777).toBe(0o600);
    const stream = await EmbeddedDatabase.attach(made);
    const client = await connected(stream!);
    await client.query('CREATE TABLE shared (x text)');
    await client.query('INSERT INTO shared VALUES ($1)', ['y'.repeat(1_048_576)]);
    await withClients(db, 1, async (inside) => {
      const { rows } = await inside.query('SELECT length(x) FROM shared');
      expect(rows).toEqual([{ length: 1_048_576 }]);
      await inside.query('LISTEN shared');
      const heard = new Promise((resolve) => inside.once('notification', ({ payload }) => resolve(payload)));
      await client.query("NOTIFY shared, 'from outside'");
      expect(await heard).toBe('from outside');
      await client.query('BEGIN; DELETE FROM shared');
      client.on('error', () => undefined);
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      expect((await inside.query('SELECT count(*)::int AS n FROM shared')).rows).toEqual([{ n: 1 }]);
    });
  });
});

it('gives the folder back when it closes, ends its connections, and lets the process end', async () => {
  const service = child('serve', made);
  const [, socketPath] = (await service.line('ready')).split(' ');
  const client = await connected((await EmbeddedDatabase.attach(made))!);
  client.on('error', () => undefined);
  const ended = new Promise((resolve) => client.once('end', () => resolve('ended')));
  const exited = once(service.process, 'exit');
  service.process.stdin!.write('close\n');
  await service.line('closed');
  expect(await exited).toEqual([0, null]);
  expect(await ended).toBe('ended');
  expect(existsSync(socketPath!)).toBe(false);
  expect(existsSync(join(made, 'lock.json'))).toBe(false);
  expect(await EmbeddedDatabase.attach(made)).toBeUndefined();
});

it('puts the socket of a folder with a very long path into a private folder, and removes it again', async () => {
  const db = await open(join(scratch, 'long'.repeat(25)));
  expect(Buffer.byteLength(db.socketPath)).toBeLessThan(100);
  expect(statSync(dirname(db.socketPath)).mode & 0o777).toBe(0o700);
  const { socketPath } = db;
  await db.close();
  expect(existsSync(dirname(socketPath))).toBe(false);
});

it('takes over the folder of a process that was killed, but not one whose pid is merely taken again', async () => {
  const first = child('serve', made);
  await first.line('ready');
  await first.kill();
  expect(await EmbeddedDatabase.attach(made)).toBeUndefined();
  const left = JSON.parse(readFileSync(join(made, 'lock.json'), 'utf8')) as object;
  writeFileSync(join(made, 'lock.json'), JSON.stringify({ ...left, pid: process.pid }));
  const db = await open(made);
  expect(JSON.parse(readFileSync(join(made, 'lock.json'), 'utf8'))).toMatchObject({ pid: process.pid });
  await db.close();
});

it('takes a process that has ended for dead, also while its parent has not taken note of that', async () => {
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(parent);
  const pid = Number(String(await once(parent.stdout, 'data')));
  await sleep(200);
  const folder = mkdtempSync(join(scratch, 'zombie-'));
  writeFileSync(join(folder, 'lock.json'), JSON.stringify({ pid, socketPath: join(folder, 'db.sock') }));
  expect(await EmbeddedDatabase.attach(folder)).toBeUndefined();
});

it('lets exactly one of several processes win, with a dead one’s lock in the way and without', async () => {
  for (const hasStaleLock of [false, true, true]) {
    const folder = mkdtempSync(join(scratch, 'race-'));
    if (hasStaleLock)
      writeFileSync(
        join(folder, 'lock.json'),
        JSON.stringify({ pid: 2 ** 30, socketPath: join(folder, 'db.sock') }),
      );
    writeFileSync(`${folder}.start`, String(Date.now() + 900));
    const racers = Array.from({ length: 5 }, () => child('lock', folder));
    const results = await Promise.all(racers.map((racer) => racer.line('')));
    const winner = racers[results.indexOf('won')];
    expect(results.filter((result) => result === 'won')).toHaveLength(1);
    expect(results.filter((result) => result === `DataFolderInUse ${winner!.process.pid!}`)).toHaveLength(4);
    await Promise.all(racers.map((racer) => racer.kill()));
  }
});

it('loses no acknowledged row though it is killed at random moments', async () => {
  const acknowledged: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    const writer = child('write', made);
    await writer.line('id');
    await sleep(Math.random() * 250);
    await writer.kill();
    acknowledged.push(...writer.lines.map((text) => Number(text.replace('id ', ''))));
  }
  const db = await open(made);
  await withClients(db, 1, async (client) => {
    const { rows } = await client.query<{ id: number }>('SELECT id FROM written');
    const found = new Set(rows.map(({ id }) => id));
    expect(acknowledged.length).toBeGreaterThan(8);
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
  });
  await db.close();
});

it('makes the database anew when it was killed while making it', async () => {
  const folder = join(scratch, 'unfinished');
  const first = child('open', folder);
  while (!existsSync(join(folder, 'pgdata', 'PG_VERSION'))) await sleep(5);
  await first.kill();
  const db = await open(folder);
  await withClients(db, 1, (client) => client.query('CREATE TABLE t (x int)'));
  await db.close();
});

it('fails every query and tells its owner when the thread dies', async () => {
  const reported: Error[] = [];
  const db = await EmbeddedDatabase.open({ folder: made, onFatal: (error) => reported.push(error) });
  const clients = await Promise.all([1, 2, 3].map(() => connected(() => db.connectStream())));
  for (const client of clients) client.on('error', () => undefined);
  const pending = [clients[0]!.query('SELECT 1'), clients[1]!.query('SELECT 1')];
  await (db as unknown as { backend: { worker: { terminate(): Promise<void> } } }).backend.worker.terminate();
  for (const query of pending) expect(await codeOf(query)).toMatch(/embedded database has stopped/);
  expect(await codeOf(clients[2]!.query('SELECT 1'))).toMatch(/not queryable/);
  expect(await codeOf(connected(() => db.connectStream()))).toMatch(/ECONNREFUSED/);
  expect(reported).toHaveLength(1);
  await db.close();
  expect(existsSync(join(made, 'lock.json'))).toBe(false);
});
