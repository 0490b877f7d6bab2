import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it } from '@jest/globals';
import { newSecret } from '../../src/api-keys/api-key-secret.js';
import { SPEC_VERSION } from '../../src/core/index.js';
import { EnvironmentRevisions } from '../../src/environments/environment-revisions.js';
import { RulesetText } from '../../src/evaluation/ruleset-text.js';
import { SnapshotArchive, WRITTEN } from '../../src/evaluation/snapshot-archive.js';
import { SnapshotsService } from '../../src/evaluation/snapshots.service.js';
import { SnapshotFiles, type StoredSnapshot } from '../../src/evaluation/snapshot-file.js';
import { STREAM_PATH, StreamAddresses } from '../../src/ofrep/stream-addresses.js';
import { Cache } from '../../src/platform/cache/cache.js';
import { cacheKey } from '../../src/platform/cache/cache-key.js';
import { openDatabaseSource } from '../../src/platform/database/database-source.js';
import { SCHEMA } from '../../src/schema.js';
import { Api, eventually, type Json } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase, POSTGRES_URL } from '../support/database.js';
import { describeWithRedis, RedisServer } from '../support/redis-server.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vexil-snapshots-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fail = (error: Error): never => {
  throw error;
};

/** An instance whose Postgres is at a port where nobody listens. */
async function startWithoutDatabase(env: Record<string, string> = {}): Promise<TestApp> {
  const settings = {
    DATABASE_URL: 'postgres://vexil@127.0.0.1:1/vexil',
    REDIS_URL: '',
    DATA_DIR: folder,
    ...env,
  };
  const config = testConfig(settings);
  return startApp({}, { config, database: await openDatabaseSource(config, SCHEMA, fail) });
}

let left: Promise<string> | undefined;
const keptFolder = mkdtempSync(join(tmpdir(), 'vexil-snapshots-'));
afterAll(() => rmSync(keptFolder, { recursive: true, force: true }));

/** Puts two generations of a snapshot of `development` into `folder`. @returns its file */
async function leaveSnapshots(): Promise<string> {
  left ??= makeSnapshots(keptFolder);
  const file = await left;
  cpSync(keptFolder, folder, { recursive: true });
  return file.replace(keptFolder, folder);
}

async function makeSnapshots(dataDir: string): Promise<string> {
  const vexil = await startApp({ REDIS_URL: '', DATA_DIR: dataDir });
  try {
    const api = new Api(vexil);
    const place = join(dataDir, 'snapshots');
    const written = () => (existsSync(place) ? readdirSync(place).length : 0);
    await api.newFlag({ key: 'kept', is_enabled: true });
    await eventually(() => written() >= 3);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await api.change('kept', { rollout_percentage: 25 });
    await eventually(() => written() >= 4);
    const { environment_id } = await api.flag('kept');
    return join(place, `${environment_id as string}.json`);
  } finally {
    await vexil.close();
  }
}

const kept = async (vexil: TestApp): Promise<Json> => new Api(vexil, 'nobody').evaluate('kept', 'alice');
const FIRST = { enabled: true, revision: 1, flag_version: 1, reason: 'Boolean flag is enabled' };
const SECOND = { revision: 2, flag_version: 2, reason_code: 'SPLIT' };

it('goes on evaluating while the database is closed', async () => {
  const config = testConfig();
  const database = await migratedDatabase(config);
  const vexil = await startApp({}, { database });
  try {
    const api = new Api(vexil);
    await api.newFlag({ key: 'kept', is_enabled: true });
    const before = await kept(vexil);
    await database.close();
    for (let round = 0; round < 50; round += 1) expect(await kept(vexil)).toEqual(before);
    const many = await api.as('nobody').post('/evaluate', { environment_key: 'development' });
    expect([many.status, many.body.flags.length]).toEqual([200, 1]);
    const ready = await api.as('nobody').get('/health/ready');
    expect([ready.status, ready.body.degraded]).toEqual([200, expect.arrayContaining(['database'])]);
    // Closing a test's own Postgres drops it, which no outage does; test/chaos has those.
    if (POSTGRES_URL !== undefined) return;
    const refused = await api.put('/flags/kept?environment_key=development', { is_enabled: false });
    expect([refused.status, refused.headers['retry-after'], refused.headers['content-type']]).toEqual([
      503,
      expect.stringMatching(/^\d+$/),
      expect.stringContaining('problem+json'),
    ]);
  } finally {
    await vexil.close();
  }
});

describeWithRedis('given a Redis of its own', () => {
  it('goes on evaluating while Redis is killed or frozen, and starts from it when the database is away', async () => {
    const redis = await RedisServer.running();
    try {
      const vexil = await startApp({ REDIS_URL: redis.url });
      const api = new Api(vexil);
      await api.newFlag({ key: 'kept', is_enabled: true });
      const before = await kept(vexil);

      const restored = await startWithoutDatabase({ REDIS_URL: redis.url });
      await eventually(async () => (await kept(restored))['enabled'] === true);
      expect(await kept(restored)).toEqual(before);
      expect((await new Api(restored, 'nobody').get('/health/ready')).body.environments[0].source).toBe(
        'redis',
      );
      await restored.close();

      redis.freeze();
      const start = Date.now();
      for (let round = 0; round < 50; round += 1) expect(await kept(vexil)).toEqual(before);
      expect(Date.now() - start).toBeLessThan(2_000);
      await api.change('kept', { rollout_percentage: 50 });
      expect(await kept(vexil)).toMatchObject({ flag_version: 2 });
      redis.thaw();
      await redis.kill();
      for (let round = 0; round < 50; round += 1)
        expect(await kept(vexil)).toMatchObject({ flag_version: 2 });
      await vexil.close();
    } finally {
      redis.thaw();
      await redis.close();
    }
  });

  it('takes nothing from it that belongs to another history of the same revision', async () => {
    const redis = await RedisServer.running();
    const vexil = await startApp({ REDIS_URL: redis.url });
    try {
      await new Api(vexil).newFlag({ key: 'kept' });
      const archive = vexil.app.get(SnapshotArchive);
      const [now] = (await vexil.app.get(EnvironmentRevisions).current()).filter(
        ({ key }) => key === 'development',
      );
      await eventually(async () => (await archive.shared(now!)) !== undefined);
      // As after a backup was put back, and changed as often again.
      const other = { ...now!, stamp: '7b0c8a52-0000-4000-8000-000000000000' };
      expect(await archive.shared(other)).toBeUndefined();
    } finally {
      await vexil.close();
      await redis.close();
    }
  });

  it('fills it again after it was emptied', async () => {
    const redis = await RedisServer.running();
    const vexil = await startApp({ REDIS_URL: redis.url });
    try {
      const archive = vexil.app.get(SnapshotArchive);
      await new Api(vexil).newFlag({ key: 'kept' });
      const [then] = await vexil.app.get(EnvironmentRevisions).current();
      // Once what is put there a moment later is.
      await eventually(async () => (await archive.shared(then!)) !== undefined);
      await eventually(async () => !(await archive.needsSharing()));
      await vexil.app.get(Cache).deleteByPrefix(cacheKey());
      expect(await archive.needsSharing()).toBe(true);
      await vexil.app.get(SnapshotsService).shareAgain();
      expect(await archive.needsSharing()).toBe(false);
      const [now] = await vexil.app.get(EnvironmentRevisions).current();
      expect(await archive.shared(now!)).toMatchObject({ environmentId: now!.id });
    } finally {
      await vexil.close();
      await redis.close();
    }
  });

  it('reads from the database what it cannot read there', async () => {
    const redis = await RedisServer.running();
    const vexil = await startApp({ REDIS_URL: redis.url });
    try {
      const api = new Api(vexil);
      await api.newFlag({ key: 'kept', is_enabled: true });
      await vexil.query(`UPDATE environments SET revision = 77 WHERE key = 'development'`);
      const [now] = (await vexil.app.get(EnvironmentRevisions).current()).filter(
        ({ key }) => key === 'development',
      );
      const { id, revision, stamp } = now!;
      const ruleset = { environment_key: 'development', revision, flags: 'all' };
      const bad = { environmentId: id, stamp, savedAt: new Date().toISOString(), ruleset };
      await vexil.app.get(Cache).set(cacheKey('snapshot', WRITTEN, id, revision, stamp), bad, 60);
      await eventually(async () => (await kept(vexil))['revision'] === 77);
      expect(await kept(vexil)).toMatchObject({ enabled: true });
    } finally {
      await vexil.close();
      await redis.close();
    }
  });

  it('does not bring an environment back that was deleted', async () => {
    const redis = await RedisServer.running();
    try {
      const vexil = await startApp({ REDIS_URL: redis.url });
      const api = new Api(vexil);
      await api.newFlag({ key: 'still' });
      await api.post('/environments', { key: 'gone', name: 'Gone' });
      await api.newFlag({ key: 'kept', environment_key: 'gone', is_enabled: true });
      await api.delete('/environments/gone?force=true');
      // A busy Redis may miss one word of it, and hears the next.
      await eventually(async () => {
        await api.change('still', { description: String(Math.random()) });
        const list = await vexil.app.get(Cache).get<{ key: string }[]>(cacheKey('snapshots', WRITTEN));
        return list !== undefined && !list.some(({ key }) => key === 'gone');
      });
      const restored = await startWithoutDatabase({ REDIS_URL: redis.url });
      const nobody = new Api(restored, 'nobody');
      await eventually(async () => (await nobody.get('/health/ready')).status === 200);
      // Whether it exists only the database knows.
      expect(await nobody.evaluate('kept', 'a', 'gone')).toMatchObject({ code: 'not_ready' });
      await restored.close();
      await vexil.close();
    } finally {
      await redis.close();
    }
  });
});

it('is not ready without any snapshot, says so, and asks to be tried again', async () => {
  const vexil = await startWithoutDatabase();
  try {
    const nobody = new Api(vexil, 'nobody');
    for (const answer of [
      await nobody.get('/evaluate/kept?environment_key=development'),
      await nobody.post('/evaluate/kept', { environment_key: 'development' }),
      await nobody.post('/evaluate', { environment_key: 'development' }),
    ]) {
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
        503,
        'not_ready',
        expect.any(String),
      ]);
    }
    const ready = await nobody.get('/health/ready');
    expect([ready.status, ready.body.ready, ready.body.status]).toEqual([503, false, 'unavailable']);
    expect((await nobody.get('/health/live')).status).toBe(200);
  } finally {
    await vexil.close();
  }
});

it('tells pages, too, that no key is known yet: only of what a client key is for', async () => {
  const vexil = await startWithoutDatabase();
  const Origin = 'https://shop.example';
  const read = ({ status, headers }: { status: number; headers: Record<string, string> }) => [
    status,
    headers['access-control-allow-origin'],
    headers['retry-after'],
  ];
  const withSecret = (kind: 'client' | 'server') => ({ Origin, 'X-API-Key': newSecret(kind).secret });
  const [one, all] = ['/evaluate/kept?environment_key=development', '/ofrep/v1/evaluate/flags'];
  try {
    expect(read(await vexil.http.get(one).set(withSecret('client')))).toEqual([503, Origin, '2']);
    const body = { context: { targetingKey: 'a' } };
    const bulk = await vexil.http.post(all).set(withSecret('client')).send(body);
    expect(read(bulk)).toEqual([503, Origin, '2']);
    expect(bulk.headers['access-control-expose-headers']).toContain('Retry-After');
    const token = vexil.app
      .get(StreamAddresses, { strict: false })
      .tokenFor('7b0c8a52-0000-4000-8000-000000000000');
    const stream = await vexil.http.get(`${STREAM_PATH}?token=${token}`).set({ Origin });
    expect(read(stream)).toEqual([503, Origin, '2']);
    for (const [path, method] of [
      [one, 'GET'],
      [all, 'POST'],
    ] as const) {
      const preflight = await vexil.http
        .options(path)
        .set({ Origin, 'Access-Control-Request-Method': method });
      expect(read(preflight)).toEqual([204, Origin, undefined]);
    }
    // Of nothing else, and to nobody else.
    const forged = `${STREAM_PATH}?token=${token.slice(0, -2)}AA`;
    for (const answer of [
      await vexil.http.get(one).set(withSecret('server')),
      await vexil.http.get(one).set({ Origin }),
      await vexil.http.get(one).set({ Origin, 'X-API-Key': 'x' }),
      await vexil.http.get('/flags').set(withSecret('client')),
      await vexil.http.options('/flags').set({ Origin, 'Access-Control-Request-Method': 'GET' }),
      await vexil.http.get(forged).set({ Origin }),
    ])
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  } finally {
    await vexil.close();
  }
});

it('starts without a database from the last snapshot on disk, and marks it stale', async () => {
  await leaveSnapshots();
  const vexil = await startWithoutDatabase();
  try {
    expect(await kept(vexil)).toMatchObject(SECOND);
    const ready = await new Api(vexil, 'nobody').get('/health/ready');
    expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
    expect(ready.body.degraded).toEqual(expect.arrayContaining(['database', 'snapshots']));
    expect(ready.body.environments).toContainEqual({
      key: 'development',
      revision: 2,
      source: 'disk',
      stale: true,
      age_seconds: expect.any(Number),
    });
  } finally {
    await vexil.close();
  }
});

it.each<[string, (file: string) => void, Json]>([
  ['cut short', (file) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10)), FIRST],
  ['empty', (file) => writeFileSync(file, ''), FIRST],
  [
    'altered',
    (file) =>
      writeFileSync(file, readFileSync(file, 'utf8').replace('"is_enabled":true', '"is_enabled":false')),
    FIRST,
  ],
  ['missing', (file) => rmSync(file), FIRST],
  [
    'a folder',
    (file) => {
      rmSync(file);
      mkdirSync(file);
    },
    FIRST,
  ],
  ['accompanied by a half-written one', (file) => writeFileSync(`${file}.tmp`, 'half'), SECOND],
  ['alone', (file) => rmSync(`${file}.previous`), SECOND],
])('starts from a whole snapshot when the last file is %s', async (_, damage, expected) => {
  damage(await leaveSnapshots());
  const vexil = await startWithoutDatabase();
  try {
    expect(await kept(vexil)).toMatchObject(expected);
  } finally {
    await vexil.close();
  }
});

it('takes no snapshot rather than a damaged one', async () => {
  const file = await leaveSnapshots();
  for (const name of [file, `${file}.previous`])
    writeFileSync(name, readFileSync(name, 'utf8').replace('"kept"', '"keep"'));
  const vexil = await startWithoutDatabase();
  try {
    // Its only file is damaged, and whether it exists only the database knows.
    expect(await kept(vexil)).toMatchObject({ status: 503, code: 'not_ready' });
    expect(await new Api(vexil, 'nobody').evaluate('x', 'a', 'staging')).toMatchObject({
      error_code: 'FLAG_NOT_FOUND',
    });
  } finally {
    await vexil.close();
  }
});

it('keeps two generations, and removes both with the environment', async () => {
  const files = new SnapshotFiles(folder, () => true);
  const environmentId = '7b0c8a52-0000-4000-8000-000000000000';
  const at = (revision: number): StoredSnapshot => ({
    environmentId,
    stamp: `stamp-${revision}`,
    savedAt: new Date(revision).toISOString(),
    ruleset: { spec_version: SPEC_VERSION, environment_key: 'e', revision, flags: [], segments: [] },
  });
  for (const revision of [1, 2, 3]) {
    const { ruleset, savedAt, ...named } = at(revision);
    await files.write({ ...named, ruleset: RulesetText.of(ruleset) }, new Date(savedAt));
  }
  expect(readdirSync(folder).sort()).toEqual([`${environmentId}.json`, `${environmentId}.json.previous`]);
  expect(await files.readAll()).toEqual({ snapshots: [at(3)], refused: [] });
  writeFileSync(join(folder, `${environmentId}.json`), 'x');
  expect(await files.readAll()).toEqual({
    snapshots: [at(2)],
    refused: [join(folder, `${environmentId}.json`)],
  });
  writeFileSync(join(folder, 'notes.txt'), 'x');
  await files.remove(environmentId);
  expect(await files.readAll()).toEqual({ snapshots: [], refused: [] });
});
