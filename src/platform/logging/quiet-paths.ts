import { Global, Injectable, Module } from '@nestjs/common';
import { isDecision } from './decision-paths.js';

/** Paths that machines ask for all the time. */
const PROBES = /^\/(health(\/|$)|metrics$)/;

/** Whose requests are no news when they go well. Features that answer programs at paths of their own register them here. */
@Injectable()
export class QuietPaths {
  private readonly registered: RegExp[] = [];

  register(...paths: readonly RegExp[]): void {
    this.registered.push(...paths);
  }

  /** @param path without its query, still encoded */
  has(path: string): boolean {
    return PROBES.test(path) || isDecision(path) || this.registered.some((pattern) => pattern.test(path));
  }
}

@Global()
@Module({ providers: [QuietPaths], exports: [QuietPaths] })
export class QuietPathsModule {}
