import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { eventually } from '../support/api.js';
import { ensureBuilt } from '../support/built-service.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { Service } from '../support/service-process.js';
import { Follower, StreamConnection } from '../support/stream-client.js';

// A machine that is busy with other things must not turn this red.
jest.setTimeout(300_000);

const ANSWER = '/evaluate/written?environment_key=development&user_id=u';

/** The commands of docs/backup.md, in their order. */
const commands = [...readFileSync('docs/backup.md', 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
  ([, command = '']) => command,
);
const [dump = '', restore = '', verify = '', exchange = ''] = commands;

describeWithPostgres('the commands of docs/backup.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vexil-backup-'));
  const closing: (() => unknown)[] = [];
  let postgres: PostgresServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    await ensureBuilt();
    postgres = await PostgresServer.running();
    env = { DATABASE_URL: postgres.url, JWT_SECRET_KEY: 'f81d4fae7dec11d0a76500a0c91e6bf6a3c9d1e2' };
  }, 300_000);
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
    await (postgres as PostgresServer | undefined)?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = async (command: string, more: Record<string, string> = {}): Promise<string> => {
    const options = { cwd: folder, env: { PATH: process.env['PATH'], DATABASE_URL: postgres.url, ...more } };
    return (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], options)).stdout;
  };

  it('says four', () => expect(commands.length).toBe(4));

  it('dump while changes are made and bring everything to that moment, with nobody left in the time that was lost', async () => {
    const service = await Service.running(env);
    closing.push(() => service.close());
    const { client } = service;
    const token = await service.setUp();
    const body = { key: 'written', name: 'Written', environment_key: 'development', is_enabled: true };
    expect((await client.ask('/flags', { method: 'POST', token, body })).status).toBe(201);
    const newKey = async (name: string, at = client) => {
      const key = { name, kind: 'server', environment_key: 'development' };
      const { status, body: made } = await at.ask('/auth/api-keys', { method: 'POST', token, body: key });
      expect(status).toBe(201);
      return made.secret as string;
    };
    const isTaken = async (secret: string, at: string) =>
      (await fetch(`${at}/ruleset?environment_key=development`, { headers: { 'x-api-key': secret } }))
        .status === 200;
    await newKey('of before');

    // Writes go on while it is dumped; each says by its percentage which one it is.
    let [count, isOver] = [0, false];
    const acknowledged = async (): Promise<number> => {
      const change = { rollout_percentage: ((count % 9_000) + 1) / 100 };
      const path = '/flags/written?environment_key=development';
      expect((await client.ask(path, { method: 'PUT', token, body: change })).status).toBe(200);
      count += 1;
      return count;
    };
    const writer = (async () => {
      while (!isOver) await acknowledged();
    })();
    await eventually(() => count >= 20, 60_000);
    const before = count;
    await run(dump);
    isOver = true;
    await writer;

    // The time that will be lost: more changes, a key, and somebody who follows all of it.
    for (let more = 0; more < 10; more += 1) await acknowledged();
    const lostKey = await newKey('of the lost time');
    const follower = new Follower(
      () => client.url,
      () => token,
    );
    closing.push(() => follower.stop());
    const revision = 1 + count;
    await eventually(() => follower.ruleset?.revision === revision, 30_000);
    const activity = await StreamConnection.open(client.url, { token, path: '/activity' });
    closing.push(() => activity.cut());
    await activity.until(1);
    // What an instance that stops now leaves on its disk.
    await eventually(() => diskRevision(service.dataDir) === revision, 30_000);
    const aside = join(folder, 'data');
    cpSync(service.dataDir, aside, { recursive: true });

    await run(restore);
    const restored = postgres.url.replace(/\/vexil$/, '/vexil_restored');
    const other = await Service.running({ ...env, DATABASE_URL: restored });
    closing.push(() => other.close());
    const chain = JSON.parse(await run(verify, { VEXIL: other.client.url, TOKEN: token })) as {
      valid: boolean;
    };
    expect(chain.valid).toBe(true);
    const { body: ruleset } = await other.client.ask('/ruleset?environment_key=development', { token });
    expect(ruleset.revision).toBeGreaterThan(before);
    expect(ruleset.revision).toBeLessThan(revision);
    // As many changes of keys as the lost time had, so that numbers alone say nothing.
    const newestKey = await newKey('of after', other.client);
    for (let more = 0; more < 15; more += 1) {
      const segment = { key: `s${more}`, name: 'S', environment_key: 'staging', included: ['u'] };
      expect((await other.client.ask('/segments', { method: 'POST', token, body: segment })).status).toBe(
        201,
      );
    }
    await other.close();

    // One instance is not stopped: it goes on answering, and follows.
    await run(exchange);
    expect((await client.ask(ANSWER)).status).toBe(200);
    await eventually(() => follower.ruleset?.revision === ruleset.revision, 30_000);
    expect(JSON.stringify(follower.ruleset)).toBe(JSON.stringify(ruleset));
    expect(follower.counts.resync).toBe(1);
    expect(follower.flaws).toEqual([]);
    await eventually(async () => !(await isTaken(lostKey, client.url)), 10_000);
    expect(await isTaken(newestKey, client.url)).toBe(true);
    await eventually(() => activity.events.length >= 3, 30_000);
    expect(activity.names.slice(0, 3)).toEqual(['message', 'resync', 'message']);

    // The numbers of before are counted through again, and belong to other states.
    while (follower.ruleset!.revision < revision) {
      await acknowledged();
      await sleep(5);
      await eventually(() => follower.ruleset!.revision > (ruleset.revision as number), 30_000);
    }
    const { body: truth } = await client.ask('/ruleset?environment_key=development', { token });
    await eventually(() => JSON.stringify(follower.ruleset) === JSON.stringify(truth), 30_000);
    expect(follower.flaws).toEqual([]);
    expect((await client.ask('/audit/verify', { token })).body.valid).toBe(true);

    // An instance that comes back with what it had on disk, first without a database.
    await postgres.kill();
    const late = await Service.prepared(env);
    closing.push(() => late.close());
    cpSync(aside, late.dataDir, { recursive: true });
    await late.start();
    expect((await late.client.ask('/health/ready')).body.environments).toContainEqual(
      expect.objectContaining({ key: 'development', revision, stale: true }),
    );
    await postgres.start();
    await eventually(async () => {
      const served = await late.client.ask('/ruleset?environment_key=development', { token });
      return JSON.stringify(served.body) === JSON.stringify(truth);
    }, 30_000);
  });
});

/** The revision of development that an instance has written to its disk. */
function diskRevision(dataDir: string): number | undefined {
  const snapshots = join(dataDir, 'snapshots');
  for (const name of readdirSync(snapshots).filter((each) => each.endsWith('.json'))) {
    const { ruleset } = JSON.parse(readFileSync(join(snapshots, name), 'utf8').split('\n')[1] ?? '{}') as {
      ruleset?: { environment_key: string; revision: number };
    };
    if (ruleset?.environment_key === 'development') return ruleset.revision;
  }
  return undefined;
}
