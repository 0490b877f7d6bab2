import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { HttpFault } from './http.errors.js';

/**
 * The versions that the caller is content to overwrite, from `If-Match: "3"`; `undefined` when there is no header
 * or it is `*`. Weak marks and missing quotes, which proxies and people add and leave out, are forgiven.
 */
export const IfMatch = createParamDecorator(
  (_: unknown, context: ExecutionContext): readonly number[] | undefined => {
    const header = context.switchToHttp().getRequest<Request>().headers['if-match']?.trim();
    if (header === undefined || header === '*') return undefined;
    return header.split(',').map((tag) => {
      const version = /^\s*(?:W\/)?"?(\d{1,15})"?\s*$/.exec(tag)?.[1];
      if (version === undefined) {
        throw new HttpFault(
          400,
          'malformed_if_match',
          'If-Match must be an ETag that this API gave, such as "3".',
        );
      }
      return Number(version);
    });
  },
);

/** A version as an ETag. */
export const etagOf = (version: number): string => `"${version}"`;
