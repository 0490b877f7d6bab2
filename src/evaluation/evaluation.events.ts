import type { SnapshotDocument } from '../flags/flag-snapshot.reader.js';

/** This instance serves an environment from this document from now on; it may be the same as before, read anew. */
export class SnapshotSwapped {
  constructor(readonly document: SnapshotDocument) {}
}

/** This instance serves an environment no more: it was deleted. */
export class SnapshotDropped {
  constructor(readonly environmentKey: string) {}
}
