import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Metrics } from '../../src/platform/metrics/metrics.js';
import type { DatabaseSource } from '../../src/platform/database/database-source.js';
import { UsageAggregator } from '../../src/usage/usage-aggregator.js';
import { UsageRepository } from '../../src/usage/usage.repository.js';
import { Api, eventually, flagPath, PATIENT, type Json } from '../support/api.js';
import { startApp, testConfig, type TestApp } from '../support/app.js';
import { migratedDatabase } from '../support/database.js';

let database: DatabaseSource;
let [one, two]: TestApp[] = [];
let [here, there]: Api[] = [];
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

beforeAll(async () => {
  database = await migratedDatabase(testConfig(PATIENT));
  one = await startApp(PATIENT, { database });
  two = await startApp(PATIENT, { database, config: one.config });
  [here, there] = [new Api(one), new Api(two)];
  // From here on only when a test says so: as after the last turn.
  for (const vexil of [one, two]) await aggregatorOf(vexil).beforeApplicationShutdown();
});
afterAll(async () => {
  await one?.close();
  await two?.close();
  await database.close();
});

const aggregatorOf = (vexil: TestApp): UsageAggregator => vexil.app.get(UsageAggregator, { strict: false });
const flush = async (now?: number): Promise<void> => {
  for (const vexil of [one!, two!]) await aggregatorOf(vexil).flush(now);
};

const usage = async (key: string, period = 'hour', environment = 'development'): Promise<Json> => {
  const { status, body } = await here!.get(
    `/flags/${key}/usage?environment_key=${environment}&period=${period}`,
  );
  expect(status).toBe(200);
  return body as Json;
};
const totals = async (key: string, period?: string): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    ((await usage(key, period))['series'] as Json[]).map(({ variant, total }) => [String(variant), total]),
  );

/** Both instances serve a new flag. */
async function newFlag(body: Json): Promise<void> {
  await here!.newFlag(body);
  const key = String(body['key']);
  // Ends what this asking itself counts.
  await eventually(async () => (await there!.evaluate(key, 'nobody'))['error_code'] !== 'FLAG_NOT_FOUND');
  await flush();
  await one!.query('DELETE FROM usage_counts');
}

/** Writes counts as an instance does, at a moment of our choosing. */
const write = (flagKey: string, at: number, count: number, variant: string | null = 'on'): Promise<void> =>
  one!.app.get(UsageRepository, { strict: false }).add([
    {
      environmentKey: 'development',
      flagKey,
      variant,
      count,
      minuteAt: Math.floor(at / MINUTE) * MINUTE,
    },
  ]);

describe('how often a flag was evaluated', () => {
  it('is what all instances answered, by variant, in every way to ask', async () => {
    await newFlag({ key: 'counted', is_enabled: true, targets: [{ variant: 'off', keys: ['mallory'] }] });
    const key = async (kind: string): Promise<string> => {
      const made = await here!.post('/auth/api-keys', {
        name: 'Usage',
        kind,
        environment_key: 'development',
      });
      return String(made.body.secret);
    };
    const secret = { 'X-API-Key': await key('server') };
    const nobody = [here!.as('nobody'), there!.as('nobody')];
    await eventually(
      async () =>
        (await nobody[1]!.post('/ofrep/v1/evaluate/flags/nothing', { context: {} }, secret)).status === 404,
    );
    for (const api of nobody) {
      await api.get('/evaluate/counted?environment_key=development&user_id=alice');
      await api.get('/evaluate/counted?environment_key=development&user_id=mallory');
      await api.post('/evaluate/counted', {
        environment_key: 'development',
        context: { user_id: 'alice' },
      });
      await api.post('/evaluate', {
        environment_key: 'development',
        flag_keys: ['counted', 'unheard-of'],
        context: {},
      });
      await api.post('/ofrep/v1/evaluate/flags/counted', { context: { targetingKey: 'mallory' } }, secret);
      await api.post('/ofrep/v1/evaluate/flags', { context: { targetingKey: 'mallory' } }, secret);
    }
    await flush();
    expect(await totals('counted')).toEqual({ on: 6, off: 6 });
    expect(await totals('counted', 'day')).toEqual({ on: 6, off: 6 });
    expect(await usage('counted', 'hour', 'staging').catch(() => 'absent')).toBe('absent');
    const rows = await one!.query('SELECT DISTINCT flag_id FROM usage_counts');
    expect(rows).toHaveLength(1);
  });

  it('is seen without waiting for the next turn, by whoever reads a little later', async () => {
    await newFlag({ key: 'soon' });
    await here!.evaluate('soon', 'alice');
    await eventually(async () => (await usage('soon'))['total'] === 1);
    expect(await totals('soon')).toEqual({ on: 0, off: 1 });
  });

  it('stands in the minute and in the hour in which it was counted', async () => {
    await newFlag({ key: 'edges' });
    const now = Date.now();
    const hour = Math.floor(now / HOUR) * HOUR;
    await write('edges', hour - 1, 1);
    await write('edges', hour, 10);
    await write('edges', now - 59 * MINUTE, 100);
    await write('edges', now - 61 * MINUTE, 1_000);
    await write('edges', now - 23 * HOUR, 10_000);
    await write('edges', now - 24 * HOUR, 100_000);
    const [minutes, hours] = [await usage('edges', 'hour'), await usage('edges', 'day')];
    const inBuckets = (shown: Json): Map<number, number> => {
      const [on] = shown['series'] as { counts: number[] }[];
      return new Map(
        (shown['starts_at'] as string[]).map((start, index) => [Date.parse(start), on?.counts[index] ?? -1]),
      );
    };
    expect(
      [...inBuckets(minutes).keys()].map((at, index, all) => at - (all[index - 1] ?? at - MINUTE)),
    ).toEqual(Array.from({ length: 60 }, () => MINUTE));
    const byHour = inBuckets(hours);
    expect(byHour.size).toBe(24);
    const sumAt = (at: number): number =>
      [
        [hour - 1, 1],
        [hour, 10],
        [now - 59 * MINUTE, 100],
        [now - 61 * MINUTE, 1_000],
        [now - 23 * HOUR, 10_000],
      ].reduce(
        (sum, [when, count]) => (Math.floor((when ?? 0) / HOUR) * HOUR === at ? sum + (count ?? 0) : sum),
        0,
      );
    for (const [at, count] of byHour) expect([at, count]).toEqual([at, sumAt(at)]);
    // What is older than the period is in none of its buckets.
    expect(hours['total']).toBe(11_111);
    expect((minutes['total'] as number) % 1_000).toBeLessThanOrEqual(111);
    expect(minutes['total']).toBeLessThan(1_000);
  });

  it('names variants in their order, then those that are gone, then the default of the caller', async () => {
    await newFlag({
      key: 'named',
      value_type: 'string',
      variants: [
        { key: 'b', value: 'b' },
        { key: 'a', value: 'a' },
      ],
      default_serve: { variant: 'a' },
    });
    await write('named', Date.now(), 3, null);
    await write('named', Date.now(), 2, 'gone');
    await write('named', Date.now(), 1, 'a');
    const { series } = await usage('named');
    expect((series as Json[]).map(({ variant, total }) => [variant, total])).toEqual([
      ['b', 0],
      ['a', 1],
      ['gone', 2],
      [null, 3],
    ]);
  });

  it('is told of many flags at once', async () => {
    await newFlag({ key: 'many-a' });
    await newFlag({ key: 'many-b' });
    await write('many-b', Date.now(), 4, 'on');
    await write('many-b', Date.now(), 5, 'off');
    await write('many-b', Date.now() - 2 * HOUR, 6, 'off');
    const { status, body } = await here!
      .as('viewer')
      .get('/usage?environment_key=development&key=many-b&key=many-a&key=unheard-of');
    expect(status).toBe(200);
    expect(body).toMatchObject({ environment_key: 'development', period: 'day', bucket_seconds: 3600 });
    const flags = body.flags as { flag_key: string; total: number; counts: number[] }[];
    expect(flags.map(({ flag_key, total }) => [flag_key, total])).toEqual([
      ['many-a', 0],
      ['many-b', 15],
    ]);
    expect(flags[1]?.counts.at(-1)).toBe(9);
    expect(flags[1]?.counts.at(-3)).toBe(6);
  });

  it.each([
    ['/flags/unheard-of/usage?environment_key=development', 404, 'flag_not_found'],
    ['/flags/edges/usage?environment_key=nowhere', 404, 'environment_not_found'],
    ['/flags/edges/usage', 422, 'validation_failed'],
    ['/flags/edges/usage?environment_key=development&period=week', 422, 'validation_failed'],
    ['/usage?environment_key=nowhere&key=edges', 404, 'environment_not_found'],
    ['/usage?environment_key=development', 422, 'validation_failed'],
  ])('GET %s: %d %s', async (path, status, code) => {
    const answer = await here!.get(path);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });
});

describe('the counts', () => {
  it('go with their flag, from the database and from the figures, and begin anew with a new one', async () => {
    await newFlag({ key: 'brief' });
    const figures = async (): Promise<boolean> =>
      (await one!.app.get(Metrics).print()).text.includes('flag="brief"');
    await here!.evaluate('brief', 'alice');
    await flush();
    expect(await totals('brief')).toEqual({ on: 0, off: 1 });
    expect(await figures()).toBe(true);
    await here!.evaluate('brief', 'alice');
    await here!.delete(flagPath('brief'));
    await flush();
    expect(
      await one!.query("SELECT 1 FROM usage_counts u JOIN flags f ON f.id = u.flag_id WHERE f.key = 'brief'"),
    ).toEqual([]);
    expect(await figures()).toBe(false);
    await here!.newFlag({ key: 'brief' });
    await here!.evaluate('brief', 'alice');
    await flush();
    expect(await totals('brief')).toEqual({ on: 0, off: 1 });
  });

  it('go with their environment', async () => {
    await here!.post('/environments', { key: 'passing', name: 'Passing' });
    await here!.newFlag({ key: 'there', environment_key: 'passing' });
    await eventually(async () => (await here!.evaluate('there', 'a', 'passing'))['variant'] === 'off');
    await flush();
    const [{ id } = { id: '' }] = await one!.query<{ id: string }>(
      "SELECT id FROM environments WHERE key = 'passing'",
    );
    const left = (): Promise<unknown[]> =>
      one!.query('SELECT 1 FROM usage_counts WHERE environment_id = $1', [id]);
    expect(await left()).not.toEqual([]);
    await here!.delete('/environments/passing?force=true');
    await flush();
    expect(await left()).toEqual([]);
  });

  it('are deleted when they are old, some at a time', async () => {
    await newFlag({ key: 'aged' });
    const now = Date.now();
    const repository = one!.app.get(UsageRepository, { strict: false });
    for (const age of [0, 1 * HOUR, 3 * HOUR, 5 * HOUR, 29 * DAY, 31 * DAY])
      await write('aged', now - age, 1);
    const kept = async (): Promise<string[]> =>
      (
        await one!.query<{ bucket: string; hours: number }>(
          `SELECT bucket, round(extract(epoch FROM $1::timestamptz - starts_at) / 3600)::integer AS hours FROM usage_counts ORDER BY 1, 2`,
          [new Date(now)],
        )
      ).map(({ bucket, hours }) => `${bucket} ${hours < 24 ? 'today' : `${Math.round(hours / 24)} days`}`);
    expect(await kept()).toHaveLength(12);
    expect(await repository.deleteOld('minute', new Date(now - 2 * HOUR), 1)).toBe(1);
    expect(await repository.deleteOld('minute', new Date(now - 2 * HOUR), 5_000)).toBe(3);
    expect(await repository.deleteOld('minute', new Date(now - 2 * HOUR), 5_000)).toBe(0);
    expect(await repository.deleteOld('hour', new Date(now - 30 * DAY), 5_000)).toBe(1);
    const today = (bucket: string, count: number) => Array.from({ length: count }, () => `${bucket} today`);
    expect(await kept()).toEqual([...today('hour', 4), 'hour 29 days', ...today('minute', 2)]);
  });

  it('of many flags are written in several batches, by two instances at once', async () => {
    const keys = Array.from({ length: 620 }, (_, index) => `bulk-${index}`);
    await one!.query(
      `INSERT INTO flags (id, key, name, value_type, variants)
       SELECT gen_random_uuid(), k, k, 'boolean', '[{"key":"on","value":true},{"key":"off","value":false}]' FROM unnest($1::text[]) k`,
      [keys],
    );
    await one!.query(
      `INSERT INTO flag_settings (flag_id, environment_id, off_variant, default_serve)
       SELECT f.id, e.id, 'off', '{"variant":"on"}' FROM flags f, environments e WHERE f.key = ANY($1) AND e.key = 'development'`,
      [keys],
    );
    await here!.newFlag({ key: 'bulk-trigger' });
    await eventually(
      async () => (await there!.evaluate('bulk-trigger', 'a'))['error_code'] !== 'FLAG_NOT_FOUND',
    );
    await flush();
    await one!.query('DELETE FROM usage_counts');
    for (const api of [here!, there!])
      await api.post('/evaluate', { environment_key: 'development', context: {} });
    await Promise.all([aggregatorOf(one!).flush(), aggregatorOf(two!).flush()]);
    const rows = await one!.query<{ bucket: string; flags: number; evaluations: number }>(
      `SELECT bucket, count(DISTINCT flag_id)::integer AS flags, sum(count)::integer AS evaluations
       FROM usage_counts WHERE flag_id IN (SELECT id FROM flags WHERE key = ANY($1)) GROUP BY 1 ORDER BY 1`,
      [keys],
    );
    expect(rows).toEqual([
      { bucket: 'hour', flags: 620, evaluations: 1_240 },
      { bucket: 'minute', flags: 620, evaluations: 1_240 },
    ]);
  });
});

describe('given a database that is away', () => {
  it('the counts wait, keep their minutes, and are written when it is back, once', async () => {
    await newFlag({ key: 'patient' });
    const aggregator = aggregatorOf(one!);
    await one!.query('ALTER TABLE usage_counts RENAME TO usage_counts_away');
    const start = Math.floor(Date.now() / MINUTE) * MINUTE;
    // Counted between a look at one minute and at the next; the last one is the present.
    await aggregator.flush(start - 2 * MINUTE).catch(() => undefined);
    for (const minute of [-1, 0]) {
      await here!.evaluate('patient', 'alice');
      await expect(aggregator.flush(start + minute * MINUTE)).rejects.toThrow();
    }
    expect(await here!.evaluate('patient', 'alice')).toMatchObject({ variant: 'off' });
    await one!.query('ALTER TABLE usage_counts_away RENAME TO usage_counts');
    await aggregator.flush(start);
    await aggregator.flush(start);
    const rows = await one!.query<{ at: Date; count: string }>(
      `SELECT starts_at AS at, count FROM usage_counts WHERE bucket = 'minute' ORDER BY 1`,
    );
    expect(rows.map(({ at, count }) => [(at.getTime() - start) / MINUTE, Number(count)])).toEqual([
      [-2, 1],
      [-1, 1],
      [0, 1],
    ]);
  });

  it('a stop writes what was answered last', async () => {
    await newFlag({ key: 'last' });
    const brief = await startApp(PATIENT, { database });
    await new Api(brief).evaluate('last', 'alice');
    await brief.close();
    expect(await totals('last')).toMatchObject({ off: 1 });
  });
});
