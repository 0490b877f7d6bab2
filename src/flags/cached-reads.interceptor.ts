import {
  Inject,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { from, mergeMap, of, type Observable } from 'rxjs';
import { EnvironmentRevisions } from '../environments/environment-revisions.js';
import type { EnvironmentRevision } from '../environments/environment.js';
import { cacheKey, type CacheKey } from '../platform/cache/cache-key.js';
import { Cache } from '../platform/cache/cache.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';
import { isDatabaseFault } from '../platform/database/faults.js';
import { Unavailable } from '../platform/errors/errors.js';

/** Everything this interceptor keeps, under one prefix. */
export const CACHED_READS = cacheKey('reads');

const TOTAL = 'X-Total-Count';

interface Kept {
  readonly body: unknown;
  readonly total: number | null;
}

/**
 * Answers management reads from the cache. The key carries the revisions of the environments that the answer speaks
 * of, as the database has them at this moment, so a change supersedes and nothing is ever served stale; while the
 * database is away the last known revisions stand in. Every role sees the same, so the key does not name the caller.
 */
@Injectable()
export class CachedReadsInterceptor implements NestInterceptor {
  private known: readonly EnvironmentRevision[] | undefined;

  constructor(
    private readonly cache: Cache,
    private readonly revisions: EnvironmentRevisions,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler<unknown>): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    const key = await this.keyOf(request);
    const kept = await this.cache.get<Kept>(key);
    response.setHeader('X-Cache', kept ? 'HIT' : 'MISS');
    if (kept) {
      if (kept.total !== null) response.setHeader(TOTAL, kept.total);
      return of(kept.body);
    }
    return next.handle().pipe(
      mergeMap((body) => {
        const total = Number(response.getHeader(TOTAL) ?? Number.NaN);
        const value: Kept = { body, total: Number.isNaN(total) ? null : total };
        return from(this.cache.set(key, value, this.config.cacheTtlSeconds).then(() => body));
      }),
    );
  }

  private async keyOf({ path, query }: Request): Promise<CacheKey> {
    const environment = query['environment_key'];
    const revisions = (await this.currentRevisions())
      .filter(({ key }) => environment === undefined || key === environment)
      .map(({ id, stamp }) => `${id}:${stamp}`);
    const asked = Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1));
    return cacheKey('reads', revisions.join(','), path, JSON.stringify(asked));
  }

  private async currentRevisions(): Promise<readonly EnvironmentRevision[]> {
    try {
      this.known = await this.revisions.current();
    } catch (error) {
      if (!(error instanceof Unavailable || isDatabaseFault(error)) || !this.known) throw error;
    }
    return this.known;
  }
}
