/** What a prefix deletion achieved. */
export interface Deletion {
  readonly deleted: number;
  /** False when the time was up or the store failed: keys may be left, until their time to live ends. */
  readonly complete: boolean;
}

/** Questions about many keys at once, which Keyv does not answer. Prefixes include the namespace. Never rejects. */
export interface KeyIndex {
  /** The number of keys, or undefined when it could not be found out within a fraction of a second. */
  count(prefix: string): Promise<number | undefined>;
  deleteByPrefix(prefix: string): Promise<Deletion>;
}
