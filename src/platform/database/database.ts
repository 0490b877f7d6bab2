import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource, type EntityManager } from 'typeorm';
import { EventBus } from '../events/event-bus.js';
import { DATABASE_SOURCE, type DatabaseSource } from './database-source.js';
import { msLeft, withoutDeadline } from './deadline.js';
import { DatabaseUnavailable, isDatabaseFault, reasonOf } from './faults.js';
import { migrate, pendingMigrations } from './migrator.js';
import { Tx } from './tx.js';

/** The database has become reachable and has the right shape: now, or after having been away at boot. */
export class DatabaseConnected {}

/** The database has not had the steps that this version needs, and this process may not take them. */
export class MigrationsPending extends Error {
  override readonly name = 'MigrationsPending';

  constructor(migrations: readonly string[]) {
    super(
      `the database is older than this version of Vexil: ${migrations.join(', ')} must run first. ` +
        'Run `npm run migrate`, or set MIGRATE_ON_START=true.',
    );
  }
}

const FIRST_RETRY_MS = 500;
/** Whoever was cut off is to be up to date 5 s after that is over. */
const MAX_RETRY_MS = 2_000;

/** How long closing may take before connections are simply dropped. */
const CLOSE_PATIENCE_MS = 1_000;

/**
 * The service's one way to Postgres (or to the embedded database). The service boots and evaluates without it:
 * until it is there, everything here throws `DatabaseUnavailable`.
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  private readonly logger = new Logger(Database.name);
  private dataSource: DataSource | undefined;
  private retry: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    @Inject(DATABASE_SOURCE) private readonly source: DatabaseSource,
    private readonly events: EventBus,
  ) {}

  /**
   * Tries to connect once and, if that fails because the server is away, goes on trying in the background.
   * @throws whatever is wrong beyond being away, such as a refused password or a failing migration
   */
  async start(): Promise<void> {
    try {
      await this.connect();
    } catch (error) {
      if (!isDatabaseFault(error))
        throw new Error(`The database (${this.source.place}) cannot be used: ${reasonOf(error)}`, {
          cause: error,
        });
      this.logger.warn(
        `The database (${this.source.place}) does not answer; serving what is known and trying again.`,
        error,
      );
      this.scheduleRetry(FIRST_RETRY_MS);
    }
  }

  /** Connects now. @throws MigrationsPending, MigrationFailed, and what the driver says of a connection that fails */
  async connect(): Promise<void> {
    // The service's short patience finds out whether anybody is there; the migrations' longer one comes after.
    const dataSource = new DataSource(this.source.options('service'));
    await dataSource.initialize();
    try {
      if (this.source.migrateOnStart) await migrate(this.source);
      const pending = await pendingMigrations(dataSource);
      if (pending.length > 0) throw new MigrationsPending(pending);
    } catch (error) {
      await dataSource.destroy();
      throw error;
    }
    if (this.isClosed) {
      await dataSource.destroy();
      return;
    }
    this.dataSource = dataSource;
    await this.events.publish(new DatabaseConnected());
  }

  private scheduleRetry(delayMs: number): void {
    if (this.isClosed) return;
    this.retry = setTimeout(() => {
      this.connect().then(
        () => this.logger.log('The database answers.'),
        (error: unknown) => {
          if (!isDatabaseFault(error)) this.logger.error('The database cannot be used', error);
          this.scheduleRetry(Math.min(delayMs * 2, MAX_RETRY_MS));
        },
      );
    }, delayMs);
    this.retry.unref();
  }

  get isConnected(): boolean {
    return this.dataSource !== undefined;
  }

  /** For reads outside a transaction. @throws DatabaseUnavailable until there is a connection */
  get manager(): EntityManager {
    if (!this.dataSource) throw new DatabaseUnavailable();
    return this.dataSource.manager;
  }

  /**
   * Runs `work` in one transaction. Events emitted on `tx` are published after the commit, and awaited, so that a
   * writer's own instance serves the change before the writer hears of it; after a rollback nothing is published. Within a
   * deadline nothing is begun that could not get a connection in it, nothing is committed after it, and what was committed is
   * acknowledged by then, whoever has heard of it.
   * @throws DatabaseUnavailable until there is a connection, and when there is no time left; afterwards what `work` and the driver throw, of which
   * `isDatabaseFault` tells whether trying again makes sense
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if ((msLeft() ?? Infinity) < this.source.patience.connectMs) throw new DatabaseUnavailable();
    let committed: Tx | undefined;
    const result = await this.manager.transaction(async (manager) => {
      const tx = new Tx(manager);
      const value = await work(tx);
      committed = tx;
      return value;
    });
    await this.publish(committed?.events ?? []);
    return result;
  }

  private async publish(events: readonly object[]): Promise<void> {
    // Others may wait for the same, and must not depend on the patience of this one.
    const told = withoutDeadline(async () => {
      for (const event of events) await this.events.publish(event);
    });
    const left = msLeft();
    if (left === undefined) return told;
    const enough = new AbortController();
    const patience = sleep(Math.max(0, left), undefined, { ref: false, signal: enough.signal });
    await Promise.race([told, patience.catch(() => undefined)]);
    enough.abort();
  }

  /** Asks the database for a sign of life. */
  async ping(): Promise<void> {
    await this.manager.query('SELECT 1');
  }

  /** Connections of this instance: open, idle, and requests waiting for one. */
  pool(): { total: number; idle: number; waiting: number } {
    const driver = this.dataSource?.driver as
      { master?: { totalCount: number; idleCount: number; waitingCount: number } } | undefined;
    const pool = driver?.master;
    return { total: pool?.totalCount ?? 0, idle: pool?.idleCount ?? 0, waiting: pool?.waitingCount ?? 0 };
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.retry);
    const dataSource = this.dataSource;
    this.dataSource = undefined;
    try {
      // A server that does not answer does not say goodbye either.
      await Promise.race([dataSource?.destroy(), sleep(CLOSE_PATIENCE_MS, undefined, { ref: false })]);
    } catch (error) {
      this.logger.warn('The database could not be closed', error);
    }
    await this.source.close();
  }
}
