import type { EnvironmentRevision } from './environment.js';

/** Something in an environment changed; published, after the commit, on the instance that changed it. */
export class EnvironmentRevised {
  /** @param previousStamp of the state just before, where there was one */
  constructor(
    readonly now: EnvironmentRevision,
    readonly previousStamp?: string,
  ) {}
}

/** An environment and all that was in it is gone. The id tells it from a later one of the same key. */
export class EnvironmentRemoved {
  constructor(
    readonly id: string,
    readonly key: string,
  ) {}
}
