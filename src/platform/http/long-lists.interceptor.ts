import {
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { readLongLists } from './body.js';

/** Reads a body after the guard has let its sender through, and before the pipes check it. */
@Injectable()
export class LongListsInterceptor implements NestInterceptor {
  async intercept(context: ExecutionContext, next: CallHandler<unknown>): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    await readLongLists(http.getRequest<Request>(), http.getResponse<Response>());
    return next.handle();
  }
}

/** The route takes bodies of up to 8 MiB, from those who may call it; its path is left alone by `bodyReader`. */
export const ReadsLongLists = () => UseInterceptors(LongListsInterceptor);
