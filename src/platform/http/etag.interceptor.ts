import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { map, type Observable } from 'rxjs';
import { etagOf } from './if-match.js';

/**
 * Gives an answer that has a `version` its ETag, for `If-Match`. Never a 304: the answer says more than the version
 * counts, and what was deleted and made anew counts from 1 again.
 */
@Injectable()
export class EtagInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const http = context.switchToHttp();
    const [request, response] = [http.getRequest<Request>(), http.getResponse<Response>()];
    return next.handle().pipe(
      map((body) => {
        const version = (body as { version?: unknown } | undefined)?.version;
        if (typeof version !== 'number') return body;
        response.setHeader('ETag', etagOf(version));
        response.setHeader('Cache-Control', 'private, no-cache');
        // Express would compare by itself.
        delete request.headers['if-none-match'];
        return body;
      }),
    );
  }
}

/** The route answers with an ETag. */
export const Tagged = () => UseInterceptors(EtagInterceptor);
