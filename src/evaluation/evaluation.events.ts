import type { ServedState } from './ruleset-text.js';

/** This instance serves this from now on; it may be the same as before, read anew. */
export class SnapshotSwapped {
  constructor(readonly held: ServedState) {}
}

/** This instance serves an environment no more: it was deleted. */
export class SnapshotDropped {
  constructor(readonly environmentKey: string) {}
}
