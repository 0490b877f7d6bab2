import { RE2JS } from 're2js';

/** Prepares a pattern; what it gives tells whether a text contains a match. Throws on a pattern it cannot run. */
export type LinearPatterns = (pattern: string, caseInsensitive: boolean) => (text: string) => boolean;

/** Of RE2's program: `(a{1,31}){1,31}` has some 1,000 of them, and each is paid for in memory and in time. */
const MAX_PROGRAM_SIZE = 500;
/** Each revision prepares the patterns of its environment; nearly all of them were prepared for the one before. */
const MAX_PREPARED = 20_000;
const prepared = new Map<string, (text: string) => boolean>();

/**
 * Runs regular expressions in time linear in the text, whatever the pattern: RE2's syntax, which has no look-around and no
 * back-references.
 */
export const patterns: LinearPatterns = (pattern, caseInsensitive) => {
  const key = `${caseInsensitive ? 'i' : '-'}${pattern}`;
  const known = prepared.get(key);
  if (known) return known;
  const compiled = RE2JS.compile(pattern, caseInsensitive ? RE2JS.CASE_INSENSITIVE : 0);
  const size = compiled.programSize();
  if (size > MAX_PROGRAM_SIZE)
    throw new RangeError(`it takes ${size} steps; ${MAX_PROGRAM_SIZE} are allowed, and repetitions multiply`);
  const finder = (text: string): boolean => compiled.matcher(text).find();
  if (prepared.size >= MAX_PREPARED) prepared.clear();
  prepared.set(key, finder);
  return finder;
};
