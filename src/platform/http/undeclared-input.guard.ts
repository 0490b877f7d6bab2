import { SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { z } from 'zod';
import { Invalid } from '../errors/errors.js';
import { readInput } from './input-problems.js';

const ANY_QUERY = 'vexil:any-query';
const ANY_INPUT = 'vexil:any-input';
const NOTHING = z.strictObject({});

/** Query parameters mean nothing to this route and are passed over: probes and browsers add some of their own. */
export const AnyQuery = () => SetMetadata(ANY_QUERY, true);

/** Whatever means nothing to this route is passed over, as the system did whose route it is. */
export const AnyInput = () => SetMetadata(ANY_INPUT, true);

/**
 * Refuses, by name, what is sent to a route that asks for nothing of the kind: a query to one without `@Query`, a
 * body to one without `@Body`. The schemas of those that do ask refuse what they do not know.
 */
export class UndeclaredInputGuard implements CanActivate {
  private readonly asked = new WeakMap<object, ReadonlySet<'query' | 'body'>>();

  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Request>();
    const asked = this.askedBy(context);
    const problems = [];
    for (const type of ['query', 'body'] as const) {
      const input: unknown = asked.has(type) ? undefined : request[type];
      if (input === undefined) continue;
      const read = await readInput(NOTHING, input, { type });
      if ('problems' in read) problems.push(...read.problems);
    }
    if (problems.length > 0) throw new Invalid(problems);
    return true;
  }

  private askedBy(context: ExecutionContext): ReadonlySet<'query' | 'body'> {
    const handler = context.getHandler();
    const known = this.asked.get(handler);
    if (known) return known;
    const parameters = Object.keys(
      (Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), handler.name) ?? {}) as object,
    );
    const takes = (type: RouteParamtypes) => parameters.some((name) => name.startsWith(`${type}:`));
    const says = (metadata: string) =>
      this.reflector.getAllAndOverride<true | undefined>(metadata, [handler, context.getClass()]) === true;
    const asked = new Set<'query' | 'body'>();
    if (says(ANY_INPUT) || says(ANY_QUERY) || takes(RouteParamtypes.QUERY)) asked.add('query');
    if (says(ANY_INPUT) || takes(RouteParamtypes.BODY)) asked.add('body');
    this.asked.set(handler, asked);
    return asked;
  }
}
