import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { NotificationReceived, NotificationsResumed } from '../platform/database/notifications.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import { UsersChanged } from './user.events.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

const MOST = 10_000;

/**
 * The accounts that were asked for lately, in memory, so that a request is checked against today's role and state
 * without a query. Forgotten as a whole whenever any account changes, here or on another instance.
 */
@Injectable()
export class AccountDirectory implements OnApplicationShutdown {
  private accounts = new Map<string, Promise<User | undefined>>();
  private revision = -1;
  private forgotten = 0;
  private readonly poll: Repeating;

  constructor(
    private readonly users: UsersRepository,
    events: EventBus,
    @Inject(CONFIG) config: Config,
  ) {
    events.on(UsersChanged, () => this.forget());
    events.on(NotificationReceived, ({ topic }) => {
      if (topic === 'users') this.forget();
    });
    events.on(NotificationsResumed, () => this.forget());
    this.poll = new Repeating(config.revisionPollSeconds * 1000, () => this.compare());
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

  /** Moves on whenever any account may have changed. */
  get generation(): number {
    return this.forgotten;
  }

  private forget(): void {
    this.forgotten += 1;
    this.accounts = new Map();
  }

  private async compare(): Promise<void> {
    const revision = await this.users.revision();
    if (revision !== this.revision) this.forget();
    this.revision = revision;
  }

  onApplicationShutdown(): void {
    this.poll.stop();
  }
}
