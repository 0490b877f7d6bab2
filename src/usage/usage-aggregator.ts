import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { EvaluationMetrics } from '../evaluation/evaluation.metrics.js';
import { withoutDeadline } from '../platform/database/deadline.js';
import { DatabaseUnavailable } from '../platform/database/faults.js';
import { Paced } from '../platform/events/paced.js';
import { PendingUsage } from './pending-usage.js';
import { UsageRepository } from './usage.repository.js';

/** A whole part of a minute: so no interval between two looks belongs to two minutes, or to two hours. */
const EVERY_MS = 10_000;
/** Whoever reads sees what this instance counted up to so long ago, and waits for it no longer than this. */
const FRESH_MS = 2_000;
const REFRESH_MS = 500;
/** Counts in one statement; each is a row for its minute and one for its hour. */
const BATCH = 500;
/** How long a stop waits for the last counts to be written. */
const LAST_WRITE_MS = 2_000;

const MINUTES_KEPT_MS = 2 * 3_600_000;
const HOURS_KEPT_MS = 30 * 24 * 3_600_000;
const TIDY_EVERY_MS = 60_000;
const DELETED_AT_ONCE = 5_000;

/**
 * Takes what this instance has counted every few seconds and adds it to the counts in the database, which are those of all
 * instances. While the database is away it waits in memory. No evaluation waits for any of this, or fails with it.
 */
@Injectable()
export class UsageAggregator implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(UsageAggregator.name);
  private readonly pending = new PendingUsage();
  private timer: NodeJS.Timeout | undefined;
  private readonly writing = new Paced(0, () => this.write());
  private takenAt = Date.now();
  private tidiedAt = 0;
  private isFailing = false;

  constructor(
    private readonly metrics: EvaluationMetrics,
    private readonly usage: UsageRepository,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule();
  }

  private schedule(): void {
    this.timer = setTimeout(
      () => {
        this.schedule();
        void this.turn();
      },
      EVERY_MS - (Date.now() % EVERY_MS),
    );
    this.timer.unref();
  }

  private async turn(): Promise<void> {
    try {
      await this.flush();
      await this.tidy();
      if (this.isFailing) this.logger.log('What was answered is written down again.');
      this.isFailing = false;
    } catch (error) {
      // Nothing waits: at a start the first look may come before the database does, and nobody needs to know.
      if (this.pending.size === 0 && error instanceof DatabaseUnavailable) return;
      if (!this.isFailing) this.logger.warn('What was answered cannot be written down yet; it waits.', error);
      this.isFailing = true;
    }
  }

  /** Writes everything that was counted until now. @throws when the database does not take it; it is kept then */
  async flush(now = Date.now()): Promise<void> {
    // At once, also while an earlier write is under way: what is counted belongs to the minute that ends here.
    this.pending.add(this.takenAt, this.metrics.takeAnswers());
    this.takenAt = now;
    // Others wait for it, too: it must not end with the request that happened to begin it.
    await withoutDeadline(() => this.writing.run());
  }

  /** For whoever reads: writes what was counted here, unless that was just done. What cannot be written is missing. */
  async refresh(): Promise<void> {
    if (Date.now() - this.takenAt < FRESH_MS) return;
    const written = this.flush().catch(() => undefined);
    await Promise.race([written, sleep(REFRESH_MS, undefined, { ref: false })]);
  }

  private async write(): Promise<void> {
    for (let batch = this.pending.take(BATCH); batch.length > 0; batch = this.pending.take(BATCH)) {
      try {
        await this.usage.add(batch);
      } catch (error) {
        this.pending.giveBack(batch);
        throw error;
      }
    }
  }

  /** Deletes what nobody is shown any more: so much at a time, and soon again when there is more. */
  private async tidy(now = Date.now()): Promise<void> {
    if (now - this.tidiedAt < TIDY_EVERY_MS) return;
    const minutes = await this.usage.deleteOld('minute', new Date(now - MINUTES_KEPT_MS), DELETED_AT_ONCE);
    const hours = await this.usage.deleteOld('hour', new Date(now - HOURS_KEPT_MS), DELETED_AT_ONCE);
    if (minutes < DELETED_AT_ONCE && hours < DELETED_AT_ONCE) this.tidiedAt = now;
  }

  /** After the last answers, and before the database is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    const last = this.flush().catch((error: unknown) => {
      this.logger.warn(`${this.pending.size} count(s) of the last answers are lost.`, error);
    });
    await Promise.race([last, sleep(LAST_WRITE_MS, undefined, { ref: false })]);
  }
}
