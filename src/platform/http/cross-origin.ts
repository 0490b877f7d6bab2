import { Global, Injectable, Module } from '@nestjs/common';
import type { IncomingHttpHeaders } from 'node:http';

/** A request of a page, or its preflight. */
export interface CrossOriginRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Pick<IncomingHttpHeaders, 'authorization'> & {
    readonly 'x-api-key'?: string | string[] | undefined;
  };
  /** The origin of the page, as the browser says it. */
  readonly origin: string;
}

export type OriginPolicy = (request: CrossOriginRequest) => boolean;

/** Which pages of other origins may read answers, beside those of ALLOWED_ORIGINS: features above register what they allow. */
@Injectable()
export class CrossOrigin {
  private readonly policies: OriginPolicy[] = [];

  register(policy: OriginPolicy): void {
    this.policies.push(policy);
  }

  allows(request: CrossOriginRequest): boolean {
    return this.policies.some((policy) => policy(request));
  }
}

@Global()
@Module({ providers: [CrossOrigin], exports: [CrossOrigin] })
export class CrossOriginModule {}
