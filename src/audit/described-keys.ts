import { createHash } from 'node:crypto';

/** Longer lists are told by their size and digest, or each change of one key would be kept with all the others. */
const KEYS_TOLD = 200;

/**
 * A list of keys as the audit log shows it. A long one is `{count, sha256}`, over the JSON of its sorted keys, and after a
 * change also how many keys were `added` and `removed`, and which if they are few.
 * @param before what it was, where it is told what became of it
 */
export function describeKeys(keys: readonly string[], before: readonly string[] | undefined): unknown {
  const isLong = keys.length > KEYS_TOLD;
  if (before === undefined || before === keys) return isLong ? digestOf(keys) : keys;
  const [added, removed] = [missing(keys, before), missing(before, keys)];
  if (!isLong && before.length <= KEYS_TOLD) return keys;
  if (added.length + removed.length === 0) return digestOf(keys);
  return { ...digestOf(keys), ...told('added', added), ...told('removed', removed) };
}

const digestOf = (keys: readonly string[]) => ({
  count: keys.length,
  sha256: createHash('sha256').update(JSON.stringify(keys)).digest('hex'),
});

function missing(keys: readonly string[], elsewhere: readonly string[]): string[] {
  const known = new Set(elsewhere);
  return keys.filter((key) => !known.has(key));
}

/** Few keys are told themselves, so that a mistake can be taken back. */
const told = (what: 'added' | 'removed', keys: readonly string[]) => ({
  [what]: keys.length,
  ...(keys.length > 0 && keys.length <= KEYS_TOLD ? { [`${what}_keys`]: keys } : {}),
});
