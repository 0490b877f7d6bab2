import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { KeyScope } from '../platform/access/key-scope.js';
import { Breaker } from '../platform/cache/breaker.js';
import { RedisConnection } from '../platform/cache/redis-connection.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { RateLimited } from './auth.errors.js';
import { networkOf } from './network.js';
import { SharedCount, type Total } from './shared-count.js';

const WINDOW_SECONDS = 60;
const WINDOW_MS = WINDOW_SECONDS * 1000;
/** How long Redis may take to hear of a count. Nobody waits for it. */
const REDIS_PATIENCE_MS = 100;
/** Callers that are counted at the same time; beyond that the ones counted longest are forgotten first. */
const MOST_COUNTS = 100_000;

/** What a caller may still do. */
export interface Allowance {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the count begins anew. */
  readonly resetSeconds: number;
}

/** As headers of an answer. */
export const allowanceHeaders = ({ limit, remaining, resetSeconds }: Allowance): Record<string, string> => ({
  'X-RateLimit-Limit': String(limit),
  'X-RateLimit-Remaining': String(remaining),
  'X-RateLimit-Reset': String(resetSeconds),
});

/** The same, names and values in turn. */
export const allowancePairs = (allowance: Allowance): string[] =>
  Object.entries(allowanceHeaders(allowance)).flat();

/**
 * Limits how often an API key, or a network without one, may call in a minute. Every request is counted here, in memory,
 * and answered at once; Redis adds the counts of all instances up in the background. Without Redis, or while it does not
 * answer, each instance counts by itself: never open, and nobody waits.
 */
@Injectable()
export class RequestLimits {
  private readonly counts = new Map<string, SharedCount>();
  private readonly shared: RateLimiterRedis | undefined;
  private readonly breaker = new Breaker({ timeoutMs: REDIS_PATIENCE_MS });

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(RedisConnection) private readonly redis: RedisConnection | undefined,
  ) {
    this.shared =
      redis &&
      new RateLimiterRedis({
        keyPrefix: 'vexil:limit:requests',
        // Only adds up: what is too many differs from key to key, and is decided here.
        points: Number.MAX_SAFE_INTEGER,
        duration: WINDOW_SECONDS,
        storeClient: redis.client,
        useRedisPackage: true,
        rejectIfRedisNotReady: true,
      });
  }

  /**
   * A client key stands in pages and is everybody's: each network that brings it has its limit for itself.
   * @throws RateLimited; @returns `undefined` for a key without a limit
   */
  takeForKey(
    { keyId, ratePerMinute, clientOnly }: KeyScope,
    address: string | undefined,
  ): Allowance | undefined {
    if (ratePerMinute === 0) return undefined;
    const subject = clientOnly ? `key:${keyId} ${networkOf(address ?? '')}` : `key:${keyId}`;
    return this.take(subject, ratePerMinute);
  }

  /** @throws RateLimited; @returns `undefined` when networks are not limited */
  takeForNetwork(address: string | undefined): Allowance | undefined {
    const limit = this.config.rateLimitPerMinute;
    return limit === 0 ? undefined : this.take(`network:${networkOf(address ?? '')}`, limit);
  }

  private take(subject: string, limit: number): Allowance | undefined {
    const count = this.countOf(subject);
    const isTaken = count.take(limit);
    const resetSeconds = Math.max(1, Math.ceil(count.msLeft / 1000));
    if (!isTaken) throw new RateLimited(limit, resetSeconds);
    return { limit, remaining: Math.max(0, limit - count.known), resetSeconds };
  }

  private countOf(subject: string): SharedCount {
    const known = this.counts.get(subject);
    if (known && known.msLeft > 0) return known;
    const fresh = new SharedCount(WINDOW_MS, this.reporter(subject));
    // Anew at the end of the map: its beginning is what was counted longest.
    this.counts.delete(subject);
    this.counts.set(subject, fresh);
    this.forgetOldest();
    return fresh;
  }

  /** Two at a time, so that what has ended goes faster than what is new comes. */
  private forgetOldest(): void {
    let looked = 0;
    for (const [subject, count] of this.counts) {
      if (looked >= 2 || (count.msLeft > 0 && this.counts.size <= MOST_COUNTS)) return;
      this.counts.delete(subject);
      looked += 1;
    }
  }

  private reporter(subject: string): ConstructorParameters<typeof SharedCount>[1] {
    const shared = this.shared;
    if (!shared) return undefined;
    const digest = createHash('sha256').update(subject).digest('base64url').slice(0, 22);
    return async (taken) => {
      // What is not sent now can be sent later; of what was sent nobody knows, where no answer comes.
      const telling = { isSent: false };
      const add = async (): Promise<Total> => {
        telling.isSent = true;
        const { consumedPoints, msBeforeNext } = await shared.penalty(digest, taken);
        return { total: consumedPoints, msLeft: msBeforeNext };
      };
      const total = this.redis?.isUp === true ? await this.breaker.run(add, undefined) : undefined;
      return telling.isSent ? total : 'unsent';
    };
  }
}
