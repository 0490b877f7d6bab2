import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { EventBus } from '../events/event-bus.js';
import { Repeating } from '../events/repeating.js';
import { DATABASE_SOURCE, type DatabaseSource } from './database-source.js';
import { CHANNEL } from './tx.js';

/** How long a goodbye may take. */
const CLOSE_PATIENCE_MS = 500;
const FIRST_RETRY_MS = 250;
/** Whoever was cut off is to be up to date 5 s after that is over. */
const MAX_RETRY_MS = 2_000;
/** Who only listens never finds out that nobody can speak to it: TCP would take hours. */
const HEARTBEAT_MS = 2_000;

/** Something moved on in the database, perhaps by another instance. A hint, not the truth. */
export class NotificationReceived {
  constructor(
    readonly topic: string,
    readonly detail: Readonly<Record<string, unknown>>,
  ) {}
}

/** Listening has begun, or begun again: whatever was said meanwhile was missed, so compare revisions. */
export class NotificationsResumed {}

/** Listens to the other instances on one connection of its own, and comes back by itself when that breaks. */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private client: pg.Client | undefined;
  private retry: NodeJS.Timeout | undefined;
  private delayMs = FIRST_RETRY_MS;
  private isListening = false;
  private isClosed = false;
  private readonly heartbeat: Repeating | undefined;

  constructor(
    @Inject(DATABASE_SOURCE) private readonly source: DatabaseSource,
    private readonly events: EventBus,
  ) {
    // There is no network before the embedded database.
    if (source.kind === 'postgres') this.heartbeat = new Repeating(HEARTBEAT_MS, () => this.askForLife());
  }

  /** Begins to listen. Never fails: trouble is retried. */
  async start(): Promise<void> {
    if (this.isClosed || this.client) return;
    const client = new pg.Client(this.source.clientConfig());
    this.client = client;
    client.on('notification', ({ payload }) => this.receive(payload ?? ''));
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      this.delayMs = FIRST_RETRY_MS;
      this.isListening = true;
      await this.events.publish(new NotificationsResumed());
    } catch (error) {
      this.logger.debug('Listening failed', error);
      this.lost(client);
    }
  }

  private async askForLife(): Promise<void> {
    const { client } = this;
    if (!client || !this.isListening) return;
    await client.query('SELECT 1').catch(() => this.lost(client));
  }

  private receive(payload: string): void {
    try {
      const { topic, ...detail } = JSON.parse(payload) as { topic: string };
      void this.events.publish(new NotificationReceived(topic, detail));
    } catch {
      this.logger.warn('A notification could not be read and was passed over.');
    }
  }

  private lost(client: pg.Client): void {
    if (this.client !== client) return;
    this.client = undefined;
    this.isListening = false;
    client.removeAllListeners();
    client.on('error', () => undefined);
    void client.end().catch(() => undefined);
    if (this.isClosed) return;
    this.retry = setTimeout(() => void this.start(), this.delayMs);
    this.retry.unref();
    this.delayMs = Math.min(this.delayMs * 2, MAX_RETRY_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    this.heartbeat?.stop();
    clearTimeout(this.retry);
    const client = this.client;
    this.client = undefined;
    client?.removeAllListeners();
    client?.on('error', () => undefined);
    // A server that does not answer does not say goodbye either.
    const patience = sleep(CLOSE_PATIENCE_MS, undefined, { ref: false });
    await Promise.race([client?.end().catch(() => undefined), patience]);
  }
}
