import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { isAtLeast, type Role } from '../platform/access/role.js';
import { EventBus } from '../platform/events/event-bus.js';
import { Repeating } from '../platform/events/repeating.js';
import { AccessChanged } from './access.events.js';
import type { OpenSession } from './authenticator.js';
import { AccountsForgotten } from './user.events.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

/** For who came in meanwhile, and for what could not be asked. */
const LOOK_EVERY_MS = 250;
/** Whoever still has something open asks several times a second. */
const FORGOTTEN_AFTER_MS = 10_000;

interface Watched {
  /** As last known; `undefined` when there is no such account any more. */
  user: User | undefined;
  askedAt: number;
}

/**
 * Tells at any moment, from memory, whether sessions that were let in still would be: for what stays open for longer
 * than a request. However many are watched, a change of accounts costs one query, at once.
 */
@Injectable()
export class SessionWatch implements OnApplicationShutdown {
  private readonly watched = new Map<string, Watched>();
  private readonly repeating: Repeating;
  private looking: Promise<void> = Promise.resolve();
  private isLookedFor = false;

  constructor(
    private readonly users: UsersRepository,
    private readonly events: EventBus,
  ) {
    events.on(AccountsForgotten, () => {
      this.isLookedFor = true;
      // What fails is tried again soon.
      return this.look().catch(() => undefined);
    });
    this.repeating = new Repeating(LOOK_EVERY_MS, () => this.look());
  }

  /** @returns whether the session may go on, whenever it is asked; while the database is away, by what was last known */
  watch({ user, claims }: OpenSession, role: Role): () => boolean {
    this.watched.set(user.id, { user, askedAt: Date.now() });
    // The account may have changed since the guard looked.
    this.isLookedFor = true;
    return () => {
      const now = Date.now();
      const watched = this.watched.get(user.id) ?? { user, askedAt: now };
      watched.askedAt = now;
      this.watched.set(user.id, watched);
      return now < claims.expiresAt * 1000 && isOpen(watched.user, claims.tokenVersion, role);
    };
  }

  /** One after the other, so that what was read earlier never replaces what was read later. */
  private look(): Promise<void> {
    this.looking = this.looking.catch(() => undefined).then(() => this.lookNow());
    return this.looking;
  }

  private async lookNow(): Promise<void> {
    const before = Date.now() - FORGOTTEN_AFTER_MS;
    for (const [id, { askedAt }] of this.watched) if (askedAt < before) this.watched.delete(id);
    if (this.watched.size === 0 || !this.isLookedFor) return;
    const asked = [...this.watched.keys()];
    this.isLookedFor = false;
    try {
      const found = new Map((await this.users.findAll(asked)).map((user) => [user.id, user]));
      for (const id of asked) {
        const watched = this.watched.get(id);
        if (watched) watched.user = found.get(id);
      }
    } catch (error) {
      this.isLookedFor = true;
      throw error;
    }
    await this.events.publish(new AccessChanged());
  }

  onApplicationShutdown(): void {
    this.repeating.stop();
  }
}

const isOpen = (user: User | undefined, tokenVersion: number, role: Role): boolean =>
  user?.isActive === true && user.tokenVersion === tokenVersion && isAtLeast(user.role, role);
