import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';

const headerOf = (context: ExecutionContext, name: 'last-event-id' | 'if-none-match'): string | undefined => {
  const value = context.switchToHttp().getRequest<Request>().headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** The id of the last event that the client had; whatever it says there. `undefined` when it says nothing. */
export const LastEventId = createParamDecorator((_: unknown, context: ExecutionContext) =>
  headerOf(context, 'last-event-id'),
);

/** The id in `If-None-Match`, when there is just one. */
export const KnownId = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    /^(?:W\/)?"([^"]*)"$/.exec(headerOf(context, 'if-none-match') ?? '')?.[1],
);
