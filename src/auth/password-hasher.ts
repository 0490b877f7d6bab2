import { Injectable } from '@nestjs/common';
import argon2 from 'argon2';
import pLimit from 'p-limit';
import { TooManyAttempts } from './auth.errors.js';

/** OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane; about 20 ms. */
const OPTIONS = { type: argon2.argon2id, memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 } as const;
const AT_ONCE = 4;
const WAITING = 32;

/** Hashes and checks passwords, a few at a time, so that a flood of logins cannot take the machine from evaluations. */
@Injectable()
export class PasswordHasher {
  private readonly limit = pLimit(AT_ONCE);
  /** The hash of a password that nobody has. */
  private readonly nobody = argon2.hash(crypto.randomUUID(), OPTIONS);

  /** @throws TooManyAttempts when too many wait already */
  async hash(password: string): Promise<string> {
    return this.queued(() => argon2.hash(password, OPTIONS));
  }

  /**
   * Whether `password` belongs to `hash`. Without a hash it takes the same time and says no.
   * @throws TooManyAttempts when too many wait already
   */
  async verify(hash: string | undefined, password: string): Promise<boolean> {
    const against = hash ?? (await this.nobody);
    const fits = await this.queued(() => argon2.verify(against, password));
    return fits && hash !== undefined;
  }

  private async queued<T>(work: () => Promise<T>): Promise<T> {
    if (this.limit.pendingCount >= WAITING) throw new TooManyAttempts(1);
    return this.limit(work);
  }
}
