import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openDatabaseSource } from '../../src/platform/database/database-source.js';
import {
  NotificationReceived,
  Notifications,
  NotificationsResumed,
} from '../../src/platform/database/notifications.js';
import { CHANNEL } from '../../src/platform/database/tx.js';
import { EventBus } from '../../src/platform/events/event-bus.js';
import { SCHEMA } from '../../src/schema.js';
import { eventually } from '../support/api.js';
import { testConfig } from '../support/app.js';
import { describeWithPostgres, PostgresServer } from '../support/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const fail = (error: Error): never => {
  throw error;
};

describeWithPostgres('listening over a network that forgets its connections', () => {
  let postgres: PostgresServer;
  let network: TcpProxy;
  beforeAll(async () => {
    postgres = await PostgresServer.running();
    network = await TcpProxy.to(postgres.port);
  }, 120_000);
  afterAll(async () => {
    network.close();
    await postgres.close();
  });

  it('finds out that nothing can reach it any more, listens anew, and says that something may have been missed', async () => {
    const config = testConfig({ DATABASE_URL: network.through(postgres.url) });
    const events = new EventBus();
    const heard: unknown[] = [];
    let resumed = 0;
    events.on(NotificationReceived, ({ topic }) => void heard.push(topic));
    events.on(NotificationsResumed, () => void (resumed += 1));
    const source = await openDatabaseSource(config, SCHEMA, fail);
    const listening = new Notifications(source, events);
    const say = (topic: string) =>
      postgres.query(`NOTIFY ${CHANNEL}, '${JSON.stringify({ topic })}'`, 'vexil');
    try {
      await listening.start();
      await say('before');
      await eventually(() => heard.includes('before'));

      network.break('black hole');
      network.heal('forgotten');
      await say('meanwhile');
      await eventually(() => resumed === 2, 60_000);
      await say('after');
      await eventually(() => heard.includes('after'));
      expect(heard).toEqual(['before', 'after']);
    } finally {
      await listening.onApplicationShutdown();
      config.removeData();
    }
  });
});
