import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { isAtLeast, type Role } from '../platform/access/role.js';
import { Repeating } from '../platform/events/repeating.js';
import { AccountDirectory } from './account-directory.js';
import type { OpenSession } from './authenticator.js';
import type { User } from './user.js';
import { UsersRepository } from './users.repository.js';

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
 * than a request. However many are watched, a change of accounts costs one query.
 */
@Injectable()
export class SessionWatch implements OnApplicationShutdown {
  private readonly watched = new Map<string, Watched>();
  private readonly looking: Repeating;
  private seenGeneration = -1;
  private isLookedFor = false;

  constructor(
    private readonly accounts: AccountDirectory,
    private readonly users: UsersRepository,
  ) {
    this.looking = new Repeating(LOOK_EVERY_MS, () => this.look());
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

  private async look(): Promise<void> {
    const before = Date.now() - FORGOTTEN_AFTER_MS;
    for (const [id, { askedAt }] of this.watched) if (askedAt < before) this.watched.delete(id);
    const { generation } = this.accounts;
    if (this.watched.size === 0 || (generation === this.seenGeneration && !this.isLookedFor)) return;
    const asked = [...this.watched.keys()];
    this.isLookedFor = false;
    try {
      const found = new Map((await this.users.findAll(asked)).map((user) => [user.id, user]));
      for (const id of asked) {
        const watched = this.watched.get(id);
        if (watched) watched.user = found.get(id);
      }
      this.seenGeneration = generation;
    } catch (error) {
      this.isLookedFor = true;
      throw error;
    }
  }

  onApplicationShutdown(): void {
    this.looking.stop();
  }
}

const isOpen = (user: User | undefined, tokenVersion: number, role: Role): boolean =>
  user?.isActive === true && user.tokenVersion === tokenVersion && isAtLeast(user.role, role);
