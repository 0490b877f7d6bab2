import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { EmbeddedDatabase } from '../../src/platform/database/embedded/index.js';
import { codeOf, connected, RawClient, say, typesOf, withClients } from './embedded-support.js';

const TURN_TIMEOUT_MS = 500;
const IDLE_TIMEOUT_MS = 1_200;
let db: EmbeddedDatabase;

beforeAll(async () => {
  db = await EmbeddedDatabase.open({
    folder: undefined,
    turnTimeoutMs: TURN_TIMEOUT_MS,
    idleTransactionTimeoutMs: IDLE_TIMEOUT_MS,
    onFatal: (error) => console.error(error),
  });
  await withClients(db, 1, (client) =>
    client.query('CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)'),
  );
});

afterAll(async () => db.close());

const run = [say.bind, say.describe, say.execute()];
const extended = (sql: string) => [say.parse(sql), ...run];

async function raw(): Promise<RawClient> {
  const client = await RawClient.open(db.connectStream());
  await client.exchange(say.startup);
  return client;
}

function heardBy(client: pg.Client): string[] {
  const heard: string[] = [];
  client.on('notification', ({ channel, payload }) => heard.push(`${channel}:${payload ?? ''}`));
  return heard;
}

describe('given two sessions', () => {
  it('keeps one out of the other’s transaction until that is over', async () => {
    await withClients(db, 2, async (a, b) => {
      await a.query('BEGIN');
      await a.query('INSERT INTO t VALUES (1)');
      const seen = b.query('SELECT count(*)::int AS n FROM t WHERE id = 1');
      await sleep(50);
      await a.query('ROLLBACK');
      expect((await seen).rows).toEqual([{ n: 0 }]);
    });
  });

  it('refuses a turn that does not come with 55P03, and serves the next one', async () => {
    await withClients(db, 2, async (a, b) => {
      await a.query('BEGIN');
      expect(await codeOf(b.query('SELECT 1'))).toBe('55P03');
      expect(await codeOf(b.query('SELECT $1::int', [1]))).toBe('55P03');
      await a.query('COMMIT');
      expect((await b.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });

  it('gives turns in the order they were asked for', async () => {
    await withClients(db, 4, async (owner, ...others) => {
      await owner.query('BEGIN');
      const order: number[] = [];
      const asked = others.map((client, index) => client.query('SELECT 1').then(() => order.push(index)));
      await owner.query('COMMIT');
      await Promise.all(asked);
      expect(order).toEqual([0, 1, 2]);
    });
  });

  it('rolls back what a session leaves behind when it is cut off in a transaction', async () => {
    await withClients(db, 1, async (b) => {
      const a = await connected(() => db.connectStream());
      a.on('error', () => undefined);
      await a.query('BEGIN; INSERT INTO t VALUES (2)');
      (a as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
      expect((await b.query('SELECT * FROM t WHERE id = 2')).rows).toEqual([]);
    });
  });

  it('rolls back what a session leaves behind when it says goodbye in a transaction', async () => {
    await withClients(db, 1, async (b) => {
      const a = await connected(() => db.connectStream());
      await a.query('BEGIN; INSERT INTO t VALUES (2)');
      await a.end();
      expect((await b.query('SELECT * FROM t WHERE id = 2')).rows).toEqual([]);
    });
  });

  it('takes back an idle transaction, tells its session with 25P03, and lets it go on after ROLLBACK', async () => {
    await withClients(db, 2, async (a, b) => {
      await a.query('BEGIN; INSERT INTO t VALUES (3)');
      await sleep(IDLE_TIMEOUT_MS - 100);
      const waiting = b.query('SELECT * FROM t WHERE id = 3');
      expect((await waiting).rows).toEqual([]);
      expect(await codeOf(a.query('INSERT INTO t VALUES (4)'))).toBe('25P03');
      expect(await codeOf(a.query('INSERT INTO t VALUES ($1)', [5]))).toBe('25P03');
      await a.query('ROLLBACK');
      expect((await a.query('SELECT * FROM t WHERE id IN (3, 4, 5)')).rows).toEqual([]);
    });
  });

  it('does not let the COMMIT of a transaction that was taken back succeed', async () => {
    await withClients(db, 1, async (a) => {
      await a.query('BEGIN; INSERT INTO t VALUES (6)');
      await sleep(IDLE_TIMEOUT_MS + 100);
      expect(await codeOf(a.query('COMMIT'))).toBe('25P03');
      expect((await a.query('SELECT * FROM t WHERE id = 6')).rows).toEqual([]);
    });
  });

  it('keeps statements of the same name apart', async () => {
    await withClients(db, 2, async (a, b) => {
      const name = 'same';
      expect((await a.query({ name, text: 'SELECT 1 AS x' })).rows).toEqual([{ x: 1 }]);
      expect((await b.query({ name, text: 'SELECT 2 AS x' })).rows).toEqual([{ x: 2 }]);
      expect((await a.query({ name, text: 'SELECT 1 AS x' })).rows).toEqual([{ x: 1 }]);
    });
    await withClients(db, 1, async (c) => {
      const { rows } = await c.query("SELECT * FROM pg_prepared_statements WHERE name LIKE 'session%'");
      expect(rows).toEqual([]);
    });
  });

  it('keeps the unnamed statement of one that comes back to it later', async () => {
    const [a, b] = [await raw(), await raw()];
    const bindAndRun = Buffer.concat([...run, say.sync]);
    await a.exchange(Buffer.concat([say.parse("SELECT 'mine'"), say.sync]));
    await b.exchange(Buffer.concat([...extended("SELECT 'yours'"), say.sync]));
    a.stream.write(bindAndRun);
    const answer = await a.until((bytes) => typesOf(bytes).endsWith('Z'));
    expect(typesOf(answer)).toBe('2TDCZ');
    expect(answer.toString('latin1')).toContain('mine');
    await a.exchange(say.query('SELECT 1'));
    await b.exchange(Buffer.concat([...extended("SELECT 'yours'"), say.sync]));
    expect(await a.exchange(bindAndRun)).toBe('EZ');
    a.stream.destroy();
    b.stream.destroy();
  });
});

describe('given listeners', () => {
  it('tells exactly those who listen, as soon as it is committed, though they are idle', async () => {
    await withClients(db, 4, async (news, sport, both, sender) => {
      await news.query('LISTEN news');
      await sport.query('LISTEN "Sport"');
      await both.query('LISTEN news; LISTEN "Sport"');
      const heard = [news, sport, both, sender].map(heardBy);
      await sender.query('BEGIN');
      await sender.query('NOTIFY news, $$1$$'.replaceAll('$$', "'"));
      await sleep(30);
      expect(heard.flat()).toEqual([]);
      await sender.query('COMMIT');
      await sender.query('SELECT pg_notify($1, $2)', ['Sport', '2']);
      await sender.query("BEGIN; NOTIFY news, 'never'; ROLLBACK");
      await sleep(30);
      expect(heard).toEqual([['news:1'], ['Sport:2'], ['news:1', 'Sport:2'], []]);
    });
  });

  it('goes on telling the others when one stops listening or leaves', async () => {
    await withClients(db, 3, async (a, b, sender) => {
      const c = await connected(() => db.connectStream());
      for (const client of [a, b, c]) await client.query('LISTEN news');
      const heard = [a, b].map(heardBy);
      await a.query('UNLISTEN *');
      await c.end();
      await sender.query("NOTIFY news, 'still'");
      await sleep(30);
      expect(heard).toEqual([[], ['news:still']]);
    });
  });

  it('names the session that sent a notification, also to itself', async () => {
    await withClients(db, 2, async (a, b) => {
      const senders: (number | undefined)[] = [];
      await a.query('LISTEN news');
      a.on('notification', ({ processId }) => senders.push(processId));
      await a.query('NOTIFY news');
      await b.query('NOTIFY news');
      await sleep(30);
      const idOf = (client: pg.Client) => (client as unknown as { processID: number }).processID;
      expect(senders).toEqual([idOf(a), idOf(b)]);
    });
  });
});

describe('given a client that speaks by hand', () => {
  it('understands bytes that come one at a time, and messages that come together', async () => {
    const client = await RawClient.open(db.connectStream());
    const send = async (bytes: Buffer) => {
      for (const byte of bytes) client.stream.write(Buffer.from([byte]));
      return typesOf(await client.until((received) => typesOf(received).endsWith('Z')));
    };
    expect(await send(say.startup)).toMatch(/^RS+KZ$/);
    expect(await send(Buffer.concat([...extended('SELECT 1'), say.sync]))).toBe('12TDCZ');
    const pipeline = Buffer.concat([
      say.query('SELECT 1'),
      ...extended('SELECT broken'),
      say.sync,
      ...extended('SELECT 2'),
      say.sync,
    ]);
    client.stream.write(pipeline);
    const types = typesOf(await client.until((received) => typesOf(received).split('Z').length === 4));
    expect(types).toBe('TDCZEZ12TDCZ');
    client.stream.write(say.end);
    await expect(client.until(() => false)).rejects.toThrow('closed');
  });

  it('answers up to a Flush, keeps the others out until Sync, and skips to it after an error', async () => {
    const [a, b] = [await raw(), await raw()];
    const parse = say.parse('SELECT generate_series(1, 5)');
    expect(await a.exchange(Buffer.concat([parse, say.bind, say.flush]), '2')).toBe('12');
    expect(await b.exchange(say.query('SELECT 1'))).toBe('EZ');
    expect(await a.exchange(Buffer.concat([say.execute(2), say.flush]), 's')).toBe('DDs');
    expect(await a.exchange(Buffer.concat([say.execute(9), say.sync]))).toBe('DDDCZ');
    expect(await b.exchange(Buffer.concat([parse, say.bind, say.flush]), '2')).toBe('12');
    expect(await a.exchange(Buffer.concat([parse, say.flush]), 'E')).toBe('E');
    expect(await a.exchange(Buffer.concat([say.bind, say.flush, say.sync]))).toBe('Z');
    b.stream.destroy();
    expect(await a.exchange(Buffer.concat([...extended('SELECT 1'), say.sync]))).toBe('12TDCZ');
    a.stream.destroy();
  });

  it('declines encryption and goes on in the clear', async () => {
    const client = await RawClient.open(db.connectStream());
    client.stream.write(say.requestSsl);
    expect((await client.until((received) => received.length > 0)).toString()).toBe('N');
    expect(await client.exchange(say.startup)).toMatch(/^RS+KZ$/);
    client.stream.destroy();
  });

  it('closes a connection that only wants to cancel, and one that talks nonsense', async () => {
    const canceller = await RawClient.open(db.connectStream());
    canceller.stream.write(say.cancel);
    await expect(canceller.until(() => false)).rejects.toThrow('closed');
    const babbler = await RawClient.open(db.connectStream());
    babbler.stream.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await expect(babbler.until(() => false)).rejects.toThrow('08P01');
  });
});

describe('given demanding queries', () => {
  it('carries 10 MB of rows out and a parameter of 1 MB in', async () => {
    await withClients(db, 1, async (client) => {
      const { rows } = await client.query("SELECT repeat('x', 1000) AS x FROM generate_series(1, 10000)");
      expect(rows).toHaveLength(10_000);
      const text = 'é'.repeat(524_288);
      expect((await client.query('SELECT $1::text AS x', [text])).rows).toEqual([{ x: text }]);
    });
  });

  it('turns nesting that is too deep into an error, not a crash', async () => {
    await withClients(db, 1, async (client) => {
      const nested = '['.repeat(100_000) + ']'.repeat(100_000);
      expect(await codeOf(client.query('SELECT length($1::jsonb::text)', [nested]))).toBe('54001');
      expect(await codeOf(client.query(`SELECT ${'1+'.repeat(50_000)}1`))).toBe('54001');
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });

  it('refuses COPY FROM STDIN, in a transaction too, and stays usable', async () => {
    await withClients(db, 1, async (client) => {
      expect(await codeOf(client.query('COPY t FROM STDIN'))).toBe('0A000');
      await client.query('BEGIN');
      expect(await codeOf(client.query({ text: 'copy t from stdin', values: [] }))).toBe('0A000');
      expect(await codeOf(client.query('SELECT 1'))).toBe('25P02');
      await client.query('ROLLBACK');
      expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });
});
