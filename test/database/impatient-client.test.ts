import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sourceOf } from '../../src/platform/database/database-source.js';
import { isDatabaseFault } from '../../src/platform/database/faults.js';
import { testConfig } from '../support/app.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';

jest.setTimeout(60_000);

describeWithPostgres('a transaction that is broken off by a frozen Postgres', () => {
  const config = testConfig({ DATABASE_POOL_SIZE: '2' });
  let postgres: PostgresServer;
  let dataSource: DataSource;

  beforeAll(async () => {
    postgres = await PostgresServer.running();
    const source = sourceOf(
      config,
      { entities: [], migrations: [] },
      { kind: 'postgres', place: 'here' },
      { url: postgres.url },
      async () => {},
    );
    dataSource = new DataSource(source.options('service'));
    await dataSource.initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await postgres.close();
    config.removeData();
  });

  it('is not committed by the next one on its connection', async () => {
    await dataSource.query('CREATE TABLE kept (n integer)');
    await dataSource.query('INSERT INTO kept VALUES (0)');
    await dataSource.query('CREATE TABLE later (n integer)');

    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('UPDATE kept SET n = 1');
    postgres.freeze();
    const failure = await runner.query('UPDATE kept SET n = n + 1').catch((error: unknown) => error);
    expect(isDatabaseFault(failure)).toBe(true);
    await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
    postgres.thaw();

    for (let count = 0; count < 3; count += 1)
      await dataSource.transaction(async (manager) => manager.query('INSERT INTO later VALUES (1)'));
    expect(await dataSource.query('SELECT n FROM kept')).toEqual([{ n: 0 }]);
    expect(await dataSource.query('SELECT count(*)::int AS n FROM later')).toEqual([{ n: 3 }]);
  });
});
