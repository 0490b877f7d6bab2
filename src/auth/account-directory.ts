import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { NotificationReceived, NotificationsResumed } from '../platform/database/notifications.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import { AccountsForgotten, UsersChanged } from './user.events.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

const MOST = 10_000;
/** How often an instance compares, in case a notification was lost: whoever may not any more is to be refused within a second. */
const COMPARE_EVERY_MS = 500;

/**
 * The accounts that were asked for lately, in memory, so that a request is checked against today's role and state
 * without a query. Forgotten as a whole whenever any account changes, here or on another instance.
 */
@Injectable()
export class AccountDirectory implements OnApplicationShutdown {
  private accounts = new Map<string, Promise<User | undefined>>();
  private revision = -1;
  private readonly poll: Repeating;

  constructor(
    private readonly users: UsersRepository,
    private readonly events: EventBus,
  ) {
    events.on(UsersChanged, () => this.forget());
    events.on(NotificationReceived, ({ topic }) => (topic === 'users' ? this.forget() : undefined));
    events.on(NotificationsResumed, () => this.forget());
    this.poll = new Repeating(COMPARE_EVERY_MS, () => this.compare());
  }

  /** @returns `undefined` when there is no such account */
  async find(id: string): Promise<User | undefined> {
    const known = this.accounts.get(id);
    if (known) return known;
    // The map is replaced, not emptied, when accounts change: an answer that was under way lands in the old one.
    const accounts = this.accounts;
    if (accounts.size >= MOST) accounts.clear();
    const asked = this.users.find(id);
    accounts.set(id, asked);
    try {
      const found = await asked;
      if (!found) accounts.delete(id);
      return found;
    } catch (error) {
      accounts.delete(id);
      throw error;
    }
  }

  private forget(): Promise<void> {
    this.accounts = new Map();
    return this.events.publish(new AccountsForgotten());
  }

  private async compare(): Promise<void> {
    const revision = await this.users.revision();
    if (revision === this.revision) return;
    this.revision = revision;
    await this.forget();
  }

  onApplicationShutdown(): void {
    this.poll.stop();
  }
}
