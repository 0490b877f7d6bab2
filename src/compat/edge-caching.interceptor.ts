import {
  Inject,
  Injectable,
  mixin,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { createHash } from 'node:crypto';
import { map, type Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../platform/access/access.decorators.js';
import { CONFIG } from '../platform/config/config.module.js';
import type { Config } from '../platform/config/settings.js';

/**
 * Lets a cache between here and the clients keep an answer that everybody gets, for as long as the system itself remembered it;
 * browsers ask again each time, and are told 304 where it is the same. What is told to the bearer of a credential nobody keeps.
 */
export function EdgeCaching(seconds: number): Type<NestInterceptor> {
  @Injectable()
  class EdgeCachingInterceptor implements NestInterceptor {
    constructor(@Inject(CONFIG) private readonly config: Config) {}

    intercept(context: ExecutionContext, next: CallHandler<object>): Observable<object> {
      const http = context.switchToHttp();
      const { scope } = http.getRequest<Request & AuthenticatedRequest>();
      const response = http.getResponse<Response>();
      const isForAll = scope === undefined && this.config.evaluateAccess === 'public';
      return next.handle().pipe(
        map((body) => {
          response.setHeader(
            'Cache-Control',
            isForAll ? `public, max-age=0, s-maxage=${seconds}` : 'private, no-cache',
          );
          response.vary('X-API-Key, Authorization');
          response.setHeader('ETag', tagOf(body));
          return body;
        }),
      );
    }
  }
  return mixin(EdgeCachingInterceptor);
}

/** Of what is answered, whether it was remembered or not. */
function tagOf(body: object): string {
  const { _cache: _, ...answer } = body as { readonly _cache?: unknown };
  return `W/"${createHash('sha256').update(JSON.stringify(answer)).digest('base64url').slice(0, 22)}"`;
}
