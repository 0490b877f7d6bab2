import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
  type RateLimiterAbstract,
} from 'rate-limiter-flexible';
import { RedisConnection } from '../platform/cache/redis-connection.js';
import { within } from '../platform/cache/time-limit.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { LoginFailed, TooManyAttempts } from './auth.errors.js';
import { networkOf } from './network.js';

/** How long Redis may take before this instance counts by itself. */
const REDIS_PATIENCE_MS = 100;
/** Failures that one network may cause over all accounts, as a multiple of what it may for one. */
const NETWORK_FACTOR = 10;

interface Bucket {
  readonly shared: RateLimiterAbstract | undefined;
  readonly own: RateLimiterAbstract;
}

/**
 * Slows down guessing. Counts in Redis, for all instances together; without Redis, or while it does not answer,
 * in memory: never open.
 */
@Injectable()
export class AttemptLimiter {
  private readonly perAccount: Bucket;
  private readonly perNetwork: Bucket;
  private readonly registrations: Bucket;
  private readonly guesses: Bucket;

  constructor(@Inject(CONFIG) config: Config, @Inject(RedisConnection) redis: RedisConnection | undefined) {
    const perMinute = config.loginAttemptsPerMinute;
    this.perAccount = bucketOf('login-account', perMinute, 60, redis);
    this.perNetwork = bucketOf('login-network', perMinute * NETWORK_FACTOR, 60, redis);
    this.registrations = bucketOf('register', config.registrationsPerHour, 3600, redis);
    this.guesses = bucketOf('guess', perMinute, 60, redis);
  }

  /**
   * Lets `logIn` try, and remembers that it did when it ends in `LoginFailed`: whatever else keeps somebody out is no
   * guess. Counted before a password is looked at, so that many at once cannot slip through.
   * @throws TooManyAttempts, and what `logIn` throws
   */
  async attempt<T>(email: string, address: string, logIn: () => Promise<T>): Promise<T> {
    const takeBack = await this.countLogin(email, networkOf(address));
    try {
      const result = await logIn();
      await takeBack();
      return result;
    } catch (error) {
      if (!(error instanceof LoginFailed)) await takeBack();
      throw error;
    }
  }

  /**
   * Lets `find` look for what a secret stands for, and remembers that it did when there is nothing. Counted before, as logins
   * are; by network alone, for a guess is at all secrets at once.
   * @throws TooManyAttempts, and what `find` throws
   */
  async guess<T>(address: string, find: () => Promise<T | undefined>): Promise<T | undefined> {
    const takeBack = await consume(this.guesses, networkOf(address));
    let isGuess = false;
    try {
      const found = await find();
      isGuess = found === undefined;
      return found;
    } finally {
      if (!isGuess) await takeBack();
    }
  }

  /** @throws TooManyAttempts */
  async beforeRegistration(address: string): Promise<void> {
    await consume(this.registrations, networkOf(address));
  }

  /** @returns takes the count back */
  private async countLogin(email: string, network: string): Promise<() => Promise<unknown>> {
    const byNetwork = await consume(this.perNetwork, network);
    try {
      const byAccount = await consume(this.perAccount, `${network} ${email}`);
      return async () => Promise.all([byNetwork(), byAccount()]);
    } catch (error) {
      // Nobody looked at a password, so the network did not guess.
      await byNetwork();
      throw error;
    }
  }
}

function bucketOf(
  name: string,
  points: number,
  duration: number,
  redis: RedisConnection | undefined,
): Bucket {
  const limits = { keyPrefix: `vexil:limit:${name}`, points, duration };
  return {
    own: new RateLimiterMemory(limits),
    shared:
      redis &&
      new RateLimiterRedis({
        ...limits,
        storeClient: redis.client,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      }),
  };
}

/** @returns takes the count back, where it was counted */
async function consume({ shared, own }: Bucket, key: string): Promise<() => Promise<unknown>> {
  const digest = digestOf(key);
  try {
    if (shared) {
      try {
        await within(REDIS_PATIENCE_MS, shared.consume(digest));
        return () => within(REDIS_PATIENCE_MS, shared.reward(digest)).catch(() => undefined);
      } catch (error) {
        if (error instanceof RateLimiterRes) throw error;
      }
    }
    await own.consume(digest);
    return () => own.reward(digest);
  } catch (error) {
    if (error instanceof RateLimiterRes) throw new TooManyAttempts(error.msBeforeNext / 1000, own.points);
    throw error;
  }
}

/** Counters need not know who people are. */
function digestOf(key: string): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 22);
}
